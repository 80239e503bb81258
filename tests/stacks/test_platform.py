"""The platform stack: what is the same in every environment, and what differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from constructs_lib import Environment
from stacks.platform import PlatformStack
from tests.stacks.pinned import check_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack


@pytest.fixture(scope="module")
def platforms(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> dict[str, SynthesizedStack]:
    """The stack of each environment."""
    return {
        environment.value: synthesize(
            lambda app, environment=environment: PlatformStack(app, "platform", environment=environment)  # type: ignore[misc]
        )["platform"]
        for environment in Environment
    }


@pytest.mark.parametrize("environment", list(Environment))
def test_addresses_stay_where_they_are(platforms: dict[str, SynthesizedStack], environment: Environment) -> None:
    check_addresses(platforms[environment], f"platform-{environment}")


def test_a_bigger_environment_has_everything_that_a_smaller_one_has(platforms: dict[str, SynthesizedStack]) -> None:
    dev, staging, prod = (set(platforms[name].addresses) for name in ("dev", "staging", "prod"))
    assert dev <= staging <= prod


@pytest.mark.parametrize(
    ("environment", "gateways", "classes", "retention"),
    [
        ("dev", 1, ["db.t4g.medium"], 14),
        ("staging", 1, ["db.t4g.medium"] * 2, 14),
        ("prod", 3, ["db.r7g.large"] * 2, 35),
    ],
)
def test_the_environment_decides_sizes_and_protections(
    platforms: dict[str, SynthesizedStack],
    environment: str,
    gateways: int,
    classes: list[str],
    retention: int,
) -> None:
    stack, protected = platforms[environment], environment == "prod"
    assert len(stack.resources("aws_nat_gateway")) == gateways
    instances = stack.resources("aws_rds_cluster_instance")
    assert [instance["instance_class"] for instance in instances] == classes
    cluster = stack.resource("aws_rds_cluster")
    assert cluster["backup_retention_period"] == retention
    assert cluster["deletion_protection"] is protected
    assert cluster["skip_final_snapshot"] is not protected
    assert bool(stack.find("aws_cloudwatch_metric_alarm")) is protected


@pytest.mark.parametrize("environment", list(Environment))
def test_the_function_reaches_the_database_and_nothing_reaches_the_function(
    platforms: dict[str, SynthesizedStack], environment: Environment
) -> None:
    stack = platforms[environment]
    ingress = [
        (rule["security_group_id"], rule["referenced_security_group_id"], rule["from_port"], rule["to_port"])
        for rule in stack.resources("aws_vpc_security_group_ingress_rule")
    ]
    database = "${aws_security_group.database_security_group_us_east_1.id}"
    function = "${aws_security_group.status_security_group_us_east_1.id}"
    assert ingress == [(database, function, 5432, 5432)]
    variables = stack.resource("aws_lambda_function")["environment"]["variables"]
    assert variables == {
        "DATABASE_HOST": "${aws_rds_cluster.database_us_east_1.endpoint}",
        "DATABASE_PORT": "5432",
        "DATABASE_USER": "platform_status",
        "LOG_LEVEL": "INFO",
    }
    documents = json.dumps([block.config for block in stack.find("data.aws_iam_policy_document")])
    assert ":dbuser:${aws_rds_cluster.database_us_east_1.cluster_resource_id}/platform_status" in documents, (
        "the function may log in as its own user only"
    )


@pytest.mark.parametrize("environment", list(Environment))
def test_the_url_takes_signed_requests_only(platforms: dict[str, SynthesizedStack], environment: Environment) -> None:
    url = platforms[environment].resource("aws_lambda_function_url")
    assert url["authorization_type"] == "AWS_IAM"
    assert "cors" not in url
