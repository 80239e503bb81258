"""What happens to an Aurora cluster when its code changes: placement, upgrades, and tampering."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from constructs_lib import (
    ConfigurationWarning,
    GeneratedPassword,
    HardenedStack,
    Instance,
    MajorUpgrade,
    PinnedMinorVersion,
)
from tests.constructs.aurora_provisioned.clusters import make_cluster, make_vpc
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import AuroraProvisioned
    from constructs_lib.foundation.environment import Environment
    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

    Synth = Callable[..., SynthesizedStack]

BIG, SMALL = "db.r7g.2xlarge", "db.r7g.large"


def placed(synthesized: SynthesizedStack) -> dict[str, tuple[str | None, str, int]]:
    """Return letter of the zone that the code asks for, class and tier of each instance by name."""
    return {
        re.sub(r"^shop-\w+-db-|-eu-west-1$", "", block["identifier"]): (
            block.config.get("availability_zone", " ")[-1].strip() or None,
            block["instance_class"],
            block["promotion_tier"],
        )
        for block in synthesized.resources("aws_rds_cluster_instance")
    }


NAMES = st.sampled_from(("1", "2", "3", "main", "report", "spare", "standby"))
ZONES = st.sampled_from(("a", "b", "c", None, None))


@pytest.mark.filterwarnings("ignore:.*are all in:constructs_lib.ConfigurationWarning")
@settings(deadline=None, max_examples=12, phases=(Phase.generate,))
@given(
    names=st.lists(NAMES, min_size=2, max_size=5, unique=True),
    zones=st.sampled_from(("ab", "abc", "bc")),
    data=st.data(),
)
def test_adding_or_removing_an_instance_or_a_zone_changes_no_other_instance(
    synth_stack: Synth, names: list[str], zones: str, data: st.DataObject
) -> None:
    given_zones = {name: data.draw(ZONES.filter(lambda zone: zone is None or zone in zones)) for name in names}
    instances = {name: Instance(zone=zone) for name, zone in given_zones.items()}

    def blocks(instances: dict[str, Instance], zones: str = zones) -> dict[str, dict[str, Any]]:
        made = synth_stack(lambda stack: make_cluster(stack, vpc=make_vpc(stack, zones=zones), instances=instances))
        return {block["identifier"]: block.config for block in made.resources("aws_rds_cluster_instance")}

    def with_one_more(at: int) -> dict[str, Instance]:
        listed = list(instances.items())
        return dict([*listed[:at], ("new", Instance()), *listed[at:]])

    before = blocks(instances)
    assert blocks(instances, "abc") == before
    after = blocks(with_one_more(data.draw(st.integers(1, len(names)))))
    assert after.pop("shop-dev-db-new-eu-west-1")
    assert after == before
    gone = data.draw(st.sampled_from(names))
    fewer = blocks({name: instance for name, instance in instances.items() if name != gone})
    del before[f"shop-dev-db-{gone}-eu-west-1"]
    # Without the first instance the next one becomes the first: its tier changes, in place.
    ignored = ("depends_on", "promotion_tier") if gone == names[0] else ()
    assert without(fewer, ignored) == without(before, ignored)


def without(blocks: dict[str, dict[str, Any]], ignored: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    return {
        identifier: {name: value for name, value in block.items() if name not in ignored}
        for identifier, block in blocks.items()
    }


def test_an_instance_is_in_the_zone_that_the_code_asks_for(synth_stack: Synth) -> None:
    instances = {
        "main": Instance(BIG, zone="b"),
        "standby": Instance(BIG),
        "report": Instance(SMALL),
        "last": Instance(SMALL, zone="eu-west-1a", promotion_tier=9),
        "spare": Instance("db.r8g.2xlarge"),
    }
    assert placed(synth_stack(lambda stack: make_cluster(stack, instances=instances))) == {
        "main": ("b", BIG, 0),
        "standby": (None, BIG, 1),
        "report": (None, SMALL, 15),
        "last": ("a", SMALL, 9),
        "spare": (None, "db.r8g.2xlarge", 1),
    }


def test_the_writer_is_the_instance_with_the_lowest_tier(synth_stack: Synth) -> None:
    instances = {
        "a": Instance(SMALL, promotion_tier=15),
        "b": Instance(BIG, promotion_tier=0),
        "c": Instance(BIG, promotion_tier=1),
    }
    stack = synth_stack(lambda stack: make_cluster(stack, instances=instances), "prod")
    assert placed(stack) == {"a": (None, SMALL, 15), "b": (None, BIG, 0), "c": (None, BIG, 1)}


def test_among_equal_tiers_the_largest_takes_over(synth_stack: Synth) -> None:
    instances = {
        "a": Instance(BIG),
        "b": Instance(SMALL, promotion_tier=1),
        "c": Instance(BIG, promotion_tier=1),
    }
    assert len(placed(synth_stack(lambda stack: make_cluster(stack, instances=instances), "prod"))) == 3


@pytest.mark.parametrize(
    ("instances", "text"),
    [
        (
            {"a": Instance(zone="a"), "b": Instance(zone="a")},
            "instances=['a', 'b']: are all in eu-west-1a; expected at least two Availability Zones",
        ),
        (
            {"a": Instance(BIG), "b": Instance(SMALL)},
            "instances['b'].instance_class='db.r7g.large': is the failover target and smaller than the writer 'a' (db.r7g.2xlarge); give one reader the same size, and smaller ones a higher promotion_tier",
        ),
    ],
)
def test_outside_prod_a_smaller_failover_target_causes_a_warning(
    stack: HardenedStack, instances: Any, text: str
) -> None:
    with pytest.warns(ConfigurationWarning) as caught:
        make_cluster(stack, instances=instances)
    assert [(str(warning.message), warning.filename.endswith("clusters.py")) for warning in caught] == [
        (f"shop/db: {text}", True)
    ]


def test_changes_wait_for_the_maintenance_window_in_prod_only(synth_stack: Synth, environment: Environment) -> None:
    def settings_of(**arguments: Any) -> set[Any]:
        made = synth_stack(lambda stack: make_cluster(stack, **arguments), environment)
        blocks = (*made.resources("aws_rds_cluster"), *made.resources("aws_rds_cluster_instance"))
        return {block["apply_immediately"] for block in blocks}

    assert settings_of() == {environment != "prod"}
    assert settings_of(apply_immediately=True) == {True}
    assert settings_of(apply_immediately=False) == {False}


def test_an_upgrade_is_applied_at_once(synth_stack: Synth) -> None:
    made = synth_stack(lambda stack: make_cluster(stack, upgrade=MajorUpgrade("18.6")), "prod")
    assert made.resource("aws_rds_cluster")["apply_immediately"] is True
    assert {one["apply_immediately"] for one in made.resources("aws_rds_cluster_instance")} == {False}


# Upgrades.


def groups(synthesized: SynthesizedStack) -> list[tuple[str, str]]:
    types = ("aws_rds_cluster_parameter_group", "aws_db_parameter_group")
    return [(synthesized.resource(type_)["name"], synthesized.resource(type_)["family"]) for type_ in types]


def test_a_major_upgrade_brings_its_version_and_both_parameter_groups_in_one_apply(synth_stack: Synth) -> None:
    before = synth_stack(make_cluster)
    during = synth_stack(lambda stack: make_cluster(stack, upgrade=MajorUpgrade("18.6")))
    after = synth_stack(lambda stack: make_cluster(stack, engine_version="18"))
    changes = {
        name: during.resource("aws_rds_cluster").config.get(name)
        for name in during.resource("aws_rds_cluster").config
        if during.resource("aws_rds_cluster").config.get(name) != before.resource("aws_rds_cluster").config.get(name)
    }
    assert changes == {
        "allow_major_version_upgrade": True,
        "db_instance_parameter_group_name": "${aws_db_parameter_group.db_parameters_instance_eu_west_1.name}",
        "engine_version": "18.6",
        "lifecycle": {"ignore_changes": ["engine_lifecycle_support"]},
    }
    assert [family for _, family in groups(before)] == ["aurora-postgresql17"] * 2
    assert [family for _, family in groups(during)] == ["aurora-postgresql18"] * 2
    assert {name for name, _ in groups(before)}.isdisjoint(name for name, _ in groups(during))
    # Nothing is left to do when the upgrade is taken out of the code.
    assert groups(after) == groups(during)
    assert after.resource("aws_rds_cluster")["lifecycle"] == {
        "ignore_changes": ["engine_lifecycle_support", "engine_version"]
    }


def test_another_parameter_is_another_group_and_the_same_ones_are_the_same(synth_stack: Synth) -> None:
    plain = groups(synth_stack(make_cluster))
    cluster = groups(synth_stack(lambda stack: make_cluster(stack, parameters={"work_mem": "65536"})))
    instance = groups(synth_stack(lambda stack: make_cluster(stack, instance_parameters={"work_mem": "65536"})))
    other = groups(synth_stack(lambda stack: make_cluster(stack, instance_parameters={"work_mem": "65537"})))
    assert (cluster[0] == plain[0], cluster[1] == plain[1]) == (False, True)
    assert (instance[0] == plain[0], instance[1] == plain[1]) == (True, False)
    assert instance[1] != other[1]
    for name, _ in (*plain, *cluster, *instance):
        assert re.fullmatch(
            r"shop-dev-db-parameters-(cluster|instance)-aurora-postgresql17-[0-9a-f]{8}-eu-west-1", name
        )


def test_changes_of_a_pinned_version_are_not_ignored(synth_stack: Synth) -> None:
    choice = PinnedMinorVersion("the vendor certifies this version only")
    stack = synth_stack(lambda stack: make_cluster(stack, engine_version="17.7", pinned=choice))
    cluster = stack.resource("aws_rds_cluster")
    assert (cluster["engine_version"], cluster["lifecycle"]) == (
        "17.7",
        {"ignore_changes": ["engine_lifecycle_support"]},
    )
    assert stack.resource("aws_rds_cluster_instance")["auto_minor_version_upgrade"] is False


def test_names_stay_within_the_limits_of_rds(synth_stack: Synth) -> None:
    long = "a-component-whose-name-goes-on-and-on-until-it-is-longer-than-rds-allows"

    def build(stack: HardenedStack) -> None:
        region = stack.region("ap-southeast-2")
        from constructs_lib import AuroraProvisioned, MultiRegionKey  # noqa: PLC0415  as in the helper

        AuroraProvisioned(
            stack,
            long,
            region=region,
            vpc=make_vpc(stack, "ap-southeast-2"),
            key=MultiRegionKey(stack, "key", region=region),
        )

    stack = synth_stack(build, "staging")
    names = [
        stack.resource("aws_rds_cluster")["cluster_identifier"],
        *(block["identifier"] for block in stack.resources("aws_rds_cluster_instance")),
    ]
    assert len(set(names)) == 3
    for name in names:
        assert len(name) <= 63
        assert re.fullmatch(r"[a-z](-?[a-z0-9])*", name)


# Tampering.

MEND = "makes the cluster serverless; remove it from the provisioned cluster"
V2 = {"min_capacity": 0.5, "max_capacity": 4}


def tamper(call: Callable[[AuroraProvisioned], object]) -> Callable[[HardenedStack], None]:
    def build(stack: HardenedStack) -> None:
        call(make_cluster(stack))

    return build


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda c: c.resource.add_override("serverlessv2_scaling_configuration", V2),
            f"Resource: serverlessv2_scaling_configuration {MEND}",
        ),
        (
            lambda c: c.resource.add_override("serverlessv2_scaling_configuration.min_capacity", 1),
            f"Resource: serverlessv2_scaling_configuration {MEND}",
        ),
        (
            lambda c: c.resource.add_override("scaling_configuration", [{"auto_pause": True}]),
            f"Resource: scaling_configuration {MEND}",
        ),
        (
            lambda c: c.resource.add_override("engine_mode", "serverless"),
            "Resource: engine_mode='serverless': must be 'provisioned'",
        ),
        (
            lambda c: setattr(c.resource, "engine_mode", "serverless"),
            "Resource: engine_mode='serverless': must be 'provisioned'",
        ),
        (
            lambda c: c.instances["1"].add_override("instance_class", "db.serverless"),
            "instance-1: instance_class='db.serverless': must be a provisioned class",
        ),
        (
            lambda c: setattr(c.instances["1"], "instance_class", "db.serverless"),
            "instance-1: instance_class='db.serverless': must be a provisioned class",
        ),
    ],
)
def test_a_change_that_makes_it_serverless_fails_the_synthesis(
    synth_stack: Synth, call: Callable[[AuroraProvisioned], object], line: str
) -> None:
    with pytest.raises(RuntimeError) as error:
        synth_stack(tamper(call))
    assert f"[shop/db] {line}" in str(error.value)


def test_other_overrides_pass(synth_stack: Synth) -> None:
    stack = synth_stack(tamper(lambda cluster: cluster.resource.add_override("network_type", "DUAL")))
    assert stack.resource("aws_rds_cluster")["network_type"] == "DUAL"


@pytest.mark.parametrize(
    ("password", "secret"),
    [
        (None, "${aws_rds_cluster.db_eu_west_1.master_user_secret[0].secret_arn}"),
        (GeneratedPassword(), "${aws_secretsmanager_secret.db_credentials_eu_west_1.arn}"),
    ],
)
def test_references_work_in_another_stack(
    synthesize: Synthesize, password: GeneratedPassword | None, secret: str
) -> None:
    def fill(stack: HardenedStack) -> dict[str, str]:
        cluster = make_cluster(stack, password=password)
        return {
            "id": cluster.id,
            "arn": cluster.arn,
            "endpoint": cluster.endpoint,
            "reader_endpoint": cluster.reader_endpoint,
            "secret_arn": cluster.secret_arn,
        }

    attributes = ("id", "arn", "endpoint", "reader_endpoint")
    assert read_from_another_stack(synthesize, fill) == {
        **{name: f"${{aws_rds_cluster.db_eu_west_1.{name}}}" for name in attributes},
        "secret_arn": secret,
    }
