"""Trading: in two regions, web servers behind a load balancer, an Aurora cluster and a bucket for logs.

All regions are in one stack and one plan. What a region needs is made in the methods with one region's name; what they
have in common, the key and the address plan, is made around them. Every name begins with the system and ends with the
region: `trading-prod-web-balancer-eu-west-1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib import (
    AddressPlan,
    AlarmTopic,
    AliasRecords,
    AuroraProvisioned,
    Certificate,
    HardenedStack,
    MultiRegionKey,
    RegionalBucket,
    RegionalMap,
    RegionalVpc,
    SimpleScaling,
    WebTier,
)
from constructs_lib.foundation.errors import ConfigurationError
from stacks.balancer_log import BalancerLog
from stacks.certificates import accounts_of, in_own_account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs_lib import Construct, Environment, HostedZone
    from constructs_lib.foundation.backend import Backend

REGIONS: Final = ("us-east-1", "eu-west-1")
"""Append to it, or give `regions`: a new region takes the next free range and moves nothing."""

DATABASE_USER: Final = "trading_app"
"""Created in the database by its owner; logs in with an IAM token, so that no password exists for it."""


class TradingStack(HardenedStack):
    """The trading system of one environment.

    Args:
        scope: The app.
        id_: The stack's id.
        environment: Where it is deployed.
        certificates: ARNs of issued certificates by region, one for each; without them plain HTTP, in dev only. A load
            balancer accepts certificates of its account only, so the stack can be deployed to that account only.
        zone: In place of certificates, a hosted zone of the account: each region gets a certificate, waited for until
            it has been issued, and the name `<region>.<environment>.<zone>`.
        regions: Where it is; the first has the key that the others' keys are replicas of.
        web_acl: True for web ACLs in dev and staging too, as in prod.
        alarms: True for alarms in dev and staging too, as in prod.
        backend: Where the state is.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment | str,
        certificates: Mapping[str, str] | None = None,
        zone: HostedZone | None = None,
        regions: Sequence[str] = REGIONS,
        web_acl: bool | None = None,
        alarms: bool | None = None,
        backend: Backend | None = None,
    ) -> None:
        if zone and certificates:
            raise ConfigurationError(id_, f"zone={zone!r}: cannot be combined with certificates; give one of them")
        super().__init__(
            scope,
            id_,
            environment=environment,
            owner="trading-team",
            backend=backend,
            allowed_account_ids=accounts_of(id_, certificates or {}),
        )
        self.with_web_acl, self.with_alarms = web_acl, alarms
        plan = AddressPlan("10.48.0.0/12", regions)
        primary, *others = (self.region(name) for name in regions)
        given = {name: self._certificate(name, zone) for name in regions} if zone else certificates
        self.certificates = RegionalMap(self, given or dict.fromkeys(regions), name="certificates")
        self.key = MultiRegionKey(self, "key", region=primary, replicas=others, description="Encrypts trading data")
        self.topics = {
            name: AlarmTopic(self, f"alarms-{name}", region=self.regions[name], key=self.key) for name in regions
        }
        self.vpcs = {
            name: RegionalVpc(
                self,
                f"vpc-{name}",
                region=self.regions[name],
                cidr=plan.cidr(name),
                key=self.key,
                alarm_topics=[self.topics[name].arn],
            )
            for name in regions
        }
        self.buckets = {
            name: RegionalBucket(self, f"logs-{name}", region=self.regions[name], log_delivery=True, expire_days=400)
            for name in regions
        }
        self.databases = {name: self._database(name) for name in regions}
        self.tiers = {name: self._tier(name) for name in regions}
        self.balancer_logs = {
            name: BalancerLog(
                self, f"balancer-log-{name}", region=self.regions[name], tier=self.tiers[name], key=self.key
            )
            for name in regions
        }
        if zone:
            for name in regions:
                self._lead(name, zone)
        self._group_outputs()

    def _domain(self, name: str, zone: HostedZone) -> str:
        return f"{name}.{self.environment}.{zone.name}"

    def _certificate(self, name: str, zone: HostedZone) -> Certificate:
        region, domain = self.regions[name], self._domain(name, zone)
        return Certificate(self, f"certificate-{name}", region=region, domain=domain, zone=zone)

    def _lead(self, name: str, zone: HostedZone) -> None:
        """Lead the region's own name to its load balancer."""
        AliasRecords(
            self,
            f"records-{name}",
            region=self.regions[name],
            zone=zone,
            domain=self._domain(name, zone),
            target=self.tiers[name].dns_name,
            target_zone=self.tiers[name].zone_id,
            evaluate_health=True,
        )

    def _database(self, name: str) -> AuroraProvisioned:
        return AuroraProvisioned(
            self,
            f"database-{name}",
            region=self.regions[name],
            vpc=self.vpcs[name],
            key=self.key,
            alarms=self.with_alarms,
            alarm_topics=[self.topics[name].arn],
            event_topic=self.topics[name],
        )

    def _tier(self, name: str) -> WebTier:
        database = self.databases[name]
        tier = WebTier(
            self,
            f"web-{name}",
            region=self.regions[name],
            vpc=self.vpcs[name],
            key=self.key,
            logs=self.buckets[name],
            certificate=in_own_account(self.regions[name], self.certificates[name]),
            settings={
                "DATABASE_HOST": database.endpoint,
                "DATABASE_PORT": str(database.port),
                "DATABASE_USER": DATABASE_USER,
            },
            # Two alarms and a cooldown, as the operators know them; target tracking is the default.
            scaling=SimpleScaling(high=70, low=30),
            web_acl=self.with_web_acl,
            alarms=self.with_alarms,
            alarm_topics=[self.topics[name].arn],
        )
        database.allow_from(tier)
        database.grant_connect(tier, DATABASE_USER)
        return tier

    def _group_outputs(self) -> None:
        """Export what belongs together in one value each, by region; `deployment_summary` has everything."""
        groups: dict[str, dict[str, object]] = {
            "networks": {name: {"id": vpc.id, "cidr": vpc.cidr} for name, vpc in self.vpcs.items()},
            "load_balancers": {
                name: {"dns_name": tier.dns_name, "zone_id": tier.zone_id, "https": bool(self.certificates[name])}
                for name, tier in self.tiers.items()
            },
            "databases": {
                name: {"endpoint": one.endpoint, "reader_endpoint": one.reader_endpoint, "port": one.port}
                for name, one in self.databases.items()
            },
            "storage": {name: {"bucket": bucket.id} for name, bucket in self.buckets.items()},
            "monitoring": {
                name: {
                    "alarm_topic": self.topics[name].arn,
                    "application_log_group": self.tiers[name].log_group.name,
                    "balancer_log_group": log.name,
                }
                for name, log in self.balancer_logs.items()
            },
        }
        for name, group in groups.items():
            self.output(name, group, f"{name.replace('_', ' ').capitalize()} by region")
