"""What an Aurora cluster refuses, each with the whole message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from constructs_lib import (
    App,
    AuroraProvisioned,
    ConfigurationError,
    ConfigurationWarning,
    ExtendedSupport,
    GeneratedPassword,
    HardenedStack,
    Instance,
    MajorUpgrade,
    MultiRegionKey,
    NoAlarms,
    PinnedMinorVersion,
    ReaderScaling,
)
from tests.constructs.aurora_provisioned.clusters import make_cluster, make_vpc

REASON = "the vendor certifies this version only"
PREFIX = "shop/db: "


Refuse = Callable[..., list[str]]


@pytest.fixture
def new_stack(tmp_path: Path) -> Callable[..., HardenedStack]:
    """Return an empty stack named shop of an app of its own."""

    def make(environment: str = "dev") -> HardenedStack:
        return HardenedStack(App(outdir=str(tmp_path / "out")), "shop", environment=environment, owner="team-shop")

    return make


@pytest.fixture
def refuse(new_stack: Callable[..., HardenedStack]) -> Refuse:
    """Return the lines of the refusal of a cluster, without the path."""

    def run(environment: str = "dev", region: str = "eu-west-1", vpc: Any = None, **arguments: Any) -> list[str]:
        stack = new_stack(environment)
        with pytest.raises(ConfigurationError) as error:
            make_cluster(stack, region, vpc=vpc(stack) if vpc else None, **arguments)
        return [line.removeprefix(PREFIX) for line in str(error.value).splitlines()]

    return run


def test_an_unknown_engine_stops_at_once(refuse: Refuse) -> None:
    assert refuse(engine="aurora", port=1) == ["engine='aurora': must be one of aurora-postgresql, aurora-mysql"]


def test_no_argument_makes_the_cluster_serverless() -> None:
    arguments = AuroraProvisioned.__init__.__annotations__
    assert [name for name in arguments if "serverless" in name or "scaling_configuration" in name] == []
    assert "engine_mode" not in arguments
    assert "master_password" not in arguments


@pytest.mark.parametrize(
    ("class_", "engine", "reason", "near"),
    [
        (
            "db.t3.micro",
            "aurora-postgresql",
            "is not supported for aurora-postgresql",
            "db.t4g.medium",
        ),
        (
            "db.t3.small",
            "aurora-postgresql",
            "is not supported for aurora-postgresql",
            "db.t4g.medium",
        ),
        (
            "db.m5.large",
            "aurora-postgresql",
            "is not supported for aurora-postgresql",
            "db.r7g.large",
        ),
        ("db.t3.medium", "aurora-mysql", "is not supported for aurora-mysql", "db.t4g.medium"),
        ("db.serverless", "aurora-mysql", "is serverless, which a provisioned cluster cannot have", "db.r7g.large"),
        ("r7g.4xlarge", "aurora-mysql", "is not supported for aurora-mysql", "db.r7g.4xlarge"),
        ("db.r9x.96xlarge", "aurora-mysql", "is not supported for aurora-mysql", "db.r7g.large"),
    ],
)
def test_a_class_that_aurora_does_not_offer_is_refused_with_the_nearest_one(
    refuse: Refuse, class_: str, engine: str, reason: str, near: str
) -> None:
    assert refuse(engine=engine, instances={"1": Instance(class_)}) == [
        f"instances['1'].instance_class={class_!r}: {reason}; the nearest class is {near!r}"
    ]


@pytest.mark.parametrize("class_", ["${var.class}", 7])
def test_a_class_that_is_no_plain_text_is_refused(refuse: Refuse, class_: Any) -> None:
    assert refuse(instances={"1": Instance(class_)}) == [
        f"instances['1'].instance_class={class_!r}: must be a plain string such as 'db.r7g.large'"
    ]


def test_a_class_that_the_region_does_not_have_is_refused(refuse: Refuse) -> None:
    assert refuse(region="il-central-1") == [
        "instances['1'].instance_class='db.t4g.medium': is not available in il-central-1; the nearest class is 'db.t3.medium'"
    ]


def test_burstable_instances_are_refused_in_prod(refuse: Refuse) -> None:
    burstable = {"a": Instance("db.t4g.large"), "b": Instance("db.r7g.large")}
    assert refuse("prod", instances=burstable) == [
        "instances['a'].instance_class='db.t4g.large': is burstable, which is not allowed in prod; the nearest class is 'db.r7g.large'"
    ]


def test_prod_requires_two_instances(refuse: Refuse) -> None:
    assert refuse("prod", instances={"a": Instance()}) == ["instances=['a']: must have at least 2 in prod"]


def test_an_empty_cluster_and_one_beyond_auroras_limit_are_refused(refuse: Refuse) -> None:
    assert refuse(instances={}) == ["instances=[]: must have at least 1 in dev"]
    many = {str(number): Instance() for number in range(17)}
    assert refuse(instances=many) == [f"instances={list(many)!r}: exceeds the 16 instances that Aurora allows"]


def test_prod_requires_two_zones(refuse: Refuse) -> None:
    assert refuse("prod", instances={"a": Instance(zone="b"), "b": Instance(zone="eu-west-1b")}) == [
        "instances=['a', 'b']: are all in eu-west-1b; expected at least two Availability Zones"
    ]


def test_the_failover_target_has_the_writers_size_in_prod(refuse: Refuse) -> None:
    sizes = {"a": Instance("db.r7g.2xlarge"), "b": Instance("db.r7g.xlarge"), "c": Instance("db.r7g.large")}
    assert refuse("prod", instances=sizes) == [
        "instances['b'].instance_class='db.r7g.xlarge': is the failover target and smaller than the writer 'a' (db.r7g.2xlarge); give one reader the same size, and smaller ones a higher promotion_tier"
    ]


@pytest.mark.parametrize(
    ("instances", "lines"),
    [
        (["a"], ["instances=['a']: must be a dict of Instance by name"]),
        ({"a": "db.r7g.large"}, ["instances['a']='db.r7g.large': must be an Instance"]),
        ({"Main_1": Instance()}, ["instances='Main_1': must be lower-case letters, digits and single hyphens"]),
        ({"${x}": Instance()}, ["instances='${x}': must be lower-case letters, digits and single hyphens"]),
        (
            {"a": Instance(promotion_tier=16)},
            ["instances['a'].promotion_tier=16: must be a whole number from 0 to 15"],
        ),
        (
            {"a": Instance(promotion_tier=True)},
            ["instances['a'].promotion_tier=True: must be a whole number from 0 to 15"],
        ),
        (
            {"a": Instance(zone="us-east-1a")},
            ["instances['a'].zone='us-east-1a': is a zone of 'us-east-1', but the region here is 'eu-west-1'"],
        ),
    ],
)
def test_instances_of_another_form_are_refused(refuse: Refuse, instances: Any, lines: list[str]) -> None:
    assert refuse(instances=instances) == lines


def test_an_instance_lives_where_the_vpc_has_a_database_subnet(refuse: Refuse) -> None:
    assert refuse(vpc=lambda stack: make_vpc(stack, zones="ab"), instances={"a": Instance(zone="c")}) == [
        "instances['a'].zone='c': has no database subnet; the VPC has them in eu-west-1a, eu-west-1b"
    ]


def test_a_subnet_group_needs_two_zones(refuse: Refuse) -> None:
    assert refuse(vpc=lambda stack: make_vpc(stack, zones="a")) == [
        "vpc='shop/vpc': has database subnets in eu-west-1a only; AWS requires at least 2 Availability Zones"
    ]


def test_a_vpc_without_a_database_tier_is_refused(refuse: Refuse) -> None:
    assert refuse(vpc=lambda stack: make_vpc(stack, tier="private")) == [
        "vpc='shop/vpc': has no database subnets; give the VPC the tier 'database'"
    ]


def test_a_vpc_of_another_region_is_refused(refuse: Refuse) -> None:
    assert refuse(vpc=lambda stack: make_vpc(stack, "us-east-1")) == [
        "vpc='shop/vpc': is in us-east-1; expected a VPC in eu-west-1"
    ]


def test_a_key_of_another_region_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "other-key", region=stack.region("us-east-1"))
    with pytest.raises(ConfigurationError) as error:
        AuroraProvisioned(stack, "db", region=region, vpc=make_vpc(stack), key=key)
    assert str(error.value) == (
        "shop/db: key='shop/other-key': exists in us-east-1 and not in eu-west-1, and a resource cannot use a key of another region; add eu-west-1 to the key's replicas"
    )


@pytest.mark.parametrize("name", ["admin", "postgres", "root"])
def test_a_master_user_whose_name_is_guessed_first_is_refused(refuse: Refuse, name: str) -> None:
    assert refuse(master_username=name) == [f"master_username={name!r}: is easy to guess; choose another name"]


@pytest.mark.parametrize("name", ["rdsadmin", "pg_owner"])
def test_a_master_user_whose_name_is_reserved_is_refused(refuse: Refuse, name: str) -> None:
    assert refuse(master_username=name) == [
        f"master_username={name!r}: is reserved; expected a name that does not begin with pg_ or rds"
    ]


@pytest.mark.parametrize("name", ["Owner", "1st", "a" * 33, "", "${x}", None])
def test_a_master_user_whose_name_the_engine_does_not_take_is_refused(refuse: Refuse, name: Any) -> None:
    assert refuse(engine="aurora-mysql", master_username=name) == [
        f"master_username={name!r}: must be 1 to 32 lower-case letters, digits and underscores, starting with a letter"
    ]


def test_a_password_is_refused_and_not_shown(refuse: Refuse) -> None:
    assert refuse(password="hunter2") == [
        "password='...': must be GeneratedPassword(); passwords themselves are not accepted"
    ]
    assert refuse(password="${var.password}") == [
        "password='${var.password}': must be GeneratedPassword(); passwords themselves are not accepted"
    ]


def test_a_generated_password_has_a_length_that_both_engines_take(refuse: Refuse) -> None:
    wrong: Any = GeneratedPassword(length=42, generation="a")  # type: ignore[arg-type]
    assert refuse(password=wrong) == [
        "password.length=42: must be a whole number from 16 to 41",
        "password.generation='a': must be a whole number",
    ]
    assert refuse(password=GeneratedPassword(length=15)) == ["password.length=15: must be a whole number from 16 to 41"]


@pytest.mark.parametrize(
    ("engine", "name", "message"),
    [
        (
            "aurora-postgresql",
            "My-App",
            "must be 1 to 63 lower-case letters, digits and underscores, starting with a letter",
        ),
        ("aurora-mysql", "my_app", "must be 1 to 63 lower-case letters and digits, starting with a letter"),
        ("aurora-mysql", "a" * 64, "must be 1 to 63 lower-case letters and digits, starting with a letter"),
        ("aurora-postgresql", "postgres", "is reserved by the engine; choose another name"),
        ("aurora-mysql", "mysql", "is reserved by the engine; choose another name"),
    ],
)
def test_a_database_name_that_aws_refuses(refuse: Refuse, engine: str, name: str, message: str) -> None:
    assert refuse(engine=engine, database_name=name) == [f"database_name={name!r}: {message}"]


@pytest.mark.parametrize("port", [1149, 65536, "5432", True])
def test_a_port_that_aws_refuses(refuse: Refuse, port: Any) -> None:
    assert refuse(port=port) == [f"port={port!r}: must be a whole number from 1150 to 65535"]


def test_backups_are_kept_as_long_as_the_environment_asks(refuse: Refuse) -> None:
    for days in (34, 36, 35.0):
        assert refuse("prod", backup_retention_days=days) == [
            f"backup_retention_days={days!r}: must be a whole number from 35, the minimum in prod, to 35"
        ]


def test_postgresql_cannot_backtrack(refuse: Refuse) -> None:
    assert refuse(backtrack_hours=24) == [
        "backtrack_hours=24: aurora-postgresql does not support backtracking; use point-in-time recovery"
    ]
    assert refuse(engine="aurora-mysql", backtrack_hours=73) == [
        "backtrack_hours=73: must be a whole number from 0 to 72"
    ]


def test_parameters_that_the_construct_sets_are_refused(refuse: Refuse) -> None:
    assert refuse(parameters={"rds.force_ssl": "0"}, instance_parameters={"work_mem": 4}) == [
        "parameters['rds.force_ssl']='0': is set by the construct; remove it",
        "instance_parameters['work_mem']=4: must be a plain string; the parameter group's name contains a digest of it",
    ]
    assert refuse(parameters={"work_mem": "${var.x}"}) == [
        "parameters['work_mem']='${var.x}': must be a plain string; the parameter group's name contains a digest of it"
    ]


def test_prod_requires_deletion_protection(refuse: Refuse) -> None:
    assert refuse("prod", deletion_protection=False) == [
        "deletion_protection=False: must be True in prod; give NoDeletionProtection(reason) to turn it off"
    ]
    assert refuse(deletion_protection="no") == [
        "deletion_protection='no': must be True, False or NoDeletionProtection(reason)"
    ]


def test_prod_requires_alarms(refuse: Refuse) -> None:
    assert refuse("prod", alarms=False) == [
        "alarms=False: prod requires alarms; pass NoAlarms(reason) to leave them out"
    ]


def test_going_without_alarms_in_production_is_recorded(new_stack: Callable[..., HardenedStack]) -> None:
    stack = new_stack("prod")
    make_cluster(stack, alarms=NoAlarms("another team watches it"))
    assert stack.opt_outs == [("shop/db", NoAlarms("another team watches it"))]


def test_scaling_needs_a_reader_and_room(refuse: Refuse) -> None:
    assert refuse(reader_scaling=ReaderScaling(maximum=2)) == [
        f"reader_scaling={ReaderScaling(maximum=2)!r}: requires at least one reader in instances"
    ]
    two = {"a": Instance(), "b": Instance()}
    assert refuse(instances=two, reader_scaling=ReaderScaling(maximum=1)) == [
        "reader_scaling.maximum=1: must be more than 1, the number of existing readers"
    ]
    assert refuse(instances=two, reader_scaling=ReaderScaling(maximum=3, minimum=3)) == [
        "reader_scaling.maximum=3: must be more than 3, the number of existing readers"
    ]
    wrong: Any = ReaderScaling(maximum=16, minimum="1", cpu_percent=91, cooldown=59)  # type: ignore[arg-type]
    assert refuse(instances=two, reader_scaling=wrong) == [
        "reader_scaling.minimum='1': must be a whole number from 1 to 15",
        "reader_scaling.maximum=16: must be a whole number from 1 to 15",
        "reader_scaling.cpu_percent=91: must be a whole number from 10 to 90",
        "reader_scaling.cooldown=59: must be a whole number from 60 to 3600",
    ]


def test_an_exact_version_needs_a_reason(refuse: Refuse) -> None:
    assert refuse(engine_version="17.7") == [
        "engine_version='17.7': includes the minor version, which Aurora upgrades automatically, so that later plans would downgrade it; give '17', or pinned=PinnedMinorVersion(reason)"
    ]
    pinned = PinnedMinorVersion(REASON)
    assert refuse(engine_version="17", pinned=pinned) == [
        f"pinned={pinned!r}: requires an exact engine_version; '17' is a major version"
    ]


def test_a_pinned_version_cannot_be_upgraded_at_the_same_time(refuse: Refuse) -> None:
    upgrade = MajorUpgrade("18.6")
    given = {"engine_version": "17.7", "pinned": PinnedMinorVersion(REASON), "upgrade": upgrade}
    assert refuse(**given) == [f"upgrade={upgrade!r}: cannot be combined with pinned; give pinned after the upgrade"]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        (
            "18",
            "must include the minor version, which must be a valid upgrade target: aws rds describe-db-engine-versions lists them as ValidUpgradeTarget",
        ),
        ("17.9", "must be of a later major version than engine_version='17'; remove upgrade after the upgrade"),
    ],
)
def test_an_upgrade_names_an_exact_later_version(refuse: Refuse, to: str, message: str) -> None:
    assert refuse(upgrade=MajorUpgrade(to)) == [f"upgrade.to={to!r}: {message}"]


def test_a_version_past_its_support_is_refused(refuse: Refuse) -> None:
    (line,) = refuse(engine_version="13")
    assert line.startswith("engine_version='13': standard support ended on 2026-02-28; supported major")
    assert line.endswith(". Upgrade, or give extended_support=ExtendedSupport(reason)")


def test_extended_support_is_a_recorded_choice_and_keeps_warning(new_stack: Callable[..., HardenedStack]) -> None:
    stack, choice = new_stack(), ExtendedSupport(REASON)
    with pytest.warns(ConfigurationWarning) as caught:
        cluster = make_cluster(stack, engine_version="13", extended_support=choice)
    assert [(str(warning.message), Path(warning.filename).name) for warning in caught] == [
        (
            "shop/db: engine_version='13': standard support ended on 2026-02-28; upgrade to a later version",
            "clusters.py",
        )
    ]
    assert stack.opt_outs == [("shop/db", choice)]
    assert cluster.resource.engine_lifecycle_support_input == "open-source-rds-extended-support"


def test_all_invalid_arguments_are_reported_at_once(refuse: Refuse) -> None:
    given = {"port": 1, "database_name": "x-y", "backtrack_hours": 1, "alarms": "yes", "maintenance_window": "never"}
    assert [line.split("=", 1)[0] for line in refuse(**given)] == [
        "database_name",
        "port",
        "maintenance_window",
        "backtrack_hours",
        "alarms",
    ]
