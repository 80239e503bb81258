"""The app: the reference stacks, for the environment that `ENVIRONMENT` or the cdktf context names."""

import os

from constructs_lib import App, Environment, attach, backend_from_environment
from stacks.certificates import certificates_from_environment
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.state_backend import StateBackendStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack

app = App()
environment = Environment.choose(os.environ.get("ENVIRONMENT"), app.node.try_get_context("environment"))
backend = backend_from_environment(os.environ)

EventsStack(app, "events", environment=environment, backend=backend)
PaymentsStack(app, "payments", environment=environment, backend=backend)
PlatformStack(app, "platform", environment=environment, backend=backend)
TicketingStack(app, "ticketing", environment=environment, backend=backend)
certificates = certificates_from_environment(os.environ, environment)
TradingStack(app, "trading", environment=environment, backend=backend, certificates=certificates)
# It makes the bucket that the others' state is in, and keeps its own in a local file.
StateBackendStack(app, "state-backend", environment=environment)

attach(app)
app.synth()
