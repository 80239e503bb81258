"""Synthesize a stack of about as many resources as the first argument says, in the mix of a usual stack."""

from __future__ import annotations

import os
import sys
from itertools import count

from constructs_lib import App, HardenedStack, LogGroup, MultiRegionKey, aws
from constructs_lib.core.iam import ServiceRole, Statement

wanted = int(sys.argv[1])
app = App(outdir=os.environ["OUTPUT_DIRECTORY"])
stack = HardenedStack(app, "growth", environment="dev", owner="bench")
region = stack.region("eu-west-1")
made = 0
for number in count():
    if made >= wanted:
        break
    if number % 200 == 0:  # a key's policy has room for some 300 log groups
        key = MultiRegionKey(stack, f"key-{number // 200}", region=region)
        made += 2
    group = LogGroup(stack, f"log-{number}", region=region, key=key, name=f"/growth/{number}")
    ServiceRole(
        stack,
        f"role-{number}",
        region=region,
        service="lambda.amazonaws.com",
        description="Writes one log group",
        statements=[Statement("Write", ("logs:PutLogEvents",), (group.arn,))],
    )
    path = (f"queue-{number}",)
    region.create(stack, path, aws.sqs_queue.SqsQueue, name=f"growth-{number}", sqs_managed_sse_enabled=True)
    made += 6
app.synth()
