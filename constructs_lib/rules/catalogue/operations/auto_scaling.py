"""Auto Scaling groups and scaling policies."""

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
"""Percent: a group that scales in only below it keeps idle instances."""

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
    """Return the Auto Scaling group or scalable target of a policy."""
    return policy.target("autoscaling_group_name", GROUP) or policy.target("resource_id", _TARGET)


@rule(
    "OPS-006",
    "Scale-in alarm threshold is at least 25 percent and at most half of the scale-out threshold",
    why="A lower threshold keeps idle instances; a higher one makes a group of two scale in and out in turn.",
    fix="Scale in below 30 and scale out above 70 percent, or use a target tracking policy.",
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
    """Compare a scale-in alarm with the scale-out alarms of the same group and metric."""
    if not str(low.get("comparison_operator")).startswith("Less"):
        yield NotApplicable("it does not alarm on low values")
        return
    scaled = {_scaled(policy) for policy in low.targets("alarm_actions", *_POLICIES)} - {None}
    metric, threshold = low.get("metric_name"), low.number("threshold")
    if not scaled or metric not in _PERCENT:
        yield NotApplicable("it does not scale in, or its metric is not a percentage")
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
                f"must be at most {top / 2:g}, half of the threshold of {high.address}: terminating one of two "
                "instances doubles the load of the other",
                "threshold",
            )
        elif threshold is not None and top is not None and threshold < _LOWEST:
            yield low.fail(
                f"must be {_LOWEST} to {max(top / 2, _LOWEST):g}, for the threshold {top:g} of {high.address}: a lower "
                "one keeps idle instances",
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
    "Auto Scaling group publishes metrics",
    why="Without group metrics nobody sees when the group scaled out, reached its maximum or had no healthy instance.",
    fix="Set enabled_metrics, for example to GroupInServiceInstances, GroupDesiredCapacity and GroupMaxSize.",
    page=f"{SCALING}/ec2-auto-scaling-metrics.html",
    types=[GROUP],
    severity=WARNING,
    lessons=["TRD-6"],
    good=_GOOD,
    breaks=[{f"{_AT}.enabled_metrics": REMOVED}, {f"{_AT}.enabled_metrics": []}],
)
def group_publishes_metrics(group: Block) -> Iterator[Outcome]:
    """Accept any list of metrics."""
    yield from expect_set(
        group, "enabled_metrics", "must contain metrics, such as GroupInServiceInstances; they are free of charge"
    )


@rule(
    "OPS-008",
    "Scaling policy has a cooldown or an instance warmup",
    why="The metrics of starting instances are misleading: the group scales again before they take load.",
    fix="Set cooldown of a simple scaling policy, estimated_instance_warmup of the others, or default_instance_warmup "
    "of the group.",
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
def policy_has_a_cooldown_or_warmup(policy: Block) -> Iterator[Outcome]:
    """Accept the default of the group."""
    kind = policy.get("policy_type")
    if kind == "PredictiveScaling":
        yield NotApplicable("it is a predictive scaling policy")
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
        yield policy.fail(f"must be the startup time of an instance in seconds; or set {of_group} of {named}", at)


@rule(
    "OPS-009",
    "Auto Scaling group with a load balancer uses ELB health checks",
    why="EC2 health checks do not notice a hanging application: the group never replaces the instance.",
    fix='Set health_check_type to "ELB", and health_check_grace_period to the startup time.',
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
def group_uses_elb_health_checks(group: Block) -> Iterator[Outcome]:
    """Find the load balancer by the arguments of the group or by an attachment."""
    attached = group.referrers_at("autoscaling_group_name", "aws_autoscaling_attachment")
    before = [group.get(at) for at in _BEFORE]
    if not attached and not any(map(is_given, before)) and not group.sections("traffic_source"):
        yield NotApplicable("it is not attached to a load balancer")
        return
    yield from expect(
        group,
        "health_check_type",
        lambda value: value is not None and str(value).upper() in ("ELB", "EBS,ELB", "VPC_LATTICE"),
        'must be "ELB", because the group is attached to a load balancer',
    )


@rule(
    "OPS-022",
    "Auto Scaling group spans two Availability Zones",
    why="The application fails with its Availability Zone, and cannot scale out when the zone has no capacity.",
    fix="Set vpc_zone_identifier to subnets in at least two Availability Zones.",
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
def group_spans_two_zones(group: Block) -> Iterator[Outcome]:
    """Compare the zones of the subnets, not their number."""
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
        yield group.fail("must span at least two Availability Zones", at)
    elif len(subnets) == len(values) and known and len(set(map(str, texts))) == 1:
        yield group.fail(f"must span at least two Availability Zones; all subnets are in {texts[0]}", at)
    elif unknown := next(filter(None, map(undecidable, zones)), None):
        yield group.undecided(unknown, at)


@rule(
    "OPS-023",
    "Auto Scaling group refreshes instances for new launch template versions",
    why="Without instance refresh, apply succeeds and running instances keep the old version, unpatched.",
    fix="Add instance_refresh, and set launch_template.version to latest_version of the launch template.",
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
def group_has_instance_refresh(group: Block) -> Iterator[Outcome]:
    """Terraform starts a refresh when the version changes; $Latest and $Default never change."""
    if group.section("instance_refresh") is None:
        yield group.fail(
            'must be set, with strategy = "Rolling", or instances keep the old launch template version',
            "instance_refresh",
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
                yield section.fail(
                    f"must be {named}: an instance refresh starts when the version changes, and this value never does",
                    "version",
                )


@rule(
    "OPS-024",
    "Auto Scaling minimum, desired and maximum capacity are consistent",
    why="AWS rejects a capacity outside the range at apply; validate and plan do not report it.",
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
    """Compare minimum and maximum where no desired capacity is set."""
    names = ("min_size", "desired_capacity", "max_size") if group.type == GROUP else ("min_capacity", "max_capacity")
    sizes = {name: group.number(name) for name in names}
    for name, value in sizes.items():
        if isinstance(value, Unknown):
            yield group.undecided(value, name)
    known = [(name, value) for name, value in sizes.items() if isinstance(value, int | float)]
    for (lower, low), (upper, high) in pairwise(known):
        if low > high:
            yield group.fail(f"must be at most {upper}, which is {high:g}", lower)
            return


@rule(
    "OPS-027",
    "Auto Scaling group tags its instances",
    why="default_tags of the provider do not apply to the instances: their owner and cost cannot be attributed.",
    fix="Add tag blocks with propagate_at_launch = true to the group, or tag_specifications to the launch template.",
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
def group_tags_its_instances(group: Block) -> Iterator[Outcome]:
    """Accept tags of the group or of its launch template."""
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
        yield tags[0].fail("must be true for at least one tag, or the instances have no tags", "propagate_at_launch")
    else:
        yield group.fail(
            "must be set, with propagate_at_launch = true: default_tags do not apply to the instances", "tag"
        )


def _templates(group: Block) -> list[Block]:
    return [
        *group.targets("launch_template", TEMPLATE),
        *group.targets("mixed_instances_policy", TEMPLATE),
        *group.targets("launch_configuration", CONFIGURATION),
    ]
