"""Ticketing: a DynamoDB global table in two regions, each with a cache and two functions behind a REST API.

An event is sold in the region that its item names, so that two regions cannot sell the same ticket; every region tells
how many are left. The functions reach DynamoDB through the network's gateway, the cache, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from constructs_lib import (
    AddressPlan,
    AlarmTopic,
    ElastiCacheUser,
    GlobalTable,
    HardenedStack,
    LambdaLayer,
    MultiRegionKey,
    PaymentLambda,
    RedisCache,
    RegionalMap,
    RegionalVpc,
    RestApi,
)
from stacks.api_web_acl import api_web_acl
from stacks.handler_alarms import CACHE_AWAY, FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import Construct, Environment, Region
    from constructs_lib.foundation.backend import Backend

V = TypeVar("V")

REGIONS: Final = ("us-west-2", "eu-north-1")
"""Append to it: nothing that exists moves. No other stack sets API Gateway's role for logs in these."""

CODE: Final = Path(__file__).parent.parent / "lambda_src"

TIERS: Final = ("private", "database")
"""Without a public one there is no way to the internet."""

USER: Final = "tickets"
"""Who logs in to the cache; may use the functions' keys and no others."""

WRITES: Final = ("dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
WRITTEN: Final = ("EVENT#*", "PURCHASE#*", "SALE#*")
"""In one statement: a transaction may be authorized with the keys of all its items."""

PURCHASE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["event_id", "quantity"],
    "additionalProperties": False,
    "properties": {
        "event_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 10},
    },
}
"""What API Gateway lets through to the purchase."""


class TicketingStack(HardenedStack):
    """The ticketing system of one environment."""

    def __init__(
        self, scope: Construct, id_: str, *, environment: Environment | str, backend: Backend | None = None
    ) -> None:
        super().__init__(scope, id_, environment=environment, owner="ticketing-team", backend=backend)
        plan = AddressPlan("10.64.0.0/12", REGIONS)
        home, *others = (self.region(name) for name in REGIONS)
        self.key = MultiRegionKey(self, "key", region=home, replicas=others, description="Encrypts ticketing data")
        self.topics = self._each(lambda name, region: AlarmTopic(self, f"alarms-{name}", region=region, key=self.key))
        self.table = GlobalTable(
            self,
            "inventory",
            region=home,
            replicas=others,
            key=self.key,
            partition_key="pk",
            ttl_attribute="expires_at",
            alarm_topics={name: [topic.arn] for name, topic in self.topics.items()},
        )
        self.vpcs = self._each(
            lambda name, region: RegionalVpc(
                self, f"vpc-{name}", region=region, cidr=plan.cidr(name), key=self.key, tiers=TIERS
            )
        )
        self.caches = self._each(self._cache)
        self.layers = self._each(
            lambda name, region: LambdaLayer(self, f"shared-{name}", region=region, source=CODE / "tickets_layer")
        )
        self.purchases = self._each(lambda name, region: self._function("purchase", name, region, 100))
        self.lookups = self._each(lambda name, region: self._function("inventory", name, region, 200))
        for name in self.regions:
            self.table.grant_write(self.purchases[name], actions=WRITES, leading_keys=WRITTEN)
            self.table.grant_read(self.lookups[name], actions=["dynamodb:GetItem"], leading_keys=["EVENT#*"])
        self.apis = self._each(self._api)

    def _each(self, make: Callable[[str, Region], V]) -> RegionalMap[V]:
        return RegionalMap(self, {name: make(name, region) for name, region in self.regions.items()})

    def _cache(self, name: str, region: Region) -> RedisCache:
        return RedisCache(
            self,
            f"cache-{name}",
            region=region,
            vpc=self.vpcs[name],
            key=self.key,
            users={USER: ElastiCacheUser(keys=("tickets:*",))},
            alarm_topics=[self.topics[name].arn],
        )

    def _function(self, task: str, name: str, region: Region, concurrency: int) -> PaymentLambda:
        cache = self.caches[name]
        function = PaymentLambda(
            self,
            f"{task}-fn-{name}",
            region=region,
            source=CODE / f"ticket_{task}",
            handler="handler.handler",
            key=self.key,
            vpc=self.vpcs[name],
            timeout=29,
            synchronous=True,
            reserved_concurrency=concurrency,
            environment={
                "TABLE_NAME": self.table.name,
                "CACHE_ENDPOINT": f"{cache.endpoint}:{cache.port}",
                "CACHE_TLS": "true",
                "CACHE_USER": cache.user_name(USER),
            },
            layers=[self.layers[name]],
            alarm_topics=[self.topics[name].arn],
        )
        function.security_group.allow_to_gateway("dynamodb")
        cache.allow_from(function)
        cache.grant_connect(function, USER)
        function.add_alarm("faults", FAULTS)
        function.add_alarm("cache-away", CACHE_AWAY)
        return function

    def _api(self, name: str, region: Region) -> RestApi:
        topic = self.topics[name]
        web_acl = api_web_acl(self, region=region, key=self.key, topic=topic)
        api = RestApi(self, f"api-{name}", region=region, key=self.key, web_acl=web_acl, alarm_topics=[topic.arn])
        api.add_method(
            "POST",
            "/purchases",
            self.purchases[name],
            request_schema=PURCHASE,
            required_parameters=["header.Idempotency-Key"],
        )
        api.add_method("GET", "/events/{event_id}/tickets", self.lookups[name])
        return api
