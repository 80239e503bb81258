"""The app: the reference stacks, for the environment that `ENVIRONMENT` or the cdktf context names."""

import os

from constructs_lib import App, Environment, backend_from_environment
from stacks.payments import PaymentsStack

app = App()
environment = Environment.choose(os.environ.get("ENVIRONMENT"), app.node.try_get_context("environment"))
backend = backend_from_environment(os.environ)

PaymentsStack(app, "payments", environment=environment, backend=backend)

app.synth()
