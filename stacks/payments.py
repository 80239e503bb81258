"""Payments: a Lambda function behind a REST API in each of three regions, with peered VPCs.

This is the file to copy. Everything that a region needs is made in `_region`; what spans regions is made around it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from constructs_lib import (
    AddressPlan,
    AlarmTopic,
    HardenedStack,
    MultiRegionKey,
    PaymentLambda,
    PeeredMesh,
    RegionalMap,
    RegionalVpc,
    RestApi,
)
from stacks.api_web_acl import api_web_acl
from stacks.handler_alarms import FAULTS

if TYPE_CHECKING:
    from constructs_lib import Construct, Environment
    from constructs_lib.foundation.backend import Backend

REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-1")
"""Append to it: the address plan gives a new region the next free range and moves nothing."""

SOURCE: Final = Path(__file__).parent.parent / "lambda_src" / "payment_validator"

PAYMENT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["amount", "currency", "card_number"],
    "additionalProperties": False,
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "card_number": {"type": "string", "minLength": 12, "maxLength": 37},
        "idempotency_key": {"type": "string", "minLength": 16, "maxLength": 64},
    },
}
"""What API Gateway lets through to the validator."""


class PaymentsStack(HardenedStack):
    """The payments system of one environment."""

    def __init__(
        self, scope: Construct, id_: str, *, environment: Environment | str, backend: Backend | None = None
    ) -> None:
        super().__init__(scope, id_, environment=environment, owner="payments-team", backend=backend)
        plan = AddressPlan("10.0.0.0/12", REGIONS)
        primary, *others = (self.region(name) for name in REGIONS)

        key = MultiRegionKey(self, "key", region=primary, replicas=others, description="Encrypts payments data")
        self.vpcs = RegionalMap(
            self,
            {
                # The validator calls nothing outside of the VPC; NAT gateways would be most of the stack's fixed cost.
                name: RegionalVpc(self, f"vpc-{name}", region=region, cidr=plan.cidr(name), key=key, nat="none")
                for name, region in self.regions.items()
            },
        )
        self.topics = RegionalMap(
            self,
            {name: AlarmTopic(self, f"alarms-{name}", region=region, key=key) for name, region in self.regions.items()},
        )
        self.mesh = PeeredMesh(self, "mesh", vpcs=self.vpcs)
        self.validators = RegionalMap(self, {name: self._validator(name, key) for name in self.regions})
        self.apis = RegionalMap(self, {name: self._api(name, key) for name in self.regions})

    def _validator(self, name: str, key: MultiRegionKey) -> PaymentLambda:
        validator = PaymentLambda(
            self,
            f"validator-{name}",
            region=self.regions[name],
            source=SOURCE,
            handler="handler.handler",
            key=key,
            vpc=self.vpcs[name],
            timeout=29,
            synchronous=True,
            reserved_concurrency=100,
            alarm_topics=[self.topics[name].arn],
        )
        validator.add_alarm("faults", FAULTS)
        return validator

    def _api(self, name: str, key: MultiRegionKey) -> RestApi:
        region, topic = self.regions[name], self.topics[name]
        web_acl = api_web_acl(self, region=region, key=key, topic=topic)
        api = RestApi(self, f"api-{name}", region=region, key=key, web_acl=web_acl, alarm_topics=[topic.arn])
        api.add_method(
            "POST",
            "/payments/validate",
            self.validators[name],
            request_schema=PAYMENT,
        )
        return api
