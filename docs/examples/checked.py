"""A stack with a queue of the team's own, which breaks a rule that its owner accepts for a while."""

from datetime import date

import constructs_lib as lib

app = lib.App()
lib.attach(app)
stack = lib.HardenedStack(app, "shop", environment="dev", owner="team-shop")
region = stack.region("eu-west-1")
queue = lib.aws.sqs_queue.SqsQueue(stack, "prices", provider=region.provider, name="shop-dev-prices")
lib.acknowledge(
    queue,
    "MSG-001",
    reason="The queue holds public prices only, and its consumer cannot use a key yet.",
    owner="team-shop",
    until=date(2027, 6, 30),
    accepts="33b5287f2c57",
)
app.synth()
