"""One stack in two regions, with peered networks."""

import constructs_lib as lib

REGIONS = ("eu-west-1", "us-east-1")

app = lib.App()
stack = lib.HardenedStack(app, "shop", environment="dev", owner="team-shop")
plan = lib.AddressPlan("10.0.0.0/12", REGIONS)
primary, *others = (stack.region(name) for name in REGIONS)
key = lib.MultiRegionKey(stack, "key", region=primary, replicas=others)
vpcs = lib.RegionalMap(
    stack,
    {
        name: lib.RegionalVpc(stack, f"vpc-{name}", region=region, cidr=plan.cidr(name), key=key)
        for name, region in stack.regions.items()
    },
)
lib.PeeredMesh(stack, "mesh", vpcs=vpcs)
app.synth()
