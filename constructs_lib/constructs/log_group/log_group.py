"""LogGroup: a CloudWatch log group that is encrypted with the caller's key and keeps events for a set time."""

from __future__ import annotations

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs accepts, in days."""


class LogGroup(HardenedConstruct):
    """A log group encrypted with a customer key.

    Args:
        scope: The construct that writes to it.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts it; the construct lets CloudWatch Logs use it for this group and no other.
        name: The log group's name; by default made from the construct path.
        retention_days: Days that events are kept, one of `RETENTION_DAYS`; by default from the environment. At least
            the environment's value.

    Raises:
        ConfigurationError: A retention that CloudWatch Logs does not know, or one below the environment's.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        name: str | None = None,
        retention_days: int | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        floor = region.profile.log_retention_days
        days = floor if retention_days is None else retention_days
        if self._problems.check(
            days in RETENTION_DAYS,
            "retention_days",
            days,
            f"CloudWatch Logs allows {', '.join(map(str, RETENTION_DAYS))}",
        ):
            self._problems.check(
                days >= floor,
                "retention_days",
                days,
                f"must be at least {floor} in {region.environment.value}",
            )
        self._problems.raise_if_any()
        self.name = name or self._name("log-group")
        key.allow_logs(self, self.name)
        self.resource = self._create(
            aws.cloudwatch_log_group.CloudwatchLogGroup,
            "Resource",
            name=self.name,
            retention_in_days=days,
            kms_key_id=key.arn_for(self),
        )
        self.arn = self._ref(self.resource, "arn")
