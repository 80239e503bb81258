"""Aurora Auto Scaling of readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems

MAX_READERS: Final = 15
MIN_CPU: Final = 10
MAX_CPU: Final = 90
_DIMENSION: Final = "rds:cluster:ReadReplicaCount"
_SERVICE: Final = "rds"


@dataclass(frozen=True)
class ReaderScaling:
    """Target tracking of the readers' average CPU utilization: Aurora adds readers, and removes those that it added.

    Attributes:
        maximum: The maximum number of readers, those of `instances` included, up to 15.
        minimum: The minimum number of readers, those of `instances` included.
        cpu_percent: The target CPU utilization in percent, 10 to 90.
        cooldown: The cooldown period in seconds, 60 to 3,600.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Integrating.AutoScaling.html.
    """

    maximum: int
    minimum: int = 1
    cpu_percent: int = 60
    cooldown: int = 300


def check_scaling(problems: Problems, scaling: ReaderScaling, readers: int) -> None:
    """Report values that Aurora refuses.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Integrating.AutoScaling.html.
    """
    problems.check(
        readers >= 1,
        "reader_scaling",
        scaling,
        "requires at least one reader in instances",
    )
    for argument, value, low, high in (
        ("minimum", scaling.minimum, 1, MAX_READERS),
        ("maximum", scaling.maximum, 1, MAX_READERS),
        ("cpu_percent", scaling.cpu_percent, MIN_CPU, MAX_CPU),
        ("cooldown", scaling.cooldown, 60, 3600),
    ):
        problems.check_whole(f"reader_scaling.{argument}", value, low, high)
    least = max(scaling.minimum, readers) if type(scaling.minimum) is int else readers
    problems.check(
        type(scaling.maximum) is not int or scaling.maximum > least,
        "reader_scaling.maximum",
        scaling.maximum,
        f"must be more than {least}, the number of existing readers",
    )


class ScaledReaders(HardenedConstruct):
    """The scalable target and the scaling policy of a cluster's readers."""

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        cluster: str,
        scaling: ReaderScaling,
        depends_on: list[core.TerraformResource],
    ) -> None:
        super().__init__(scope, id_, region=region)
        policies = aws.appautoscaling_policy
        self.resource = self._create(
            aws.appautoscaling_target.AppautoscalingTarget,
            "Resource",
            service_namespace=_SERVICE,
            scalable_dimension=_DIMENSION,
            resource_id=f"cluster:{cluster}",
            min_capacity=scaling.minimum,
            max_capacity=scaling.maximum,
            depends_on=depends_on,
        )
        self._create(
            policies.AppautoscalingPolicy,
            "policy",
            name=self._name("scaling-policy"),
            policy_type="TargetTrackingScaling",
            service_namespace=_SERVICE,
            scalable_dimension=_DIMENSION,
            resource_id=self._ref(self.resource, "resource_id"),
            target_tracking_scaling_policy_configuration=policies.AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration(
                predefined_metric_specification=policies.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecification(
                    predefined_metric_type="RDSReaderAverageCPUUtilization"
                ),
                target_value=scaling.cpu_percent,
                scale_in_cooldown=scaling.cooldown,
                scale_out_cooldown=scaling.cooldown,
            ),
        )
