"""Platform: a VPC, a Lambda function with a function URL and an Aurora cluster; the same code for each environment.

What differs between the environments is in `PROFILES`: NAT gateways, instances and their class, backups, protections,
alarms. Nothing here asks which environment it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib import (
    AddressPlan,
    AlarmTopic,
    AuroraProvisioned,
    FunctionUrl,
    HardenedStack,
    MultiRegionKey,
    PaymentLambda,
    RegionalVpc,
)
from stacks.handler_alarms import FAULTS

if TYPE_CHECKING:
    from constructs_lib import Construct, Environment
    from constructs_lib.foundation.backend import Backend

REGION: Final = "us-east-1"

SOURCE: Final = Path(__file__).parent.parent / "lambda_src" / "platform_status"

DATABASE_USER: Final = "platform_status"
"""Created in the database by its owner; logs in with an IAM token, so that no password exists for it."""


class PlatformStack(HardenedStack):
    """The platform of one environment."""

    def __init__(
        self, scope: Construct, id_: str, *, environment: Environment | str, backend: Backend | None = None
    ) -> None:
        super().__init__(scope, id_, environment=environment, owner="platform-team", backend=backend)
        region = self.region(REGION)
        plan = AddressPlan("10.32.0.0/12", [REGION])

        self.key = MultiRegionKey(self, "key", region=region, description="Encrypts platform data")
        self.topic = AlarmTopic(self, "alarms", region=region, key=self.key)
        self.vpc = RegionalVpc(
            self, "vpc", region=region, cidr=plan.cidr(REGION), key=self.key, alarm_topics=[self.topic.arn]
        )
        self.database = AuroraProvisioned(
            self,
            "database",
            region=region,
            vpc=self.vpc,
            key=self.key,
            alarm_topics=[self.topic.arn],
            event_topic=self.topic,
        )
        self.status = PaymentLambda(
            self,
            "status",
            region=region,
            source=SOURCE,
            handler="handler.handler",
            key=self.key,
            vpc=self.vpc,
            reserved_concurrency=10,
            environment={
                "DATABASE_HOST": self.database.endpoint,
                "DATABASE_PORT": str(self.database.port),
                "DATABASE_USER": DATABASE_USER,
            },
            function_url=FunctionUrl(),
            alarm_topics=[self.topic.arn],
        )
        self.status.add_alarm("faults", FAULTS)
        self.database.allow_from(self.status)
        self.database.grant_connect(self.status, DATABASE_USER)
