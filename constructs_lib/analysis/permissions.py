"""The IAM policy of the role that deploys a stack: the actions that the AWS provider calls for the stack's types.

`permissions.json` holds the actions by resource type, recorded from the provider.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.regions import partition
from constructs_lib.rules.estate.policies import statements
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.rules.estate.model import Block, Stack

MANAGED_POLICY_SIZE: Final = 6_144
"""Characters of a customer managed policy, without white space.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
"""

GLOBAL: Final = frozenset(("iam", "route53", "s3", "sts"))
"""Services whose calls are not bound to a region of the stack."""

NAMES: Final = {
    "aws_autoscaling_group": ("autoscaling", "name", ("autoScalingGroup:*:autoScalingGroupName/{}",)),
    "aws_cloudwatch_event_bus": ("events", "name", ("event-bus/{}", "rule/{}/*")),
    "aws_cloudwatch_log_group": ("logs", "name", ("log-group:{}", "log-group:{}:*")),
    "aws_cloudwatch_metric_alarm": ("cloudwatch", "alarm_name", ("alarm:{}",)),
    "aws_db_event_subscription": ("rds", "name", ("es:{}",)),
    "aws_db_parameter_group": ("rds", "name", ("pg:{}",)),
    "aws_db_subnet_group": ("rds", "name", ("subgrp:{}",)),
    "aws_dynamodb_table": ("dynamodb", "name", ("table/{}", "table/{}/*")),
    "aws_elasticache_parameter_group": ("elasticache", "name", ("parametergroup:{}",)),
    "aws_elasticache_replication_group": (
        "elasticache",
        "replication_group_id",
        ("replicationgroup:{}", "cluster:{}*"),
    ),
    "aws_elasticache_subnet_group": ("elasticache", "name", ("subnetgroup:{}",)),
    "aws_elasticache_user": ("elasticache", "user_id", ("user:{}",)),
    "aws_elasticache_user_group": ("elasticache", "user_group_id", ("usergroup:{}",)),
    "aws_iam_instance_profile": ("iam", "name", ("instance-profile/{}",)),
    "aws_iam_policy": ("iam", "name", ("policy/{}",)),
    "aws_iam_role": ("iam", "name", ("role/{}",)),
    "aws_kms_alias": ("kms", "name", ("{}", "key/*")),
    "aws_lambda_function": ("lambda", "function_name", ("function:{}", "function:{}:*", "event-source-mapping:*")),
    "aws_lambda_layer_version": ("lambda", "layer_name", ("layer:{}", "layer:{}:*")),
    "aws_lb": (
        "elasticloadbalancing",
        "name",
        ("loadbalancer/app/{}/*", "listener/app/{}/*", "listener-rule/app/{}/*"),
    ),
    "aws_lb_target_group": ("elasticloadbalancing", "name", ("targetgroup/{}/*",)),
    "aws_rds_cluster": ("rds", "cluster_identifier", ("cluster:{}", "cluster-snapshot:{}*")),
    "aws_rds_cluster_instance": ("rds", "identifier", ("db:{}",)),
    "aws_rds_cluster_parameter_group": ("rds", "name", ("cluster-pg:{}",)),
    "aws_s3_bucket": ("s3", "bucket", ("{}", "{}/*")),
    "aws_secretsmanager_secret": ("secretsmanager", "name", ("secret:{}-*",)),
    "aws_sns_topic": ("sns", "name", ("{}", "{}:*")),
    "aws_sqs_queue": ("sqs", "name", ("{}",)),
    "aws_ssm_parameter": ("ssm", "name", ("parameter{}",)),
    "aws_wafv2_web_acl": ("wafv2", "name", ("regional/webacl/{}/*", "regional/managedruleset/*")),
}
"""By type: the service, the argument with the resource's name, and the ends of the ARNs that its actions are for."""

VIA: Final = {
    "aws_dynamodb_table": "dynamodb",
    "aws_elasticache_replication_group": "elasticache",
    "aws_lambda_function": "lambda",
    "aws_rds_cluster": "rds",
    "aws_secretsmanager_secret": "secretsmanager",
    "aws_ssm_parameter": "ssm",
}
"""Services that use a customer managed key with the permissions of the caller."""

LINKED: Final = {
    "aws_autoscaling_group": "autoscaling",
    "aws_elasticache_replication_group": "elasticache",
    "aws_lb": "elasticloadbalancing",
    "aws_rds_cluster": "rds",
    "aws_wafv2_web_acl_logging_configuration": "wafv2",
}
"""Services that create a service-linked role at first use.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html.
"""

_SILENT: Final = frozenset(("data.aws_iam_policy_document", "data.aws_partition", "data.aws_region"))
"""Data sources that call nothing."""

_METHODS: Final = frozenset(f"apigateway:{method}" for method in ("DELETE", "GET", "PATCH", "POST", "PUT"))

SCALED: Final = {"dynamodb": "dynamodb", "elasticache": "elasticache", "rds": "rds"}


@dataclass(frozen=True)
class Deployment:
    """What the role that deploys a stack needs.

    Attributes:
        stack: The stack's name.
        statements: Statements of IAM policies.
        unrecorded: Resource types whose operations are not recorded; their actions are missing.
    """

    stack: str
    statements: tuple[dict[str, Any], ...]
    unrecorded: tuple[str, ...]

    def policies(self) -> tuple[dict[str, Any], ...]:
        """Return policy documents with these statements, each small enough for a managed policy."""
        found: list[list[dict[str, Any]]] = [[]]
        for statement in self.statements:
            if found[-1] and _size([*found[-1], statement]) > MANAGED_POLICY_SIZE:
                found.append([])
            found[-1].append(statement)
        return tuple(_document(some) for some in found)


def deployment(stack: Stack) -> Deployment:
    """Return the permissions that planning, applying, changing and destroying a stack need.

    Args:
        stack: A synthesized stack.
    """
    blocks = [block for block in stack.blocks if block.type.startswith(("aws_", "data.aws_"))]
    types = {block.type for block in blocks}
    known = _recorded()
    actions = {action for type_ in ("provider", *types) for action in known["types"].get(type_, ())}
    place = _Place(stack, blocks)
    found = [
        *_on_resources(actions & set(known["scoped"]), place),
        *_everywhere(actions - set(known["scoped"]), place),
        *_pass_role(blocks, place),
        *_linked_roles(blocks),
        *_keys(types, place),
        *_state(stack, place),
    ]
    return Deployment(stack.id, tuple(found), tuple(sorted(types - known["types"].keys() - _SILENT)))


class _Place:
    """Where a stack is deployed: the parts of its ARNs."""

    def __init__(self, stack: Stack, blocks: Iterable[Block]) -> None:
        self.blocks = list(blocks)
        providers = [block for block in stack.blocks if block.type == "provider.aws"]
        accounts = {account for one in providers for account in one.get("allowed_account_ids") or () if account}
        self.account = accounts.pop() if len(accounts) == 1 else "*"
        regions = {region for block in self.blocks if isinstance(region := block.region, str) and region}
        self.regions = sorted(regions)
        self.region = self.regions[0] if len(self.regions) == 1 else "*"
        self.partition = partition(self.regions[0]) if self.regions else "aws"

    def arns(self, service: str) -> list[str]:
        """Return the ARNs of the stack's resources of a service; none where they cannot be known before apply."""
        found: dict[str, list[str]] = defaultdict(list)
        for block in self.blocks:
            of, argument, ends = NAMES.get(block.type, ("", "", ()))
            if of == service:
                name = _pattern(block.raw(argument))
                for end in ends:
                    found[end].append(name)
        return [
            self._arn(service, end.format(name)) for end, names in sorted(found.items()) for name in _shortened(names)
        ]

    def _arn(self, service: str, end: str) -> str:
        region = "" if service in GLOBAL else self.region
        account = "" if service == "s3" else self.account
        return f"arn:{self.partition}:{service}:{region}:{account}:{end}"


def _on_resources(actions: set[str], place: _Place) -> Iterator[dict[str, Any]]:
    for service, some in _by_service(actions):
        if service == "apigateway":
            yield _allow("Apigateway", some | _METHODS, [f"arn:{place.partition}:apigateway:{place.region}::/*"])
            continue
        arns = place.arns(service)
        if arns:
            yield _allow(_sid(service), some, arns)
        else:
            yield _allow(_sid(service), some, ["*"], None if service in GLOBAL else _in_regions(place))


def _everywhere(actions: set[str], place: _Place) -> Iterator[dict[str, Any]]:
    """Yield statements for actions that cannot be limited to resources, in the stack's regions."""
    regional = {action for action in actions if action.partition(":")[0] not in GLOBAL}
    if regional:
        yield _allow("Unlimited", regional, ["*"], _in_regions(place))
    if actions - regional:
        yield _allow("UnlimitedGlobal", actions - regional, ["*"])


def _pass_role(blocks: Iterable[Block], place: _Place) -> Iterator[dict[str, Any]]:
    """Let the deployer hand the stack's roles to the services that their trust policies name."""
    services: set[str] = set()
    for role in (block for block in blocks if block.type == "aws_iam_role"):
        trust = statements(role, "assume_role_policy")
        for statement in [] if isinstance(trust, Unknown) else trust:
            services.update(str(one.value) for one in statement.principals if one.kind == "Service")
    if services:
        roles = [arn for arn in place.arns("iam") if ":role/" in arn]
        condition = {"StringEquals": {"iam:PassedToService": sorted(services)}}
        yield _allow("PassRole", {"iam:PassRole"}, roles, condition)


def _linked_roles(blocks: Iterable[Block]) -> Iterator[dict[str, Any]]:
    services: set[str] = set()
    for block in blocks:
        if block.type in LINKED:
            services.add(f"{LINKED[block.type]}.amazonaws.com")
        if block.type == "aws_dynamodb_table" and block.sections("replica"):
            services.add("replication.dynamodb.amazonaws.com")
        if block.type == "aws_appautoscaling_target":
            scaled = SCALED.get(str(block.get("service_namespace")))
            services.update([f"{scaled}.application-autoscaling.amazonaws.com"] if scaled else [])
    if services:
        condition = {"StringEquals": {"iam:AWSServiceName": sorted(services)}}
        yield _allow("ServiceLinkedRoles", {"iam:CreateServiceLinkedRole"}, ["*"], condition)


def _keys(types: set[str], place: _Place) -> Iterator[dict[str, Any]]:
    """Let services use the stack's keys in the deployer's name; the key's policy must allow it too."""
    services = sorted({VIA[type_] for type_ in types & VIA.keys()})
    if services and "aws_kms_key" in types:
        via = [f"{service}.{region}.amazonaws.com" for service in services for region in place.regions]
        actions = {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
        keys = f"arn:{place.partition}:kms:{place.region}:{place.account}:key/*"
        yield _allow("KeysThroughServices", actions, [keys], {"StringEquals": {"kms:ViaService": via}})


def _state(stack: Stack, place: _Place) -> Iterator[dict[str, Any]]:
    """Let the deployer read and write the state in S3, with its lock file."""
    backend = stack.terraform.section("backend.s3")
    if backend is None:
        return
    bucket, key = _pattern(backend.raw("bucket")), _pattern(backend.raw("key"))
    arn = f"arn:{place.partition}:s3:::{bucket}"
    yield _allow("StateBucket", {"s3:ListBucket"}, [arn])
    yield _allow("State", {"s3:GetObject", "s3:PutObject"}, [f"{arn}/{key}"])
    yield _allow("StateLock", {"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, [f"{arn}/{key}.tflock"])
    if isinstance(key_id := backend.get("kms_key_id"), str) and key_id.startswith("arn:"):
        yield _allow("StateKey", {"kms:Decrypt", "kms:GenerateDataKey"}, [key_id])


@cache
def _recorded() -> dict[str, Any]:
    text = files("constructs_lib.analysis").joinpath("permissions.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _by_service(actions: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    found: dict[str, set[str]] = defaultdict(set)
    for action in actions:
        found[action.partition(":")[0]].add(action)
    yield from sorted(found.items())


def _allow(
    sid: str, actions: Iterable[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def _in_regions(place: _Place) -> dict[str, Any] | None:
    return {"StringEquals": {"aws:RequestedRegion": place.regions}} if place.regions else None


def _sid(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("-"))


def _pattern(value: object) -> str:
    """Return a name with `*` for what is known after synthesis only."""
    return re.sub(r"\$\{[^}]*\}", "*", value) if isinstance(value, str) and value else "*"


def _shortened(names: Iterable[str]) -> list[str]:
    """Return names as they are, or their common beginning when there are many."""
    found = sorted(set(names))
    common = os.path.commonprefix(found).rpartition("-")[0]  # noqa: RUF071  names are not paths
    return [f"{common}-*"] if len(found) > _FEW and len(common) >= _LONG else found


_FEW: Final = 3
_LONG: Final = 4
"""Characters that a common beginning must have to be worth a pattern."""


def _document(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": found}


def _size(found: list[dict[str, Any]]) -> int:
    return len(re.sub(r"\s", "", json.dumps(_document(found))))
