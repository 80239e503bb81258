"""Groups of machines, and when they grow and shrink."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.catalogue.operations.alarms import ALARM
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import PROVIDER, expect, expect_set
from constructs_lib.rules.queries.instances import CONFIGURATION, GROUP, SCALING, TEMPLATE
from constructs_lib.rules.queries.links import is_given, undecidable
from constructs_lib.rules.queries.networks import other_ends
from constructs_lib.rules.rule import ADVICE, PRODUCTION, REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_POLICY: Final = "aws_autoscaling_policy"
_POLICIES: Final = (_POLICY, "aws_appautoscaling_policy")
_TARGET: Final = "aws_appautoscaling_target"
_BEFORE: Final = ("load_balancers", "target_group_arns")
_PERCENT: Final = ("CPUUtilization", "MemoryUtilization", "mem_used_percent")
_LOWEST: Final = 25
"""Percent of use: a group that shrinks only below it keeps machines that stand idle."""

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_subnet": {
            "a": {"vpc_id": "vpc-0a1b2c3d", "availability_zone": "eu-west-1a"},
            "b": {"vpc_id": "vpc-0a1b2c3d", "availability_zone": "eu-west-1b"},
        },
        "aws_lb_target_group": {"web": {"port": 8443, "protocol": "HTTPS"}},
        "aws_launch_template": {"web": {"name": "shop-prod-web"}},
        "aws_autoscaling_group": {
            "web": {
                "name": "shop-prod-web",
                "min_size": 2,
                "max_size": 6,
                "desired_capacity": 2,
                "vpc_zone_identifier": ["${aws_subnet.a.id}", "${aws_subnet.b.id}"],
                "target_group_arns": ["${aws_lb_target_group.web.arn}"],
                "health_check_type": "ELB",
                "default_instance_warmup": 180,
                "default_cooldown": 300,
                "enabled_metrics": ["GroupInServiceInstances", "GroupDesiredCapacity"],
                "launch_template": {
                    "id": "${aws_launch_template.web.id}",
                    "version": "${aws_launch_template.web.latest_version}",
                },
                "instance_refresh": {"strategy": "Rolling"},
                "tag": [{"key": "Name", "value": "shop-prod-web", "propagate_at_launch": True}],
            }
        },
        "aws_appautoscaling_target": {"tasks": {"min_capacity": 2, "max_capacity": 8}},
        "aws_autoscaling_policy": {
            "up": {
                "name": "up",
                "autoscaling_group_name": "${aws_autoscaling_group.web.name}",
                "policy_type": "SimpleScaling",
                "cooldown": 300,
            },
            "down": {
                "name": "down",
                "autoscaling_group_name": "${aws_autoscaling_group.web.name}",
                "policy_type": "StepScaling",
            },
        },
        ALARM: {
            "high": {
                "metric_name": "CPUUtilization",
                "comparison_operator": "GreaterThanThreshold",
                "threshold": 70,
                "alarm_actions": ["${aws_autoscaling_policy.up.arn}"],
            },
            "low": {
                "metric_name": "CPUUtilization",
                "comparison_operator": "LessThanThreshold",
                "threshold": 30,
                "alarm_actions": ["${aws_autoscaling_policy.down.arn}"],
            },
        },
    }
}
_AT: Final = "resource.aws_autoscaling_group.web"
_LOW: Final = f"resource.{ALARM}.low"


def _scaled(policy: Block) -> Block | None:
    """Return the group or service that a policy grows and shrinks."""
    return policy.target("autoscaling_group_name", GROUP) or policy.target("resource_id", _TARGET)


@rule(
    "OPS-006",
    "The thresholds of growing and shrinking are 70 and 30 percent, or near",
    why="At 20 percent machines stand idle and are paid for; with both close together a group of two shrinks and grows "
    "in turn.",
    fix="Shrink below 30 and grow above 70 percent, or let a target tracking policy do both.",
    page=f"{SCALING}/as-scaling-simple-step.html",
    types=[ALARM],
    severity=ADVICE,
    lessons=["TRD-6"],
    good=_GOOD,
    breaks=[
        {f"{_LOW}.threshold": 20},
        {f"{_LOW}.threshold": "50"},
        {f"resource.{ALARM}.high.threshold": 40},
    ],
)
def thresholds_leave_room(low: Block) -> Iterator[Outcome]:
    """Compare an alarm that shrinks a group with those that grow it, by the same metric."""
    if not str(low.get("comparison_operator")).startswith("Less"):
        yield NotApplicable("not about too little")
        return
    scaled = {_scaled(policy) for policy in low.targets("alarm_actions", *_POLICIES)} - {None}
    metric, threshold = low.get("metric_name"), low.number("threshold")
    if not scaled or metric not in _PERCENT:
        yield NotApplicable("shrinks nothing, or not by percent")
        return
    if isinstance(threshold, Unknown):
        yield low.undecided(threshold, "threshold")
        return
    for high in (high for group in scaled if group is not None for high in _growing(group, metric)):
        top = high.number("threshold")
        if isinstance(top, Unknown):
            yield high.undecided(top, "threshold")
        elif threshold is not None and top is not None and threshold * 2 > top:
            yield low.fail(
                f"must be at most {top / 2:g}, half of what {high.address} grows at: one machine of two that goes "
                "doubles the load of the other",
                "threshold",
            )
        elif threshold is not None and top is not None and threshold < _LOWEST:
            yield low.fail(
                f"must be {_LOWEST} to {max(top / 2, _LOWEST):g}, where {high.address} grows at {top:g}: below that "
                "machines stand idle",
                "threshold",
            )


def _growing(group: Block, metric: object) -> list[Block]:
    policies = [policy for policy in group.referrers(*_POLICIES) if _scaled(policy) is group]
    alarms = dict.fromkeys(alarm for policy in policies for alarm in policy.referrers_at("alarm_actions", ALARM))
    return [
        alarm
        for alarm in alarms
        if alarm.get("metric_name") == metric and str(alarm.get("comparison_operator")).startswith("Greater")
    ]


@rule(
    "OPS-007",
    "A group of machines counts them",
    why="Nobody sees when the group grew, stood at its maximum, or had no healthy machine.",
    fix="List enabled_metrics, such as GroupInServiceInstances, GroupDesiredCapacity and GroupMaxSize.",
    page=f"{SCALING}/ec2-auto-scaling-metrics.html",
    types=[GROUP],
    severity=WARNING,
    lessons=["TRD-6"],
    good=_GOOD,
    breaks=[{f"{_AT}.enabled_metrics": REMOVED}, {f"{_AT}.enabled_metrics": []}],
)
def group_has_metrics(group: Block) -> Iterator[Outcome]:
    """They cost nothing."""
    yield from expect_set(group, "enabled_metrics", "must list metrics, such as GroupInServiceInstances; they are free")


@rule(
    "OPS-008",
    "A group waits after it has grown or shrunk",
    why="Machines that still start look idle or broken; the group grows again, or shrinks, before they have helped.",
    fix="Set cooldown of a simple policy, or estimated_instance_warmup of another, or default_instance_warmup of the "
    "group.",
    page=f"{SCALING}/ec2-auto-scaling-default-instance-warmup.html",
    types=[_POLICY],
    severity=ADVICE,
    lessons=["TRD-6"],
    good=_GOOD,
    breaks=[
        {f"{_AT}.default_instance_warmup": REMOVED},
        {"resource.aws_autoscaling_policy.up.cooldown": REMOVED, f"{_AT}.default_cooldown": REMOVED},
        {"resource.aws_autoscaling_policy.up.cooldown": 0},
    ],
)
def group_waits(policy: Block) -> Iterator[Outcome]:
    """What the policy does not say the group may."""
    kind = policy.get("policy_type")
    if kind == "PredictiveScaling":
        yield NotApplicable("looks ahead")
        return
    simple = kind in (None, "SimpleScaling")
    at, of_group = (
        ("cooldown", "default_cooldown") if simple else ("estimated_instance_warmup", "default_instance_warmup")
    )
    group = policy.target("autoscaling_group_name", GROUP)
    value = policy.number(at)
    if value is None and group is None:
        yield policy.undecided(Unknown("the group is not in these stacks"), at)
        return
    if value is None and group is not None:
        value = group.number(of_group)
    if isinstance(value, Unknown):
        yield policy.undecided(value, at)
    elif not value:
        named = group.address if group is not None else "the group"
        yield policy.fail(f"must be the seconds that a machine takes to start; or set {of_group} of {named}", at)


@rule(
    "OPS-009",
    "A group behind a load balancer replaces what the load balancer finds unhealthy",
    why="By default only machines that AWS finds broken are replaced; one whose application hangs stays for ever.",
    fix='Set health_check_type to "ELB", with a grace period for the start.',
    page=f"{SCALING}/health-checks-overview.html",
    types=[GROUP],
    severity=WARNING,
    lessons=["TRD-6"],
    frameworks=Frameworks(fsbp=("AutoScaling.1",), checkov=("CKV2_AWS_15",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.health_check_type": REMOVED},
        {f"{_AT}.health_check_type": "EC2"},
        {
            f"{_AT}.health_check_type": "EC2",
            f"{_AT}.target_group_arns": REMOVED,
            "resource.aws_autoscaling_attachment": {
                "web": {
                    "autoscaling_group_name": "${aws_autoscaling_group.web.name}",
                    "lb_target_group_arn": "${aws_lb_target_group.web.arn}",
                }
            },
        },
    ],
)
def group_asks_the_load_balancer(group: Block) -> Iterator[Outcome]:
    """A group is put behind one by its own arguments, or by an attachment."""
    attached = group.referrers_at("autoscaling_group_name", "aws_autoscaling_attachment")
    before = [group.get(at) for at in _BEFORE]
    if not attached and not any(map(is_given, before)) and not group.sections("traffic_source"):
        yield NotApplicable("stands behind no load balancer")
        return
    yield from expect(
        group,
        "health_check_type",
        lambda value: value is not None and str(value).upper() in ("ELB", "EBS,ELB", "VPC_LATTICE"),
        'must be "ELB", since the group stands behind a load balancer',
    )


@rule(
    "OPS-022",
    "A group of machines stands in two zones",
    why="The application goes with its zone, and cannot grow when that has no capacity.",
    fix="List a subnet of each of two zones in vpc_zone_identifier.",
    page=f"{SCALING}/auto-scaling-benefits.html",
    types=[GROUP],
    severity=PRODUCTION,
    frameworks=Frameworks(fsbp=("AutoScaling.2",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.vpc_zone_identifier": ["${aws_subnet.a.id}"]},
        {"resource.aws_subnet.b.availability_zone": "eu-west-1a"},
        {f"{_AT}.vpc_zone_identifier": [], f"{_AT}.availability_zones": ["eu-west-1a"]},
    ],
)
def group_stands_in_two_zones(group: Block) -> Iterator[Outcome]:
    """Two subnets of one zone are one zone."""
    at = "vpc_zone_identifier" if group.raw("vpc_zone_identifier") else "availability_zones"
    values = group.items(at)
    if isinstance(values, Unknown):
        yield group.undecided(values, at)
        return
    subnets = other_ends(group, at, "aws_subnet") if at == "vpc_zone_identifier" else []
    zones = [subnet.get("availability_zone") or subnet.get("availability_zone_id") for subnet in subnets]
    texts = [zone.text if isinstance(zone, Computed) else zone for zone in zones]
    known = all(isinstance(text, str) and "each." not in text and "count." not in text for text in texts)
    if len(values) < 2:  # noqa: PLR2004  two zones
        yield group.fail("must hold two zones, or a subnet in each of two", at)
    elif len(subnets) == len(values) and known and len(set(map(str, texts))) == 1:
        yield group.fail(f"must hold a subnet in each of two zones; all are in {texts[0]}", at)
    elif unknown := next(filter(None, map(undecidable, zones)), None):
        yield group.undecided(unknown, at)


@rule(
    "OPS-023",
    "A changed launch template reaches the machines",
    why="Terraform changes the template and says that all is well; the machines stay as they are, unpatched.",
    fix="Add instance_refresh, and give the template's latest_version as version.",
    page=f"{PROVIDER}/resources/autoscaling_group",
    types=[GROUP],
    severity=ADVICE,
    good=_GOOD,
    breaks=[
        {f"{_AT}.instance_refresh": REMOVED},
        {f"{_AT}.launch_template.version": "$Latest"},
        {f"{_AT}.launch_template": [{"id": "${aws_launch_template.web.id}"}]},
    ],
)
def template_reaches_machines(group: Block) -> Iterator[Outcome]:
    """Terraform starts a refresh when the version changes, which the words $Latest and $Default do not."""
    if group.section("instance_refresh") is None:
        yield group.fail(
            "must be there, with the strategy Rolling, or machines keep the old template", "instance_refresh"
        )
        return
    for at in ("launch_template", "mixed_instances_policy.launch_template.launch_template_specification"):
        for section in group.sections(at):
            version = section.get("version")
            template = section.target("id", TEMPLATE) or section.target("launch_template_id", TEMPLATE)
            if isinstance(version, Unknown) and not isinstance(version, Computed):
                yield section.undecided(version, "version")
            elif version in (None, "$Latest", "$Default"):
                named = f"${{{template.address}.latest_version}}" if template is not None else "a number"
                yield section.fail(f"must be {named}: a refresh starts when it changes, and this never does", "version")


@rule(
    "OPS-024",
    "A group's smallest, desired and largest sizes agree",
    why="AWS refuses a size out of the range; neither validate nor plan says so.",
    fix="Set min_size <= desired_capacity <= max_size.",
    page=f"{SCALING}/asg-capacity-limits.html",
    types=[GROUP, _TARGET],
    good=_GOOD,
    breaks=[
        {f"{_AT}.desired_capacity": 8},
        {f"{_AT}.min_size": "7"},
        {f"{_AT}.desired_capacity": 1},
        {"resource.aws_appautoscaling_target.tasks.min_capacity": 10},
    ],
)
def sizes_agree(group: Block) -> Iterator[Outcome]:
    """Without a desired capacity the smallest size is taken."""
    names = ("min_size", "desired_capacity", "max_size") if group.type == GROUP else ("min_capacity", "max_capacity")
    sizes = {name: group.number(name) for name in names}
    for name, value in sizes.items():
        if isinstance(value, Unknown):
            yield group.undecided(value, name)
    known = [(name, value) for name, value in sizes.items() if isinstance(value, int | float)]
    for (lower, low), (upper, high) in pairwise(known):
        if low > high:
            yield group.fail(f"must be at most {high:g}, the {upper}", lower)
            return


@rule(
    "OPS-027",
    "The machines of a group carry tags",
    why="Terraform's default_tags do not reach them: nobody can tell whose they are or what they cost.",
    fix="Give the group tag blocks with propagate_at_launch = true, or the launch template tag_specifications.",
    page=f"{SCALING}/ec2-auto-scaling-tagging.html",
    types=[GROUP],
    severity=ADVICE,
    lessons=["TRD-12"],
    frameworks=Frameworks(checkov=("CKV_AWS_153",)),
    good=_GOOD,
    breaks=[
        {f"{_AT}.tag": REMOVED},
        {f"{_AT}.tag.0.propagate_at_launch": False},
    ],
)
def machines_carry_tags(group: Block) -> Iterator[Outcome]:
    """Tags of the group, or of its template."""
    templates = [block for block in _templates(group) if block.type == TEMPLATE]
    if any(each.get("resource_type") == "instance" for one in templates for each in one.sections("tag_specifications")):
        return
    tags = group.sections("tag")
    flags = [tag.body if isinstance(tag.body, Unknown) else tag.flag("propagate_at_launch") for tag in tags]
    unknown = next((flag for flag in flags if isinstance(flag, Unknown)), None)
    if True in flags:
        return
    if unknown:
        yield group.undecided(unknown, "tag")
    elif tags:
        yield tags[0].fail("must be true of one tag at least, or machines carry none", "propagate_at_launch")
    else:
        yield group.fail("must be there, with propagate_at_launch = true: default_tags do not reach machines", "tag")


def _templates(group: Block) -> list[Block]:
    return [
        *group.targets("launch_template", TEMPLATE),
        *group.targets("mixed_instances_policy", TEMPLATE),
        *group.targets("launch_configuration", CONFIGURATION),
    ]
