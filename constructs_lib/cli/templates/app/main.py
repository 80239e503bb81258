"""The app: synthesizes the stacks for the environment in the variable `ENVIRONMENT`, dev by default."""

import os

from constructs_lib import App, Environment, attach, backend_from_environment

from orders.stack import OrdersStack

app = App()
environment = Environment.choose(os.environ.get("ENVIRONMENT"), app.node.try_get_context("environment"))

OrdersStack(app, "orders", environment=environment, backend=backend_from_environment(os.environ))

attach(app)
app.synth()
