"""Events: a REST API with a Lambda authorizer, an event bus, two queues and a table, without lost or duplicate events.

A caller's request goes through `auth-fn` to `ingest-fn`, which puts its events on the bus. A rule of the bus sends
them to the queue of `process-fn`, which hands them on to the queue of `store-fn`, which stores each event once. The
second queue holds what the table does not take for a while. What cannot be processed ends in a dead-letter queue.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from constructs_lib import (
    AlarmTopic,
    Environment,
    EventBus,
    GlobalTable,
    HardenedStack,
    LambdaAuthorizer,
    LambdaLayer,
    MultiRegionKey,
    PaymentLambda,
    Queue,
    RestApi,
    RuleOverride,
    SecretParameter,
    WebAcl,
)
from stacks.handler_alarms import FAULTS

if TYPE_CHECKING:
    from constructs_lib import Construct
    from constructs_lib.foundation.backend import Backend

REGION: Final = "eu-central-1"
"""One in which no other API of the account has set the role that API Gateway logs with: it is one for all of them."""

SOURCE: Final = "events.ingest"
"""What the events on the bus come from; only `ingest-fn` may put such ones there."""

_EVENT: Final = {"id": "order-4711", "type": "order.created", "occurred_at": "2026-11-22T09:30:00.000Z", "data": {}}
_METADATA: Final = {"correlation_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "received_at": "2026-11-22T09:30:01.000Z"}
SAMPLE: Final = {
    "source": SOURCE,
    "detail-type": "order.created",
    "detail": {"event": _EVENT, "metadata": _METADATA},
}
"""An event as `ingest-fn` puts it on the bus."""

RATE_WINDOW: Final = 300
"""Seconds in which the web ACL counts the requests of an address."""

CODE: Final = Path(__file__).parent.parent / "lambda_src"


class Load(NamedTuple):
    """The load of an environment: requests per second, burst, and the reserved concurrency of each function."""

    rate: int
    burst: int
    auth: int
    ingest: int
    process: int
    store: int


LOADS: Final = {
    Environment.DEV: Load(rate=50, burst=25, auth=10, ingest=10, process=5, store=2),
    Environment.STAGING: Load(rate=100, burst=50, auth=20, ingest=20, process=10, store=2),
    Environment.PROD: Load(rate=10_000, burst=5_000, auth=100, ingest=400, process=50, store=10),
}
"""Reserved concurrency comes out of the account's 1,000, of which 100 stay unreserved.

- `auth` runs for each request, for about 5 ms: 10,000 requests a second need 50.
- `store` writes up to 200 events a second in each execution, with 2 write units for most: more executions than the
  table's maximum of write units carries would only be throttled. 2 is the minimum of a mapping.
"""

MAX_RECEIVES: Final = 50
"""With the backoff of `events_shared.batch`, a valid message is retried for at least 5 hours, and up to 12."""


class EventsStack(HardenedStack):
    """The event pipeline of one environment.

    Args:
        scope: The app.
        id_: The stack's id.
        environment: Where it is deployed.
        web_acl: True for a web ACL in dev and staging too, as in prod.
        alarms: True for alarms in dev and staging too, as in prod.
        backend: Where the state is.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment | str,
        web_acl: bool | None = None,
        alarms: bool | None = None,
        backend: Backend | None = None,
    ) -> None:
        super().__init__(scope, id_, environment=environment, owner="events-team", backend=backend)
        self.with_web_acl, self.with_alarms = web_acl, alarms
        self.load = LOADS[self.environment]
        self.home = self.region(REGION)
        self.key = MultiRegionKey(self, "key", region=self.home, description="Encrypts events data")
        self.topic = AlarmTopic(self, "alarms", region=self.home, key=self.key)
        self.layer = LambdaLayer(self, "shared", region=self.home, source=CODE / "events_layer")
        self.token = SecretParameter(self, "token", region=self.home, key=self.key)
        self.bus = EventBus(self, "bus", region=self.home, key=self.key, alarms=alarms, alarm_topics=[self.topic.arn])
        self.incoming = self._queue("incoming")
        self.processed = self._queue("processed")
        self.table = GlobalTable(
            self,
            "records",
            region=self.home,
            key=self.key,
            partition_key="pk",
            ttl_attribute="expires_at",
            alarms=alarms,
            alarm_topics=[self.topic.arn],
        )
        self.auth = self._function("auth", self.load.auth, {"TOKEN_PARAMETER": self.token.name}, synchronous=True)
        self.ingest = self._function(
            "ingest", self.load.ingest, {"EVENT_BUS": self.bus.name, "SOURCE": SOURCE}, synchronous=True
        )
        queues = {"SOURCE_QUEUE": self.incoming.url, "STORE_QUEUE": self.processed.url}
        self.process = self._function("process", self.load.process, queues)
        table = {"SOURCE_QUEUE": self.processed.url, "TABLE_NAME": self.table.name, "TTL_DAYS": "90"}
        self.store = self._function("store", self.load.store, table)
        self._connect()
        self.api = self._api()

    def _queue(self, id_: str) -> Queue:
        return Queue(
            self,
            id_,
            region=self.home,
            key=self.key,
            max_receive_count=MAX_RECEIVES,
            alarms=self.with_alarms,
            alarm_topics=[self.topic.arn],
        )

    def _function(
        self, name: str, concurrency: int, environment: dict[str, str], *, synchronous: bool = False
    ) -> PaymentLambda:
        function = PaymentLambda(
            self,
            f"{name}-fn",
            region=self.home,
            source=CODE / f"{name}_fn",
            handler="handler.handler",
            key=self.key,
            # An API waits 29 seconds.
            timeout=29 if synchronous else 30,
            synchronous=synchronous,
            reserved_concurrency=concurrency,
            environment=environment,
            layers=[self.layer],
            alarms=self.with_alarms,
            alarm_topics=[self.topic.arn],
        )
        function.add_alarm("faults", FAULTS)
        return function

    def _connect(self) -> None:
        self.token.grant_read(self.auth)
        self.bus.grant_put(self.ingest, sources=[SOURCE])
        self.bus.add_rule(
            "ingested",
            pattern={"source": [SOURCE]},
            samples=[SAMPLE],
            rejects=[{**SAMPLE, "source": "events.elsewhere"}],
            targets=[self.incoming],
        )
        self.process.add_queue(self.incoming, maximum_concurrency=self.load.process)
        self.processed.grant_send(self.process)
        self.store.add_queue(self.processed, maximum_concurrency=self.load.store)
        self.table.grant_write(self.store, actions=["dynamodb:PutItem"])

    def _web_acl(self) -> WebAcl | bool | None:
        """Return a web ACL that lets through what `ingest-fn` accepts: bodies of one MiB, and the API's whole rate."""
        if not (self.home.profile.web_acl if self.with_web_acl is None else self.with_web_acl):
            return self.with_web_acl
        return WebAcl(
            self,
            "api-web-acl",
            region=self.home,
            key=self.key,
            # All requests may come from one address, such as that of a partner's NAT gateway.
            rate_limit=self.load.rate * RATE_WINDOW,
            rate_window_seconds=RATE_WINDOW,
            overrides=[
                RuleOverride(
                    "A request may have 100 events in up to one MiB; the rule blocks bodies over 8 KB",
                    group="AWSManagedRulesCommonRuleSet",
                    rule="SizeRestrictions_BODY",
                )
            ],
            # The most that API Gateway passes to AWS WAF.
            body_inspection_kb=64,
            alarms=self.with_alarms,
            alarm_topics=[self.topic.arn],
        )

    def _api(self) -> RestApi:
        api = RestApi(
            self,
            "api",
            region=self.home,
            key=self.key,
            web_acl=self._web_acl(),
            rate_limit=self.load.rate,
            burst_limit=self.load.burst,
            alarms=self.with_alarms,
            alarm_topics=[self.topic.arn],
            authorizer=LambdaAuthorizer(
                self.auth,
                result_ttl_seconds=0,  # the function has the only cache: a revoked token ends within a minute
                token_pattern="^[Bb]earer +[!-~]{1,512}$",  # noqa: S106  the form of one
            ),
        )
        api.add_method("POST", "/events", self.ingest)
        return api
