"""Documents shared by the tests of the S3 rules."""

from __future__ import annotations

import json

BUCKET = {"data": {"bucket": "shop-data"}}


def policy(**more: object) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
