"""Build estates of many resources and run every rule over them.

`python tests/bench/rules.py` prints seconds by size; `bench.py` writes them into docs/performance.json.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any, Final

from tabulate import tabulate

from constructs_lib.rules.catalogue import rules
from constructs_lib.rules.engine import run
from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate

SIZES: Final = (1_000, 3_000, 10_000)
LIMIT: Final = 2.0
"""Seconds for the largest size, on one core."""
STACKS: Final = 4


def estate(resources: int) -> Estate:
    """Return stacks with the usual mix: functions with roles, logs and queues; buckets; networks; tables."""
    documents = [document(number, resources // STACKS) for number in range(STACKS)]
    return Estate(Source(f"shop-{number}", Path(), document) for number, document in enumerate(documents))


def document(stack: int, wanted: int) -> dict[str, Any]:
    resources: dict[str, dict[str, Any]] = {}
    made = 0

    def add(type_: str, label: str, /, **body: Any) -> None:
        nonlocal made
        body["//"] = {"metadata": {"path": f"shop-{stack}/{label}/Resource", "uniqueId": label}}
        resources.setdefault(type_, {})[label] = {"provider": "aws.eu_west_1", **body}
        made += 1

    add("aws_kms_key", "key", enable_key_rotation=True, description="Everything")
    number = 0
    while made < wanted:
        number += 1
        name = f"part_{number}"
        if number % 20 == 1:
            network = f"vpc_{number}"
            block = number // 20 % 250
            add("aws_vpc", network, cidr_block=f"10.{block}.0.0/16", enable_dns_hostnames=True)
            add("aws_security_group", network, vpc_id=f"${{aws_vpc.{network}.id}}", description="Of the functions")
            for zone, letter in enumerate("abc"):
                subnet = f"{network}_{letter}"
                add(
                    "aws_subnet",
                    subnet,
                    vpc_id=f"${{aws_vpc.{network}.id}}",
                    cidr_block=f"10.{block}.{zone}.0/24",
                    availability_zone=f"eu-west-1{letter}",
                )
                add("aws_route_table", subnet, vpc_id=f"${{aws_vpc.{network}.id}}")
                add(
                    "aws_route_table_association",
                    subnet,
                    subnet_id=f"${{aws_subnet.{subnet}.id}}",
                    route_table_id=f"${{aws_route_table.{subnet}.id}}",
                )
        add("aws_sqs_queue", name, name=f"shop-dev-{stack}-{number}", kms_master_key_id="${aws_kms_key.key.arn}")
        add(
            "aws_sqs_queue_policy",
            name,
            queue_url=f"${{aws_sqs_queue.{name}.id}}",
            policy=_policy("sqs:SendMessage", name),
        )
        add("aws_iam_role", name, name=f"shop-dev-{stack}-{number}", assume_role_policy=_TRUST)
        add(
            "aws_iam_role_policy", name, role=f"${{aws_iam_role.{name}.id}}", policy=_policy("sqs:ReceiveMessage", name)
        )
        add("aws_cloudwatch_log_group", name, name=f"/aws/lambda/shop-dev-{stack}-{number}", retention_in_days=30)
        add(
            "aws_lambda_function",
            name,
            function_name=f"shop-dev-{stack}-{number}",
            role=f"${{aws_iam_role.{name}.arn}}",
            handler="index.handler",
            runtime="python3.13",
            timeout=30,
            filename=f"${{data.archive_file.{name}.output_path}}",
            environment={"variables": {"QUEUE": f"${{aws_sqs_queue.{name}.url}}"}},
            vpc_config={
                "subnet_ids": [f"${{aws_subnet.{network}_{letter}.id}}" for letter in "abc"],
                "security_group_ids": [f"${{aws_security_group.{network}.id}}"],
            },
            depends_on=[f"aws_cloudwatch_log_group.{name}"],
        )
        add(
            "aws_lambda_event_source_mapping",
            name,
            event_source_arn=f"${{aws_sqs_queue.{name}.arn}}",
            function_name=f"${{aws_lambda_function.{name}.arn}}",
        )
        add("aws_s3_bucket", name, bucket=f"shop-dev-{stack}-{number}")
        add("aws_s3_bucket_versioning", name, bucket=f"${{aws_s3_bucket.{name}.id}}", versioning_configuration=_ENABLED)
        add("aws_s3_bucket_public_access_block", name, bucket=f"${{aws_s3_bucket.{name}.id}}", block_public_acls=True)
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}},
        "provider": {"aws": [{"alias": "eu_west_1", "region": "eu-west-1", "default_tags": [{"tags": _TAGS}]}]},
        "resource": resources,
    }


_TAGS: Final = {"Environment": "dev", "Owner": "bench", "Project": "shop"}
_ENABLED: Final = {"status": "Enabled"}
_TRUST: Final = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "lambda.amazonaws.com"}}]}'
)


def _policy(action: str, queue: str) -> str:
    return (
        f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": ["{action}"], '
        f'"Resource": "${{aws_sqs_queue.{queue}.arn}}"}}]}}'
    )


def measure(times: int = 3) -> list[dict[str, float]]:
    """Return CPU seconds for building the estate and running all rules, the best of some runs, by size."""
    every = rules()
    found = []
    for size in SIZES:
        seconds = []
        for _ in range(times):
            gc.collect()
            start = time.process_time()
            looked = estate(size)
            built = time.process_time()
            run(looked, every)
            seconds.append((time.process_time() - start, built - start))
        total, building = min(seconds)
        found.append({"resources": size, "rules": len(every), "seconds": total, "building": building})
    return found


def slowest(size: int = SIZES[-1], most: int = 10) -> list[tuple[str, float]]:
    """Return the rules that take the longest, alone on an estate whose indexes are there."""
    looked = estate(size)
    run(looked, rules())
    found = []
    for rule in rules():
        start = time.process_time()
        run(looked, [rule])
        found.append((rule.id, time.process_time() - start))
    return sorted(found, key=lambda one: -one[1])[:most]


def main() -> None:
    """Print the table, and the slowest rules."""
    print(tabulate(measure(), headers="keys", floatfmt=".3f"))  # noqa: T201
    print(tabulate(slowest(), headers=["rule", "s"], floatfmt=".3f"))  # noqa: T201


if __name__ == "__main__":
    main()
