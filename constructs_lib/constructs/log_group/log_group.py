"""LogGroup: an encrypted CloudWatch log group with a retention period."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.regions import is_token

RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retention periods that CloudWatch Logs supports.

See https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html.
"""


class LogGroup(HardenedConstruct):
    """A CloudWatch log group with a retention period, encrypted with a customer managed key.

    Args:
        scope: The construct that writes the logs, or the stack.
        id_: The construct's id.
        region: The region.
        key: The key that encrypts log events, with a replica in the region. Its policy allows CloudWatch Logs to use
            it for log groups whose names contain the project and the environment, and for this one.
        name: The log group's name, for services that require a certain one; made from the project, the environment,
            the construct's path and the region by default.
        retention_days: Days until log events expire; the environment's minimum by default. One of the periods that
            CloudWatch Logs supports: 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653.

    Attributes:
        resource: The `aws_cloudwatch_log_group`.

    Raises:
        ConfigurationError: CloudWatch Logs does not support the retention period, it is below the environment's
            minimum, or the key has no replica in the region.

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
            f"must be one of {', '.join(map(str, RETENTION_DAYS))}",
        ):
            self._problems.check(
                days >= floor,
                "retention_days",
                days,
                f"must be at least {floor} in {region.environment.value}",
            )
        self._problems.raise_if_any()
        self._log_group_name = name or self._name("log-group")
        key.allow_logs(self, self._log_group_name)
        self.resource = self._create(
            aws.cloudwatch_log_group.CloudwatchLogGroup,
            "Resource",
            name=self._log_group_name,
            retention_in_days=days,
            kms_key_id=key.arn_for(self),
        )

    @cached_property
    def name(self) -> str:
        """The log group's name."""
        return self.resource.name if is_token(self._log_group_name) else self._log_group_name

    @cached_property
    def arn(self) -> str:
        """The log group's ARN."""
        return self.resource.arn
