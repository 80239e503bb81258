"""Who may reach a bucket."""

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

    from constructs_lib.rules.estate.blocks import Block
    from constructs_lib.rules.outcomes import Outcome


_BLOCK: Final = f"{BUCKET}_public_access_block"
_OWNERSHIP: Final = f"{BUCKET}_ownership_controls"
_ACL: Final = f"{BUCKET}_acl"
_FLAGS: Final = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_ENFORCED: Final = "BucketOwnerEnforced"
_PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read")
_PUBLIC_GROUPS: Final = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
_ACCESS_POINTS: Final = ("s3:DataAccessPointAccount", "s3:DataAccessPointArn")
_MENDING: Final = ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
"""Whoever may do one of them can mend a policy."""
_NO_SOURCE: Final = frozenset({"logdelivery.elasticloadbalancing.amazonaws.com"})
"""Services that AWS's own examples admit to a bucket without a condition."""


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
    "A block of public access sets all four switches",
    why="Each switch that is off leaves one way to make objects public: by ACL or by policy, new or already there.",
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
def public_access_is_blocked_wholly(block: Block) -> Iterator[Outcome]:
    """The provider takes false for a switch that is left out, of an access point true."""
    is_point = block.type == "aws_s3_access_point"
    for section in block.sections("public_access_block_configuration") if is_point else [block]:
        for flag in _FLAGS:
            yield from expect_flag(
                section, flag, "must be true; to publish objects put CloudFront before the bucket", default=is_point
            )


@rule(
    "S3-002",
    "Each bucket has a block of public access",
    why="Nothing stops the next policy or ACL from making the bucket public.",
    fix="Add an aws_s3_bucket_public_access_block for the bucket with all four switches true.",
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
def buckets_block_public_access(bucket: Block) -> Iterator[Outcome]:
    """A block may name the bucket by reference or by name."""
    if not parts(bucket, _BLOCK):
        yield missing(bucket, _BLOCK, f"needs an {_BLOCK} with all four switches true")


@rule(
    "S3-003",
    "A bucket's policy is not public",
    why="The principal * is everybody on the internet: they read the objects, or write some.",
    fix="Name accounts, roles or services, or narrow the statement with aws:PrincipalOrgID or aws:SourceVpce.",
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
    """A statement that hands the decision to the access points of one account is not public."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
        elif is_for_everyone(statement) and not any(
            value != "*" for key in _ACCESS_POINTS for value in statement.condition(key)
        ):
            yield holder.fail(
                f"{_named(statement)} allows {', '.join(map(str, statement.actions)) or 'something'} to everybody; "
                "name who may, or add a condition such as aws:PrincipalOrgID",
                "policy",
            )


@rule(
    "S3-004",
    "A bucket refuses connections without TLS",
    why="S3 also answers plain HTTP: objects and signatures then travel readable.",
    fix="Give the bucket a policy that denies s3:* to * on the bucket and its objects where aws:SecureTransport is "
    "false.",
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
def bucket_refuses_plain_http(bucket: Block) -> Iterator[Outcome]:
    """Look at the bucket's own policy and at those that other blocks give it."""
    doubt: Unknown | None = None
    last: Block | None = None
    for last, found in policies_of(bucket):  # noqa: B007  the finding is about the last one
        if isinstance(found, Unknown):
            doubt = found
        elif any(map(_denies_http, found)):
            return
    wanted = "that denies s3:* to * on the bucket and its objects where aws:SecureTransport is false"
    if last is None:
        yield missing(bucket, POLICY, f"needs an {POLICY} {wanted}")
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
    "The bucket's owner owns every object, and there are no ACLs",
    why="With ACLs each object may be opened by itself, or belong to the account that wrote it; and AWS refuses an ACL "
    "where the owner owns everything, which is the default of new buckets.",
    fix="Set object_ownership to BucketOwnerEnforced, remove ACLs, and give access by the bucket's policy.",
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
def owner_owns_everything(block: Block) -> Iterator[Outcome]:
    """A bucket without ownership controls has AWS's default, which is right."""
    if block.type == _OWNERSHIP:
        for section in block.sections("rule"):
            value = section.get("object_ownership")
            if isinstance(value, Unknown):
                yield section.undecided(value, "object_ownership")
            elif value != _ENFORCED:
                yield section.fail(f"must be {_ENFORCED}, so that policies alone decide", "object_ownership")
        return
    for at in ("acl", "access_control_policy") if block.type == _ACL else ("acl",):
        if block.raw(at) is not None:
            yield block.fail("must go: give access by the bucket's policy, and let the owner own every object", at)


@rule(
    "S3-006",
    "No ACL makes a bucket or an object public",
    why="Everybody on the internet, or everybody with any AWS account, reads it.",
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
    """Look at canned ACLs, and at grants to the groups that mean everybody."""
    acl = block.get("acl")
    if isinstance(acl, Unknown):
        yield block.undecided(acl, "acl")
    elif acl in _PUBLIC_ACLS:
        yield block.fail("makes it public; remove it, and publish through CloudFront", "acl")
    for grant in (*block.sections("access_control_policy.grant"), *block.sections("grant")):
        uri = grant.get("grantee.uri") or grant.get("uri")
        if isinstance(uri, str) and uri.endswith(_PUBLIC_GROUPS):
            yield grant.fail("makes it public; remove the grant", "grantee.uri" if grant.get("grantee.uri") else "uri")


@rule(
    "S3-007",
    "A service may use a bucket only for one source",
    why="A service principal alone lets the service act on the bucket on behalf of anybody's account: whoever has a "
    "CloudFront distribution reads it.",
    fix="Add a condition on aws:SourceArn, or on aws:SourceAccount.",
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
def services_have_a_source(holder: Block) -> Iterator[Outcome]:
    """Each Allow statement with a service principal needs its own condition."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
            continue
        services = [str(who.value) for who in statement.principals if who.kind == "Service"]
        asked = [service for service in services if service not in _NO_SOURCE]
        if statement.effect == "Allow" and asked and not has_source(statement):
            yield holder.fail(
                f"{_named(statement)} lets {', '.join(asked)} act for any account; add a condition on aws:SourceArn",
                "policy",
            )


@rule(
    "S3-022",
    "A bucket's policy does not lock everybody out",
    why="A Deny of everything for everybody also denies to mend the policy: administrators and Terraform are out, and "
    "only the root user of the account gets in again.",
    fix="Add a condition that spares who manages the bucket, or deny only what is done with objects.",
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
def policy_locks_nobody_out(holder: Block) -> Iterator[Outcome]:
    """Any condition is taken for one that spares somebody, as those on TLS do."""
    for statement in _read(holder):
        if not isinstance(statement, Statement):
            yield statement
        elif _denies_mending(statement):
            # What stands after a slash are objects.
            whole = [arn for arn in statement.resources if "/" not in (arn.text if isinstance(arn, Unknown) else arn)]
            doubts = [arn for arn in filter(None, map(undecidable, whole)) if not is_partly_known(arn)]
            if len(doubts) < len(whole):
                yield holder.fail(
                    f"{_named(statement)} denies everybody to mend the policy; add a condition, or deny only what is "
                    "done with objects",
                    "policy",
                )
            elif doubts:
                yield holder.undecided(doubts[0], "policy")


def _denies_mending(statement: Statement) -> bool:
    return (
        statement.effect == "Deny"
        and not statement.conditions
        and not any(isinstance(action, Unknown) for action in statement.not_actions)
        and all(map(statement.covers, _MENDING))
        and any(who.value == "*" for who in statement.principals)
    )


def _read(holder: Block) -> Iterator[Statement | Outcome]:
    """Yield the statements of the policy of a block, or why they are not known."""
    found = policy_of(holder)
    if found is None:
        yield NotApplicable("it has no policy")
    elif isinstance(found, Unknown):
        yield holder.undecided(found, "policy")
    else:
        yield from found


def _named(statement: Statement) -> str:
    return f'the statement "{statement.sid}"' if statement.sid else "a statement"
