"""The stack of the orders service: a queue of orders, and the function that processes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from constructs_lib import AlarmTopic, HardenedStack, MultiRegionKey, PaymentLambda, Queue

if TYPE_CHECKING:
    from constructs_lib import Construct, Environment, LocalBackend, PartialS3Backend, S3Backend

REGION = "eu-west-1"
FUNCTIONS = Path(__file__).parent.parent / "functions"


class OrdersStack(HardenedStack):
    """A queue of orders and the function that processes them.

    What differs between dev, staging and prod, such as alarms and log retention, comes from the environment.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment | str,
        backend: LocalBackend | S3Backend | PartialS3Backend | None = None,
    ) -> None:
        super().__init__(scope, id_, environment=environment, owner="team-orders", backend=backend)
        region = self.region(REGION)
        self.key = MultiRegionKey(self, "key", region=region, description="Encrypts orders")
        self.alarms = AlarmTopic(self, "alarms", region=region, key=self.key)
        self.incoming = Queue(self, "incoming", region=region, key=self.key, alarm_topics=[self.alarms.arn])
        self.process = PaymentLambda(
            self,
            "process",
            region=region,
            source=FUNCTIONS / "process_order",
            handler="handler.handler",
            key=self.key,
            reserved_concurrency=10,
            alarm_topics=[self.alarms.arn],
        )
        self.process.add_queue(self.incoming)
