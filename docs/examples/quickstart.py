"""A network and a function behind an API, in one region."""

import os

from constructs_lib import (
    App,
    HardenedStack,
    InlineSource,
    MultiRegionKey,
    PaymentLambda,
    RegionalVpc,
    RestApi,
    Unreserved,
)

HELLO = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n"

app = App(outdir=os.environ.get("OUTPUT_DIRECTORY", "cdktf.out"))
stack = HardenedStack(app, "hello", environment="dev", owner="team-hello")
region = stack.region("eu-west-1")

key = MultiRegionKey(stack, "key", region=region)
vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
function = PaymentLambda(
    stack,
    "hello",
    region=region,
    source=InlineSource(HELLO),
    handler="index.handler",
    key=key,
    vpc=vpc,
    reserved_concurrency=Unreserved("a demonstration that nobody depends on"),
)
api = RestApi(stack, "api", region=region, key=key)
api.add_method("GET", "/hello", function)

app.synth()
