"""The GlobalTable construct: a table, its replicas, and everything that belongs to them."""

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
    check_ceiling,
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
    """A DynamoDB table with a replica in each further region; without any it is a table of one region.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where the table is made first.
        key: Encrypts every replica, each with the key of its own region.
        partition_key: An attribute.
        sort_key: Another one; none by default. Neither can change once the table is there.
        attributes: Type of every key attribute, `S`, `N` or `B`; by default both keys of the table are texts.
        replicas: Further regions of the same stack; none by default. Adding one later changes nothing that exists.
        consistency: EVENTUAL (default), or STRONG, where every region reads what any other has written, and there are
            no transactions; it stays as it is. It takes three regions of one set, provider 6.25, and neither TTL, local
            indexes nor provisioned capacity.
        witness: The third region of a STRONG table with one replica, which keeps changes only and cannot be read.
        global_indexes: Up to 20 by name.
        local_indexes: Up to 5 by name, which cannot change once the table is there.
        max_read_units: Read units a second at most, for the table and for each global index; by default from the
            environment. The brake on the bill.
        max_write_units: Write units a second at most, likewise.
        provisioned: `Provisioned` for capacity by the hour in place of on-demand capacity.
        stream_view: What the stream holds of a changed item; NEW_AND_OLD_IMAGES by default, which replicas need.
        ttl_attribute: Attribute with the second since 1970 after which DynamoDB deletes an item; none by default.
        table_class: STANDARD (default), or STANDARD_INFREQUENT_ACCESS when storage is most of the bill.
        contributor_insights: Whether CloudWatch shows the keys that are used most; False by default, billed by event.
        deletion_protection: True, False, or `NoDeletionProtection` where the environment protects; by default from the
            environment. The same in every region.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics, each told of the alarms in its own region; by region where they are references
            and the table has replicas.

    Attributes:
        name: The table's name, the same in every region.
        places: The regions by name, the table's own first.
        replicas: The replicas by region.

    Raises:
        ConfigurationError: An argument that cannot be deployed or that loosens what the environment asks for.

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
        self._ceiling = (
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

        # A global table has one name in all of its regions.
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
                # Replicas are resources of their own; scaled capacities belong to the scaling.
                ignore_changes=None
                if strong
                else ["replica", *(("read_capacity", "write_capacity") if provisioned else ())],
            ),
            **self._keys.structs(*self._ceiling),
            **billing(provisioned, *self._ceiling),
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
                    # DynamoDB makes no replica of a table whose writes do not scale.
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
                # A strong table says nothing of latency: its writes wait for the other regions.
                others = [other for other in self.places if other != name and not strong]
                add_alarms(watches[name], names[name], indexes=self._keys.global_indexes, others=others)
            if contributor_insights:
                self._watch_contributors(place, names[name])
            self._publish_in(place, names[name])

    @cached_property
    def arn(self) -> str:
        """The ARN of the table in its first region, for use in any stack."""
        return self.resource.arn

    @cached_property
    def stream_arn(self) -> str:
        """The ARN of the stream in the table's first region, for use in any stack."""
        return self.resource.stream_arn

    def arn_in(self, region: Region) -> str:
        """Return a reference to the table's ARN in one of its regions, for use in the region's stack.

        Raises:
            ConfigurationError: The table has no replica there.
        """
        return region.stack.reach(self._table_in(region), "arn")

    def stream_arn_in(self, region: Region) -> str:
        """Return a reference to the ARN of the stream in one of the table's regions, for use in the region's stack.

        Raises:
            ConfigurationError: The table has no replica there, or one of a STRONG table, which has no stream.
        """
        self._table_in(region)
        replica = self.replicas.get(region.name)
        if isinstance(replica, StrongReplica):
            raise ConfigurationError(
                self.path,
                f"region={region.name!r}: has no stream; of a table with consistency='STRONG' read the stream in "
                f"{self.region.name}",
            )
        return region.stack.reach(replica.table if replica else self.resource, "stream_arn")

    def grant_read(
        self,
        grantee: Grantee,
        *,
        actions: Iterable[str] | None = None,
        leading_keys: Iterable[str] = (),
        indexes: Iterable[str] | None = None,
        region: Region | None = None,
    ) -> None:
        """Let a role read items, in its own region unless told otherwise.

        Args:
            grantee: A function of this library, or a service role.
            actions: The only ones that it needs, such as `dynamodb:GetItem`; by default all that read items.
            leading_keys: Partition keys that it is held to, with `*` and `?` as wildcards; all by default. Scans are
                not granted with them: a scan names no keys.
            indexes: Indexes that it may query; by default all of them, and none with `leading_keys`, which mean the
                partition key of an index there.
            region: One of the table's regions.

        Raises:
            ConfigurationError: A region without a replica, an index or action that is none, or a key that says nothing.
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
        """Let a role put, change and delete items, in its own region unless told otherwise; reading is another grant.

        Args:
            grantee: A function of this library, or a service role.
            actions: The only ones that it needs, such as `dynamodb:PutItem`; by default all that write items.
            leading_keys: Partition keys that it is held to, with `*` and `?` as wildcards; all by default.
            region: One of the table's regions.

        Raises:
            ConfigurationError: A region without a replica, an action that is none, or a key that says nothing.
        """
        conditions = access.key_conditions(self.path, leading_keys)
        self._grant(grantee, region, "Write", actions, access.WRITE, conditions=conditions)

    def grant_stream_read(self, grantee: Grantee) -> None:
        """Let a role read the stream in its own region.

        Raises:
            ConfigurationError: The table has no replica there.
        """
        place = grantee.region
        arn = self.stream_arn_in(place)
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
                f"region={place.name!r}: has no replica of the table, which is in {', '.join(self._tables)}; add it to "
                "replicas, or name the region to use",
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
                    self.path, f"indexes={name!r}: is no index of the table; it has {', '.join(known) or 'none'}"
                )
        return chosen

    def _check_capacity(self, provisioned: Provisioned | None, *ceiling: int | None) -> None:
        if provisioned is not None:
            check_provisioned(self._problems, provisioned, indexed=bool(self._keys.global_indexes))
        for argument, given, units in zip(("max_read_units", "max_write_units"), ceiling, self._ceiling, strict=True):
            if provisioned is None:
                check_ceiling(self._problems, argument, units)
            else:
                self._problems.check(
                    given is None, argument, given, "is for on-demand capacity; provisioned has maxima of its own"
                )

    def _watch_contributors(self, place: Region, table: str) -> None:
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
            ("arn", self.arn_in(place), "ARN of the table in the region"),
        ]
        if not isinstance(self.replicas.get(place.name), StrongReplica):
            values.append(("stream_arn", self.stream_arn_in(place), "ARN of the table's stream in the region"))
        for attribute, value, description in values:
            stack.output(terraform_name((*self.components, attribute), place.name), value, description)
            stack.publish(place.name, self.component.replace("-", "_"), attribute, value)
