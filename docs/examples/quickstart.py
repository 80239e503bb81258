"""A function in a network behind an API, in one region."""

import constructs_lib as lib

app = lib.App()
stack = lib.HardenedStack(app, "hello", environment="dev", owner="team-hello")
region = stack.region("eu-west-1")
key = lib.MultiRegionKey(stack, "key", region=region)
vpc = lib.RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
function = lib.PaymentLambda(
    stack,
    "hello",
    region=region,
    source=lib.InlineSource("def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n"),
    handler="index.handler",
    key=key,
    vpc=vpc,
    timeout=29,
    synchronous=True,
    reserved_concurrency=10,
)
api = lib.RestApi(stack, "api", region=region, key=key)
api.add_method("GET", "/hello", function)
app.synth()
