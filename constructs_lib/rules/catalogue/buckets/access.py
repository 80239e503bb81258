"""Access to buckets: public access, policies, TLS and ACLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.policies import Statement
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.admission import has_source, is_for_everyone
from constructs_lib.rules.queries.buckets import BUCKET, GUIDE, POLICY, missing, parts, policies_of, policy_of
from constructs_lib.rules.queries.common import AWS, expect_flag, is_partly_known, policy_text
from constructs_lib.rules.queries.links import undecidable
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


_BLOCK: Final = f"{BUCKET}_public_access_block"
_OWNERSHIP: Final = f"{BUCKET}_ownership_controls"
_ACL: Final = f"{BUCKET}_acl"
_FLAGS: Final = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_ENFORCED: Final = "BucketOwnerEnforced"
_PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read")
_PUBLIC_GROUPS: Final = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
_ACCESS_POINTS: Final = ("s3:DataAccessPointAccount", "s3:DataAccessPointArn")
_POLICY_CHANGES: Final = ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
"""Permissions that allow a principal to repair a bucket policy."""
_NO_SOURCE: Final = frozenset({"logdelivery.elasticloadbalancing.amazonaws.com"})
"""Services that AWS's own examples allow on a bucket without a condition."""


def _statement(**more: object) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"},
        "Action": "s3:GetObject",
        "Resource": "${aws_s3_bucket.data.arn}/*",
        **more,
    }


_TLS: Final = _statement(
    Effect="Deny",
    Principal="*",
    Action="s3:*",
    Resource=["${aws_s3_bucket.data.arn}", "${aws_s3_bucket.data.arn}/*"],
    Condition={"Bool": {"aws:SecureTransport": "false"}},
)
_CDN: Final = _statement(
    Principal={"Service": "cloudfront.amazonaws.com"},
    Condition={"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}},
)
_GOOD: Final[dict[str, Any]] = {
    "resource": {
        BUCKET: {"data": {"bucket": "shop-prod-data"}},
        _BLOCK: {"data": {"bucket": "${aws_s3_bucket.data.id}", **dict.fromkeys(_FLAGS, True)}},
        _OWNERSHIP: {"data": {"bucket": "${aws_s3_bucket.data.id}", "rule": {"object_ownership": _ENFORCED}}},
        POLICY: {"data": {"bucket": "${aws_s3_bucket.data.id}", "policy": policy_text(_TLS, _statement(), _CDN)}},
        "aws_s3_object": {"logo": {"bucket": "${aws_s3_bucket.data.id}", "key": "logo.svg"}},
    }
}
_POLICY_AT: Final = f"resource.{POLICY}.data.policy"


@rule(
    "S3-001",
    "S3 Block Public Access has all four settings enabled",
    why="Each disabled setting leaves one way to make objects public: by ACL or by policy, new or existing.",
    fix="Set block_public_acls, block_public_policy, ignore_public_acls and restrict_public_buckets to true.",
    page=f"{GUIDE}/access-control-block-public-access.html",
    types=[_BLOCK, "aws_s3_account_public_access_block", "aws_s3_access_point"],
    lessons=["TRD-13", "PLAT-8"],
    frameworks=Frameworks(
        fsbp=("S3.1", "S3.8"),
        cis=("2.1.4",),
        checkov=("CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56"),
    ),
    good=_GOOD,
    breaks=[
        {f"resource.{_BLOCK}.data.block_public_policy": False},
        {f"resource.{_BLOCK}.data.restrict_public_buckets": REMOVED},
        {f"resource.{_BLOCK}.data.ignore_public_acls": "false"},
        {"resource.aws_s3_account_public_access_block": {"own": {"block_public_acls": True}}},
        {
            "resource.aws_s3_access_point": {
                "open": {
                    "bucket": "shop-prod-data",
                    "name": "open",
                    "public_access_block_configuration": {"block_public_policy": False},
                }
            }
        },
    ],
)
def public_access_block_is_complete(block: Block) -> Iterator[Outcome]:
    """An omitted setting is false; on an access point it is true."""
    is_point = block.type == "aws_s3_access_point"
    for section in block.sections("public_access_block_configuration") if is_point else [block]:
        for flag in _FLAGS:
            yield from expect_flag(section, flag, "must be true; publish objects through CloudFront", default=is_point)


@rule(
    "S3-002",
    "S3 bucket has a public access block",
    why="The next policy or ACL can make the bucket public.",
    fix="Add an aws_s3_bucket_public_access_block for the bucket with all four settings true.",
    page=f"{GUIDE}/access-control-block-public-access.html",
    types=[BUCKET],
    severity=WARNING,
    lessons=["TRD-13", "PLAT-8"],
    frameworks=Frameworks(fsbp=("S3.8",), cis=("2.1.4",), checkov=("CKV2_AWS_6",)),
    good=_GOOD,
    breaks=[
        {f"resource.{_BLOCK}": REMOVED},
        {f"resource.{_BLOCK}.data.bucket": "shop-prod-other"},
    ],
)
def bucket_has_a_public_access_block(bucket: Block) -> Iterator[Outcome]:
    """A public access block may reference the bucket or name it literally."""
    if not parts(bucket, _BLOCK):
        yield missing(bucket, _BLOCK, f"must have an {_BLOCK} with all four settings true")


@rule(
    "S3-003",
    "S3 bucket policy does not allow public access",
    why="The principal * is everyone on the internet: they can read objects, or even write them.",
    fix="Name accounts, roles or services, or restrict the statement with aws:PrincipalOrgID or aws:SourceVpce.",
    page=f"{GUIDE}/access-control-block-public-access.html",
    types=[POLICY, BUCKET],
    lessons=["PLAT-9"],
    frameworks=Frameworks(fsbp=("S3.2", "S3.3"), checkov=("CKV_AWS_70",)),
    good=_GOOD,
    breaks=[
        {_POLICY_AT: policy_text(_TLS, _statement(Principal="*", Sid="Public"))},
        {_POLICY_AT: policy_text(_TLS, _statement(Principal={"AWS": ["*"]}))},
        {
            _POLICY_AT: policy_text(
                _statement(Principal="*", Condition={"StringLike": {"aws:Referer": "https://shop.*"}})
            )
        },
        {f"resource.{BUCKET}.data.policy": policy_text(_statement(Principal={"AWS": "*"}))},
    ],
)
def bucket_policy_is_not_public(holder: Block) -> Iterator[Outcome]:
    """A statement that delegates to the access points of one account is not public."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
        elif is_for_everyone(statement) and not any(
            value != "*" for key in _ACCESS_POINTS for value in statement.condition(key)
        ):
            yield holder.fail(
                f"must not be public: {_named(statement)} allows "
                f"{', '.join(map(str, statement.actions)) or 'actions'} to everyone; name principals, or add a "
                "condition such as aws:PrincipalOrgID",
                "policy",
            )


@rule(
    "S3-004",
    "S3 bucket requires TLS",
    why="S3 also accepts plain HTTP, where objects and request signatures are readable on the network.",
    fix="Add a bucket policy that denies s3:* to * on the bucket and its objects where aws:SecureTransport is false.",
    page=f"{GUIDE}/security-best-practices.html",
    types=[BUCKET],
    severity=WARNING,
    lessons=["TRD-13", "PLAT-8"],
    frameworks=Frameworks(fsbp=("S3.5",), cis=("2.1.1",)),
    good=_GOOD,
    breaks=[
        {f"resource.{POLICY}": REMOVED},
        {_POLICY_AT: policy_text(_statement())},
        {_POLICY_AT: policy_text({**_TLS, "Effect": "Allow"})},
        {_POLICY_AT: policy_text({**_TLS, "Action": "s3:PutObject"})},
        {_POLICY_AT: policy_text({**_TLS, "Resource": "${aws_s3_bucket.data.arn}"})},
        {_POLICY_AT: policy_text({**_TLS, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})},
        {_POLICY_AT: policy_text({**_TLS, "Principal": {"AWS": "111122223333"}})},
    ],
)
def bucket_requires_tls(bucket: Block) -> Iterator[Outcome]:
    """Check the policy argument of the bucket and its bucket policies."""
    doubt: Unknown | None = None
    last: Block | None = None
    for last, found in policies_of(bucket):  # noqa: B007  the finding is about the last one
        if isinstance(found, Unknown):
            doubt = found
        elif any(map(_denies_http, found)):
            return
    wanted = "that denies s3:* to * on the bucket and its objects where aws:SecureTransport is false"
    if last is None:
        yield missing(bucket, POLICY, f"must have an {POLICY} {wanted}")
    elif doubt:
        yield last.undecided(doubt, "policy")
    else:
        yield last.fail(f"must have a statement {wanted}", "policy")


def _denies_http(statement: Statement) -> bool:
    actions = {action.lower() for action in statement.actions if isinstance(action, str)}
    resources = [value.text if isinstance(value, Unknown) else value for value in statement.resources]
    return (
        statement.effect == "Deny"
        and (bool(actions & {"*", "s3:*"}) or {"s3:getobject", "s3:putobject"} <= actions)
        and any(resource.endswith("*") or not resource for resource in resources)
        and any(who.value == "*" for who in statement.principals)
        and "false" in [str(value).lower() for value in statement.condition("aws:SecureTransport")]
    )


@rule(
    "S3-005",
    "S3 bucket has ACLs disabled",
    why="ACLs can make single objects public, or leave them to the account that wrote them. New buckets have ACLs "
    "disabled, and AWS rejects an ACL for them.",
    fix="Set object_ownership to BucketOwnerEnforced, remove ACLs, and grant access in the bucket policy.",
    page=f"{GUIDE}/about-object-ownership.html",
    types=[_OWNERSHIP, _ACL, BUCKET],
    severity=WARNING,
    frameworks=Frameworks(fsbp=("S3.12",), checkov=("CKV2_AWS_65",)),
    good=_GOOD,
    breaks=[
        {f"resource.{_ACL}": {"data": {"bucket": "${aws_s3_bucket.data.id}", "acl": "private"}}},
        {f"resource.{_OWNERSHIP}.data.rule.object_ownership": "ObjectWriter"},
        {f"resource.{_OWNERSHIP}.data.rule": [{"object_ownership": "BucketOwnerPreferred"}]},
        {f"resource.{BUCKET}.data.acl": "private"},
    ],
)
def acls_are_disabled(block: Block) -> Iterator[Outcome]:
    """Without ownership controls ACLs are disabled: the default of AWS."""
    if block.type == _OWNERSHIP:
        for section in block.sections("rule"):
            value = section.get("object_ownership")
            if isinstance(value, Unknown):
                yield section.undecided(value, "object_ownership")
            elif value != _ENFORCED:
                yield section.fail(f"must be {_ENFORCED}, so that policies alone control access", "object_ownership")
        return
    for at in ("acl", "access_control_policy") if block.type == _ACL else ("acl",):
        if block.raw(at) is not None:
            yield block.fail(
                f"must not be set: disable ACLs with {_ENFORCED}, and grant access in the bucket policy", at
            )


@rule(
    "S3-006",
    "S3 ACL does not allow public access",
    why="Everyone on the internet, or everyone with an AWS account, can read the objects.",
    fix="Remove the ACL; publish through CloudFront with an origin access control.",
    page=f"{GUIDE}/acl-overview.html",
    types=[_ACL, BUCKET, "aws_s3_object", "aws_s3_bucket_object", "aws_s3_object_copy"],
    frameworks=Frameworks(fsbp=("S3.2", "S3.3"), checkov=("CKV_AWS_20", "CKV_AWS_57")),
    good=_GOOD,
    breaks=[
        {"resource.aws_s3_object.logo.acl": "public-read"},
        {f"resource.{BUCKET}.data.acl": "public-read-write"},
        {f"resource.{_ACL}": {"data": {"bucket": "shop-prod-data", "acl": "authenticated-read"}}},
        {
            f"resource.{_ACL}": {
                "data": {
                    "bucket": "shop-prod-data",
                    "access_control_policy": {
                        "grant": [
                            {
                                "permission": "READ",
                                "grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"},
                            }
                        ],
                        "owner": {"id": "1"},
                    },
                }
            }
        },
    ],
)
def no_acl_is_public(block: Block) -> Iterator[Outcome]:
    """Check canned ACLs, and grants to the groups AllUsers and AuthenticatedUsers."""
    acl = block.get("acl")
    if isinstance(acl, Unknown):
        yield block.undecided(acl, "acl")
    elif acl in _PUBLIC_ACLS:
        yield block.fail("must not be public; remove the ACL, and publish through CloudFront", "acl")
    for grant in (*block.sections("access_control_policy.grant"), *block.sections("grant")):
        uri = grant.get("grantee.uri") or grant.get("uri")
        if isinstance(uri, str) and uri.endswith(_PUBLIC_GROUPS):
            yield grant.fail(
                "must not be public; remove the grant", "grantee.uri" if grant.get("grantee.uri") else "uri"
            )


@rule(
    "S3-007",
    "S3 bucket policy has a source condition for service principals",
    why="Without a condition the service can act for any account (the confused deputy problem): anyone with a "
    "CloudFront distribution can read the bucket.",
    fix="Add a condition on aws:SourceArn or aws:SourceAccount.",
    page=f"{AWS}/IAM/latest/UserGuide/confused-deputy.html",
    types=[POLICY, BUCKET],
    severity=WARNING,
    good=_GOOD,
    breaks=[
        {_POLICY_AT: policy_text(_TLS, {**_CDN, "Condition": {}})},
        {_POLICY_AT: policy_text(_statement(Principal={"Service": "logging.s3.amazonaws.com"}, Action="s3:PutObject"))},
        {f"resource.{BUCKET}.data.policy": policy_text({**_CDN, "Condition": {"StringLike": {"aws:SourceArn": "*"}}})},
    ],
)
def services_have_a_source_condition(holder: Block) -> Iterator[Outcome]:
    """Each Allow statement with a service principal needs its own condition."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
            continue
        services = [str(who.value) for who in statement.principals if who.kind == "Service"]
        limited = [service for service in services if service not in _NO_SOURCE]
        if statement.effect == "Allow" and limited and not has_source(statement):
            yield holder.fail(
                f"must have a source condition: {_named(statement)} lets {', '.join(limited)} act for any account; add "
                "a condition on aws:SourceArn",
                "policy",
            )


@rule(
    "S3-022",
    "S3 bucket policy does not lock out administrators",
    why="A Deny of all actions for everyone also denies changes of the policy: administrators and Terraform are "
    "locked out, and only the root user of the account can repair it.",
    fix="Add a condition that exempts administrators, or deny object actions only.",
    page=f"{AWS}/AmazonS3/latest/API/API_PutBucketPolicy.html",
    types=[POLICY, BUCKET],
    frameworks=Frameworks(checkov=("CKV_AWS_93",)),
    good=_GOOD,
    breaks=[
        {_POLICY_AT: policy_text({**_TLS, "Sid": "Nobody", "Condition": {}})},
        {_POLICY_AT: policy_text(_statement(), {**_TLS, "Principal": {"AWS": ["*"]}, "Action": "*", "Condition": {}})},
        {f"resource.{BUCKET}.data.policy": policy_text({**_TLS, "Action": ["s3:Put*", "s3:Delete*"], "Condition": {}})},
        {_POLICY_AT: policy_text({**_TLS, "Resource": "arn:aws:s3:::shop-prod-data*", "Condition": {}})},
    ],
)
def policy_does_not_lock_out_administrators(holder: Block) -> Iterator[Outcome]:
    """Any condition is assumed to exempt some principals, as one on TLS does."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
        elif _denies_mending(statement):
            # A resource with a slash is objects.
            whole = [arn for arn in statement.resources if "/" not in (arn.text if isinstance(arn, Unknown) else arn)]
            doubts = [arn for arn in filter(None, map(undecidable, whole)) if not is_partly_known(arn)]
            if len(doubts) < len(whole):
                yield holder.fail(
                    f"must let administrators change the policy, which {_named(statement)} denies to everyone; add a "
                    "condition, or deny object actions only",
                    "policy",
                )
            elif doubts:
                yield holder.undecided(doubts[0], "policy")


def _denies_mending(statement: Statement) -> bool:
    return (
        statement.effect == "Deny"
        and not statement.conditions
        and not any(isinstance(action, Unknown) for action in statement.not_actions)
        and all(map(statement.covers, _POLICY_CHANGES))
        and any(who.value == "*" for who in statement.principals)
    )


def _read(holder: Block) -> Iterator[Statement | Outcome]:
    """Yield the statements of the policy of a block, or why they are unknown."""
    found = policy_of(holder)
    if found is None:
        yield NotApplicable("it has no policy")
    elif isinstance(found, Unknown):
        yield holder.undecided(found, "policy")
    else:
        yield from found


def _named(statement: Statement) -> str:
    return f'statement "{statement.sid}"' if statement.sid else "a statement"
