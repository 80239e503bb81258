"""GlobalTable: a DynamoDB table with replicas in further regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from constructs_lib._engine import aws, core
from constructs_lib.constructs.global_table import access
from constructs_lib.constructs.global_table.alarms import add_alarms
from constructs_lib.constructs.global_table.arguments import (
    REPLICATED,
    StreamView,
    TableClass,
    check_choices,
    check_places,
    topics_by_region,
)
from constructs_lib.constructs.global_table.capacity import (
    Provisioned,
    ScaledCapacity,
    billing,
    check_maximum,
    check_provisioned,
)
from constructs_lib.constructs.global_table.consistency import (
    STRONG_PROVIDER,
    Consistency,
    StrongReplica,
    check_consistency,
    make_strong,
)
from constructs_lib.constructs.global_table.indexes import AttributeType, GlobalIndex, LocalIndex, read_keys
from constructs_lib.constructs.global_table.replica import TableReplica
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.shared.databases import NoDeletionProtection, protected
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import Naming, terraform_name


class GlobalTable(HardenedConstruct):
    """A DynamoDB table with replicas in further regions; without replicas a table in one region.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The table's first region.
        key: The key that encrypts the table, with a replica in each of its regions.
        partition_key: The partition key. A change replaces the table.
        sort_key: The sort key; none by default. A change replaces the table.
        attributes: The types of all key attributes by name, those of indexes included: `S`, `N` or `B`. By default the
            keys of the table are strings.
        replicas: Further regions of the same stack; none by default.
        consistency: `EVENTUAL`, or `STRONG` for multi-Region strong consistency (MRSC). `STRONG` requires three regions
            of one Region set and AWS provider 6.25, excludes TTL, local indexes and provisioned capacity, and does not
            support transactions.
        witness: The third region of a `STRONG` table with one replica: it stores changes only and cannot be read.
        global_indexes: Global secondary indexes by name, up to 20; none by default.
        local_indexes: Local secondary indexes by name, up to 5; none by default. A change replaces the table.
        max_read_units: The maximum of read request units per second, 1 to 40,000, for the table and for each global
            index: 500 in dev, 1,000 in staging and 12,000 in prod by default. Requests above it are throttled.
        max_write_units: The maximum of write request units per second, 1 to 40,000: 250 in dev, 500 in staging and
            4,000 in prod by default.
        provisioned: Provisioned capacity with auto scaling instead of on-demand capacity; not with global indexes.
        stream_view: The stream view type. Replicas require `NEW_AND_OLD_IMAGES`.
        ttl_attribute: The TTL attribute, with the expiration time in Unix seconds; none by default.
        table_class: `STANDARD`, or `STANDARD_INFREQUENT_ACCESS` when storage is most of the costs.
        contributor_insights: Enables CloudWatch Contributor Insights for the table and its global indexes. Billed by
            event.
        deletion_protection: Deletion protection and `prevent_destroy` in every region; on in prod, off in dev and
            staging by default. `NoDeletionProtection(reason)` turns it off in prod.
        alarms: Creates CloudWatch alarms in each region; on in prod, off in dev and staging by default.
            `NoAlarms(reason)` turns them off in prod.
        alarm_topics: ARNs of SNS topics, each notified by the alarms of its own region; none by default. With replicas,
            references must be given by region, such as `{"us-east-1": [topic.arn]}`.

    Attributes:
        name: The table's name, the same in every region.
        resource: The `aws_dynamodb_table`.
        key: The key.
        places: The regions by name, the first region first.
        replicas: The replicas by region.

    Raises:
        ConfigurationError: An argument is invalid or below the environment's minimum.

    See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GlobalTables.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        partition_key: str,
        sort_key: str | None = None,
        attributes: Mapping[str, AttributeType] | None = None,
        replicas: Sequence[Region] = (),
        consistency: Consistency = "EVENTUAL",
        witness: Region | None = None,
        global_indexes: Mapping[str, GlobalIndex] | None = None,
        local_indexes: Mapping[str, LocalIndex] | None = None,
        max_read_units: int | None = None,
        max_write_units: int | None = None,
        provisioned: Provisioned | None = None,
        stream_view: StreamView = REPLICATED,
        ttl_attribute: str | None = None,
        table_class: TableClass = "STANDARD",
        contributor_insights: bool = False,
        deletion_protection: bool | NoDeletionProtection | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] | Mapping[str, Iterable[str]] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        self.key = key
        self.places = check_places(problems, region, replicas, key)
        self._keys = read_keys(
            problems,
            attributes=attributes,
            partition_key=partition_key,
            sort_key=sort_key,
            global_indexes=global_indexes,
            local_indexes=local_indexes,
        )
        profile = region.profile
        self._maximum = (
            profile.table_max_read_units if max_read_units is None else max_read_units,
            profile.table_max_write_units if max_write_units is None else max_write_units,
        )
        self._check_capacity(provisioned, max_read_units, max_write_units)
        check_choices(
            problems,
            stream_view=stream_view,
            table_class=table_class,
            ttl_attribute=ttl_attribute,
            keys=self._keys.attributes,
            contributor_insights=contributor_insights,
            replicated=len(self.places) > 1 and consistency == "EVENTUAL",
        )
        excluded = {
            "ttl_attribute": ttl_attribute,
            "local_indexes": list(self._keys.local_indexes),
            "provisioned": provisioned,
        }
        check_consistency(problems, consistency, witness, self.places, excluded)
        strong = consistency == "STRONG"
        keep = protected(problems, region, deletion_protection)
        topics = topics_by_region(problems, region.name, self.places, alarm_topics)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=topics[region.name])
        problems.raise_if_any()
        if isinstance(deletion_protection, NoDeletionProtection):
            self._record(deletion_protection)
        if keep:
            key.protect(self)

        # All regions of a global table have the same name, so it does not contain the region.
        self.name = Naming(region.naming.project, region.naming.environment).name((self.component,), "table")
        table = aws.dynamodb_table
        self.resource = self._create(
            table.DynamodbTable,
            "Resource",
            name=self.name,
            table_class=table_class,
            stream_enabled=True,
            stream_view_type=stream_view,
            server_side_encryption=table.DynamodbTableServerSideEncryption(enabled=True, kms_key_arn=key.arn_for(self)),
            point_in_time_recovery=table.DynamodbTablePointInTimeRecovery(enabled=True),
            deletion_protection_enabled=keep,
            ttl=table.DynamodbTableTtl(attribute_name=ttl_attribute, enabled=True) if ttl_attribute else None,
            lifecycle=core.TerraformResourceLifecycle(
                prevent_destroy=keep or None,
                # Replicas are separate resources; auto scaling changes the capacity.
                ignore_changes=None
                if strong
                else ["replica", *(("read_capacity", "write_capacity") if provisioned else ())],
            ),
            **self._keys.structs(*self._maximum),
            **billing(provisioned, *self._maximum),
        )
        self._tables: dict[str, core.TerraformElement] = {region.name: self.resource}
        names = {region.name: self._ref(self.resource, "name")}
        scaling = (
            ScaledCapacity(self, "scaling", region=region, table=names[region.name], provisioned=provisioned).policies
            if provisioned
            else []
        )
        self.replicas: dict[str, TableReplica | StrongReplica] = {}
        watches = {region.name: watch}
        further = {place: self._key_arn(self, place) for place in list(self.places.values())[1:]}
        if strong:
            make_strong(self.resource, further, witness, keep=keep)
            region.stack.require_provider("aws", STRONG_PROVIDER)
        for place, key_arn in further.items():
            id_, arn = f"replica-{place.name}", f"{region.stack.address(self.resource)}.arn"
            replica = self.replicas[place.name] = (
                StrongReplica(self, id_, region=place, table_arn=arn)
                if strong
                else TableReplica(
                    self,
                    id_,
                    region=place,
                    table_arn=f"${{{arn}}}",
                    key_arn=key_arn,
                    keep=keep,
                    # DynamoDB requires auto scaling of writes before it creates a replica.
                    depends_on=scaling,
                )
            )
            self._tables[place.name] = replica.resource
            names[place.name] = replica.name
            if watch.wanted:
                watches[place.name] = Alarms(replica, problems, alarms=True, alarm_topics=topics[place.name])
        problems.raise_if_any()
        for name, place in self.places.items():
            if watch.wanted:
                # With strong consistency there is no metric ReplicationLatency.
                others = [other for other in self.places if other != name and not strong]
                add_alarms(watches[name], names[name], indexes=self._keys.global_indexes, others=others)
            if contributor_insights:
                self._contributor_insights(place, names[name])
            self._publish_in(place, names[name])

    @cached_property
    def arn(self) -> str:
        """The table's ARN in its first region."""
        return self.resource.arn

    @cached_property
    def stream_arn(self) -> str:
        """The stream's ARN in the first region."""
        return self.resource.stream_arn

    def arn_in(self, region: Region) -> str:
        """Return the table's ARN in one of its regions.

        Args:
            region: A region of the table.

        Raises:
            ConfigurationError: The table has no replica in the region.
        """
        return _token(self._table_in(region), "arn")

    def stream_arn_in(self, region: Region) -> str:
        """Return the stream's ARN in one of the table's regions.

        Args:
            region: A region of the table; the first one of a `STRONG` table.

        Raises:
            ConfigurationError: The table has no replica or no stream in the region.
        """
        return _token(self._streamed_in(region), "stream_arn")

    def _streamed_in(self, region: Region) -> core.TerraformElement:
        table = self._table_in(region)
        replica = self.replicas.get(region.name)
        if isinstance(replica, StrongReplica):
            raise ConfigurationError(
                self.path,
                f"region={region.name!r}: has no stream; with consistency='STRONG' the stream is in {self.region.name}",
            )
        return replica.table if replica else table

    def grant_read(
        self,
        grantee: Grantee,
        *,
        actions: Iterable[str] | None = None,
        leading_keys: Iterable[str] = (),
        indexes: Iterable[str] | None = None,
        region: Region | None = None,
    ) -> None:
        """Grant a role permission to read items.

        Args:
            grantee: A function or a `ServiceRole`.
            actions: The granted actions, such as `dynamodb:GetItem`; all read actions by default.
            leading_keys: The partition keys of the items that the role can read, with `*` and `?` as wildcards; all by
                default. Excludes `dynamodb:Scan`, which keys do not limit. Write policy variables as
                `&{aws:PrincipalTag/tenant}`.
            indexes: The indexes that the role can query; all by default, none by default with `leading_keys`, which
                apply to the partition key of an index there.
            region: A region of the table; the role's region by default.

        Raises:
            ConfigurationError: The table has no replica in the region, or an action, index or key is invalid.
        """
        conditions = access.key_conditions(self.path, leading_keys)
        chosen = () if indexes is None and conditions else self._chosen(indexes)
        allowed = access.READ if conditions else (*access.READ, access.SCAN)
        self._grant(grantee, region, "Read", actions, allowed, indexes=chosen, conditions=conditions)

    def grant_write(
        self,
        grantee: Grantee,
        *,
        actions: Iterable[str] | None = None,
        leading_keys: Iterable[str] = (),
        region: Region | None = None,
    ) -> None:
        """Grant a role permission to put, update and delete items, but not to read them.

        Args:
            grantee: A function or a `ServiceRole`.
            actions: The granted actions, such as `dynamodb:PutItem`; all write actions by default.
            leading_keys: The partition keys of the items that the role can write, with `*` and `?` as wildcards; all by
                default.
            region: A region of the table; the role's region by default.

        Raises:
            ConfigurationError: The table has no replica in the region, or an action or key is invalid.
        """
        conditions = access.key_conditions(self.path, leading_keys)
        self._grant(grantee, region, "Write", actions, access.WRITE, conditions=conditions)

    def grant_stream_read(self, grantee: Grantee) -> None:
        """Grant a role permission to read the stream in its region.

        Args:
            grantee: A function or a `ServiceRole`.

        Raises:
            ConfigurationError: The table has no replica or no stream in the role's region.
        """
        place = grantee.region
        arn = place.stack.reach(self._streamed_in(place), "stream_arn")
        sid = self._sid("Stream", place)
        grantee.grant(access.table_statement(sid, access.STREAM, arn))
        self._grant_key(grantee, place, "Read", access.DECRYPT)

    def _grant(
        self,
        grantee: Grantee,
        region: Region | None,
        verb: str,
        actions: Iterable[str] | None,
        allowed: tuple[str, ...],
        *,
        indexes: tuple[str, ...] = (),
        conditions: tuple[Condition, ...],
    ) -> None:
        place = region or grantee.region
        chosen = access.choose(self.path, actions, allowed)
        arn = grantee.region.stack.reach(self._table_in(place), "arn")
        sid = self._sid(verb, place)
        narrow = chosen != allowed
        grantee.grant(access.table_statement(sid, chosen, arn, indexes, conditions, chosen=narrow))
        grantee.grant(access.table_statement(self._sid("Describe", place), (access.DESCRIBE,), arn))
        self._grant_key(grantee, place, verb, access.ENCRYPT if verb == "Write" else access.DECRYPT)

    def _grant_key(self, grantee: Grantee, place: Region, verb: str, actions: tuple[str, ...]) -> None:
        sid = self._sid(f"{verb}KeyOf", place)
        grantee.grant(access.key_statement(sid, actions, self._key_arn(grantee, place), place))

    def _key_arn(self, consumer: Grantee | HardenedConstruct, place: Region) -> str:
        return consumer.region.stack.reach(self.key.keys[place.name], "arn")

    def _sid(self, verb: str, place: Region) -> str:
        words = [*self.component.split("-"), *place.name.split("-")]
        return verb + "".join(c for word in words for c in word.title() if c.isalnum())

    def _table_in(self, place: Region) -> core.TerraformElement:
        if place.name not in self._tables:
            raise ConfigurationError(
                self.path,
                f"region={place.name!r}: has no replica of the table; add it to replicas, or give region one of "
                f"{', '.join(self._tables)}",
            )
        return self._tables[place.name]

    def _chosen(self, indexes: Iterable[str] | None) -> tuple[str, ...]:
        known = (*self._keys.global_indexes, *self._keys.local_indexes)
        if indexes is not None and not access.is_list(indexes):
            raise ConfigurationError(self.path, f"indexes={indexes!r}: must be a list of the table's indexes")
        chosen = known if indexes is None else tuple(indexes)
        for name in chosen:
            if name not in known:
                raise ConfigurationError(
                    self.path,
                    f"indexes={name!r}: is not an index of the table; expected one of {', '.join(known) or 'none'}",
                )
        return chosen

    def _check_capacity(self, provisioned: Provisioned | None, *given_maximums: int | None) -> None:
        if provisioned is not None:
            check_provisioned(self._problems, provisioned, indexed=bool(self._keys.global_indexes))
        for argument, given, units in zip(
            ("max_read_units", "max_write_units"), given_maximums, self._maximum, strict=True
        ):
            if provisioned is None:
                check_maximum(self._problems, argument, units)
            else:
                self._problems.check(
                    given is None,
                    argument,
                    given,
                    "cannot be combined with provisioned; give its read_maximum and write_maximum",
                )

    def _contributor_insights(self, place: Region, table: str) -> None:
        for index in (None, *self._keys.global_indexes):
            self._create_in(
                place,
                aws.dynamodb_contributor_insights.DynamodbContributorInsights,
                f"insights-{index}-{place.name}" if index else f"insights-{place.name}",
                table_name=table,
                index_name=index,
            )

    def _publish_in(self, place: Region, table: str) -> None:
        stack = self.region.stack
        values = [
            ("name", table, "Name of the table"),
            ("arn", stack.reach(self._table_in(place), "arn"), "ARN of the table in the region"),
        ]
        if not isinstance(self.replicas.get(place.name), StrongReplica):
            values.append(
                (
                    "stream_arn",
                    stack.reach(self._streamed_in(place), "stream_arn"),
                    "ARN of the table's stream in the region",
                )
            )
        for attribute, value, description in values:
            stack.output(terraform_name((*self.components, attribute), place.name), value, description)
            stack.publish(place.name, self.component.replace("-", "_"), attribute, value)


def _token(element: core.TerraformElement, attribute: str) -> str:
    """Return a reference that works in every stack."""
    return str(getattr(element, attribute))
