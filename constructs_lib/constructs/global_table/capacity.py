"""On-demand capacity with a maximum throughput, and provisioned capacity with auto scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

MAX_UNITS: Final = 40_000
"""The default quota of one table."""
MIN_TARGET: Final = 20
MAX_TARGET: Final = 90
_SERVICE: Final = "dynamodb"
_KINDS: Final = ("read", "write")


@dataclass(frozen=True)
class Provisioned:
    """Provisioned capacity with auto scaling, instead of on-demand capacity.

    Attributes:
        read_maximum: The maximum of read capacity units, up to 40,000.
        write_maximum: The maximum of write capacity units, up to 40,000.
        read_minimum: The minimum of read capacity units, at least 1.
        write_minimum: The minimum of write capacity units, at least 1.
        target_percent: The target utilization in percent, 20 to 90.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html.
    """

    read_maximum: int
    write_maximum: int
    read_minimum: int = 5
    write_minimum: int = 5
    target_percent: int = 70


def check_provisioned(problems: Problems, provisioned: Provisioned, *, indexed: bool) -> None:
    """Report values that DynamoDB refuses.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/AutoScaling.html.
    """
    if not isinstance(provisioned, Provisioned):
        problems.add("provisioned", provisioned, "must be Provisioned(read_maximum, write_maximum)")
        return
    for kind in _KINDS:
        low, high = getattr(provisioned, f"{kind}_minimum"), getattr(provisioned, f"{kind}_maximum")
        if problems.check(
            type(low) is int and low >= 1, f"provisioned.{kind}_minimum", low, "must be a whole number of at least 1"
        ):
            problems.check(
                type(high) is int and low <= high <= MAX_UNITS,
                f"provisioned.{kind}_maximum",
                high,
                f"must be a whole number from {kind}_minimum={low} to {MAX_UNITS}",
            )
    problems.check_whole("provisioned.target_percent", provisioned.target_percent, MIN_TARGET, MAX_TARGET)
    problems.check(
        not indexed,
        "provisioned",
        provisioned,
        "cannot be combined with global_indexes: Terraform cannot ignore changes of their capacity without ignoring "
        "all changes of the indexes; use on-demand capacity",
    )


def check_maximum(problems: Problems, argument: str, units: object) -> None:
    """Report an invalid maximum throughput."""
    problems.check(
        type(units) is int and 1 <= units <= MAX_UNITS,
        argument,
        units,
        f"must be a whole number from 1 to {MAX_UNITS} request units a second",
    )


def billing(provisioned: Provisioned | None, reads: int, writes: int) -> dict[str, Any]:
    """Return the billing mode and the capacity or, on demand, the maximum throughput."""
    if provisioned:
        return {
            "billing_mode": "PROVISIONED",
            "read_capacity": provisioned.read_minimum,
            "write_capacity": provisioned.write_minimum,
        }
    throughput = aws.dynamodb_table.DynamodbTableOnDemandThroughput(
        max_read_request_units=reads, max_write_request_units=writes
    )
    return {"billing_mode": "PAY_PER_REQUEST", "on_demand_throughput": throughput}


class ScaledCapacity(HardenedConstruct):
    """The scalable targets and the policies of a table's reads and writes.

    DynamoDB takes over the settings for replicas, and makes none of a table whose writes do not scale.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html.
    """

    def __init__(
        self, scope: HardenedConstruct, id_: str, *, region: Region, table: str, provisioned: Provisioned
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.policies: list[core.TerraformResource] = [
            self._scale(
                kind,
                table,
                getattr(provisioned, f"{kind}_minimum"),
                getattr(provisioned, f"{kind}_maximum"),
                provisioned.target_percent,
            )
            for kind in _KINDS
        ]

    def _scale(self, kind: str, table: str, low: int, high: int, target: int) -> core.TerraformResource:
        common: dict[str, Any] = {
            "service_namespace": _SERVICE,
            "scalable_dimension": f"dynamodb:table:{kind.title()}CapacityUnits",
        }
        scalable = self._create(
            aws.appautoscaling_target.AppautoscalingTarget,
            f"{kind}-target",
            resource_id=f"table/{table}",
            min_capacity=low,
            max_capacity=high,
            **common,
        )
        policies = aws.appautoscaling_policy
        return self._create(
            policies.AppautoscalingPolicy,
            f"{kind}-policy",
            name=self._name("scaling-policy", kind),
            policy_type="TargetTrackingScaling",
            resource_id=self._ref(scalable, "resource_id"),
            target_tracking_scaling_policy_configuration=policies.AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
                predefined_metric_specification=policies.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecification(
                    predefined_metric_type=f"DynamoDB{kind.title()}CapacityUtilization"
                ),
                target_value=target,
            ),
            **common,
        )
