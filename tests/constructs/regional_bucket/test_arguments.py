"""A RegionalBucket's arguments, opt-outs and name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ConfigurationError,
    ForceDestroy,
    HardenedStack,
    MultiRegionKey,
    NoAccessLogs,
    ObjectLock,
    RegionalBucket,
    Transition,
    UnprotectedBucket,
)
from constructs_lib.core.iam import ServiceRole, Statement
from constructs_lib.testing import read_stack
from tests.constructs.regional_bucket.buckets import Shop, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack

REASON = "A test bucket that holds nothing of worth"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def prod(tmp_path: Path) -> Shop:
    return Shop(tmp_path, "prod")


ORDER = "STANDARD_IA, INTELLIGENT_TIERING, ONEZONE_IA, GLACIER_IR, GLACIER, DEEP_ARCHIVE"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"key": None},
            "key=None: is required; give a MultiRegionKey, or log_delivery=True for a log bucket",
        ),
        (
            {"log_delivery": True},
            (
                "log_delivery=True: cannot be combined with key; S3 and Elastic Load Balancing deliver access logs to "
                "buckets with SSE-S3 only"
            ),
        ),
        (
            {"log_delivery": True, "key": None, "object_lock": ObjectLock(1)},
            (
                "object_lock=ObjectLock(days=1, mode='GOVERNANCE'): cannot be combined with log_delivery; S3 does not "
                "deliver access logs to a bucket with a default retention"
            ),
        ),
        ({"noncurrent_days": 29}, "noncurrent_days=29: must be a whole number of days, at least 30 in dev"),
        ({"noncurrent_days": 40.5}, "noncurrent_days=40.5: must be a whole number of days, at least 30 in dev"),
        (
            {"newer_noncurrent_versions": 101},
            "newer_noncurrent_versions=101: must be a whole number from 1 to 100, or None",
        ),
        (
            {"newer_noncurrent_versions": 0},
            "newer_noncurrent_versions=0: must be a whole number from 1 to 100, or None",
        ),
        ({"expire_days": 0}, "expire_days=0: must be a whole number of days, at least 1, or None"),
        ({"expire_days": True}, "expire_days=True: must be a whole number of days, at least 1, or None"),
        ({"transitions": "GLACIER"}, "transitions='GLACIER': must be a list of Transition(days, storage_class)"),
        ({"transitions": ["GLACIER"]}, "transitions=['GLACIER']: must be a list of Transition(days, storage_class)"),
        ({"transitions": [Transition(9, "COLD")]}, f"transitions[0]='COLD': must be one of {ORDER}"),  # type: ignore[arg-type]
        ({"transitions": [Transition(-1, "GLACIER")]}, "transitions[0]=-1: must be a whole number of days"),
        (
            {"transitions": [Transition(29, "STANDARD_IA")]},
            "transitions[0]=29: is too early; S3 transitions objects to STANDARD_IA after 30 days or later",
        ),
        (
            {"transitions": [Transition(29, "ONEZONE_IA")]},
            "transitions[0]=29: is too early; S3 transitions objects to ONEZONE_IA after 30 days or later",
        ),
        (
            {"transitions": [Transition(60, "GLACIER")], "expire_days": 60},
            "transitions[0]=60: is not before the expiration; expected fewer than expire_days=60",
        ),
        (
            {"transitions": [Transition(60, "GLACIER_IR"), Transition(60, "GLACIER")]},
            (
                "transitions[1]='GLACIER': must come after transitions[0], GLACIER_IR after 60 days, in time and in the "
                f"order {ORDER}"
            ),
        ),
        (
            {"transitions": [Transition(60, "GLACIER"), Transition(90, "GLACIER_IR")]},
            (
                "transitions[1]='GLACIER_IR': must come after transitions[0], GLACIER after 60 days, in time and in the "
                f"order {ORDER}"
            ),
        ),
        (
            {"transitions": [Transition(30, "ONEZONE_IA"), Transition(90, "INTELLIGENT_TIERING")]},
            (
                "transitions[1]='INTELLIGENT_TIERING': must come after transitions[0], ONEZONE_IA after 30 days, in time and "
                f"in the order {ORDER}"
            ),
        ),
        (
            {"transitions": [Transition(30, "ONEZONE_IA"), Transition(90, "GLACIER_IR")]},
            (
                "transitions[1]='GLACIER_IR': S3 does not transition objects from ONEZONE_IA to GLACIER_IR; remove one of "
                "the two"
            ),
        ),
        (
            {"transitions": [Transition(40, "STANDARD_IA"), Transition(69, "GLACIER")]},
            (
                "transitions[1]=69: is too early; objects stay in STANDARD_IA and ONEZONE_IA for 30 days, so expected at "
                "least 70"
            ),
        ),
        (
            {"transitions": [Transition(days=False, storage_class="GLACIER")]},
            "transitions[0]=False: must be a whole number of days",
        ),
        ({"key": "alias/data"}, "key='alias/data': must be a MultiRegionKey, or None with log_delivery=True"),
        ({"log_delivery": "yes", "key": None}, "log_delivery='yes': must be True or False"),
        ({"account_in_name": "no"}, "account_in_name='no': must be of the type bool, and is of the type str"),
        ({"replicate_to": "copy"}, "replicate_to='copy': must be a RegionalBucket, or None"),
        (
            {"object_lock": "COMPLIANCE", "force_destroy": ForceDestroy(REASON)},
            "object_lock='COMPLIANCE': must be ObjectLock(days, mode)",
        ),
        ({"object_lock": 5}, "object_lock=5: must be ObjectLock(days, mode)"),
        ({"object_lock": ObjectLock(0)}, "object_lock.days=0: must be a whole number of days from 1 to 36500"),
        ({"object_lock": ObjectLock(36501)}, "object_lock.days=36501: must be a whole number of days from 1 to 36500"),
        (
            {"object_lock": ObjectLock(1, "LEGAL")},  # type: ignore[arg-type]
            "object_lock.mode='LEGAL': must be GOVERNANCE or COMPLIANCE",
        ),
        ({"protected": "yes"}, "protected='yes': must be True, False or UnprotectedBucket(reason)"),
        ({"force_destroy": True}, "force_destroy=True: must be ForceDestroy(reason) or None"),
        (
            {"force_destroy": ForceDestroy(REASON), "protected": True},
            (
                f"force_destroy=ForceDestroy(reason={REASON!r}): cannot be combined with protected=True; give one of "
                "them"
            ),
        ),
        (
            {"force_destroy": ForceDestroy(REASON), "object_lock": ObjectLock(1, "COMPLIANCE")},
            (
                f"force_destroy=ForceDestroy(reason={REASON!r}): cannot delete object versions that are locked in COMPLIANCE "
                "mode; use GOVERNANCE or remove force_destroy"
            ),
        ),
        (
            {"access_logs": "logs"},
            "access_logs='logs': must be a RegionalBucket with log_delivery=True, or NoAccessLogs(reason)",
        ),
    ],
)
def test_invalid_and_contradicting_arguments_are_refused(shop: Shop, arguments: dict[str, Any], message: str) -> None:
    assert shop.refusal(**arguments) == [message]


def test_values_at_the_limits_are_allowed(shop: Shop) -> None:
    shop.bucket("a", newer_noncurrent_versions=100, expire_days=1, object_lock=ObjectLock(36500), protected=True)
    shop.bucket("b", transitions=[Transition(0, "INTELLIGENT_TIERING"), Transition(1, "GLACIER_IR")], protected=False)
    chain = [Transition(0, "INTELLIGENT_TIERING"), Transition(30, "ONEZONE_IA"), Transition(60, "GLACIER")]
    shop.bucket("chain", transitions=chain)
    shop.bucket("c", force_destroy=ForceDestroy(REASON), object_lock=ObjectLock(1), access_logs=None)
    shop.app.synth()
    stack = read_stack(Path(shop.app.outdir) / "stacks/shop")
    a, b, c = (stack.at(f"aws_s3_bucket.{id_}_eu_west_1") for id_ in "abc")
    assert (a["lifecycle"], a["force_destroy"]) == ({"prevent_destroy": True}, False)
    assert ("lifecycle" in b, b["force_destroy"]) == (False, False)
    assert ("lifecycle" in c, c["force_destroy"]) == (False, True)
    locks = {id_: part(stack, "object_lock_configuration", id_)["rule"]["default_retention"]["days"] for id_ in "ac"}
    assert locks == {"a": 36500, "c": 1}
    (rule,) = part(stack, "lifecycle_configuration", "a")["rule"]
    assert (rule["expiration"], rule["noncurrent_version_expiration"]) == (
        [{"days": 1}],
        [{"newer_noncurrent_versions": 100, "noncurrent_days": 30}],
    )
    (rule,) = part(stack, "lifecycle_configuration", "b")["rule"]
    assert rule["transition"] == [
        {"days": 0, "storage_class": "INTELLIGENT_TIERING"},
        {"days": 1, "storage_class": "GLACIER_IR"},
    ]
    assert stack.find("aws_s3_bucket_logging", "shop/c/*") == []


def test_prod_requires_access_logs_protection_and_ninety_days_of_noncurrent_versions(prod: Shop) -> None:
    assert prod.refusal(access_logs=None, protected=False, noncurrent_days=89, force_destroy=ForceDestroy(REASON)) == [
        "noncurrent_days=89: must be a whole number of days, at least 90 in prod",
        "protected=False: must be True in prod; give UnprotectedBucket(reason) to allow its deletion",
        f"force_destroy=ForceDestroy(reason={REASON!r}): is not allowed in prod",
        "access_logs=None: is required in prod; give a RegionalBucket with log_delivery=True, or NoAccessLogs(reason)",
    ]


def test_opt_outs_are_recorded(tmp_path: Path) -> None:
    prod = Shop(tmp_path, "prod")
    prod.bucket(access_logs=NoAccessLogs(REASON), protected=UnprotectedBucket(REASON))
    by_hand = [(path, type(opt_out).__name__, opt_out.reason) for path, opt_out in prod.stack.opt_outs]
    assert by_hand == [
        (
            "shop/logs",
            "LogDelivery",
            "S3 and load balancers deliver access logs only to buckets encrypted with SSE-S3",
        ),
        ("shop/data", "NoAccessLogs", REASON),
        ("shop/data", "UnprotectedBucket", REASON),
    ]
    dev = Shop(tmp_path / "dev")
    dev.bucket(force_destroy=ForceDestroy(REASON))
    assert dev.stack.opt_outs[1:] == [("shop/data", ForceDestroy(REASON))]


def test_opt_outs_turn_off_prevent_destroy_and_turn_on_force_destroy(
    synth_stack: Callable[..., SynthesizedStack],
) -> None:
    def fill(stack: HardenedStack, **arguments: Any) -> None:
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        RegionalBucket(stack, "data", region=region, key=key, access_logs=NoAccessLogs(REASON), **arguments)

    bucket = "aws_s3_bucket.data_eu_west_1"
    prod = synth_stack(lambda stack: fill(stack, protected=UnprotectedBucket(REASON)), "prod").at(bucket)
    assert ("lifecycle" in prod, prod["force_destroy"]) == (False, False)
    dev = synth_stack(lambda stack: fill(stack, force_destroy=ForceDestroy(REASON))).at(bucket)
    assert ("lifecycle" in dev, dev["force_destroy"]) == (False, True)
    kept = synth_stack(lambda stack: fill(stack, protected=True)).at(bucket)
    assert kept["lifecycle"] == {"prevent_destroy": True}


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ("dev", {}, True),
        ("staging", {}, True),
        ("dev", {"protected": False}, True),
        ("dev", {"protected": True}, False),
        ("prod", {}, False),
        ("prod", {"protected": UnprotectedBucket(REASON)}, False),
    ],
)
def test_destroying_a_log_bucket_deletes_its_objects_outside_of_prod(
    synth_stack: Callable[..., SynthesizedStack], environment: str, arguments: dict[str, Any], *, expected: bool
) -> None:
    def fill(stack: HardenedStack) -> None:
        RegionalBucket(stack, "logs", region=stack.region("eu-west-1"), log_delivery=True, **arguments)

    assert synth_stack(fill, environment).at("aws_s3_bucket.logs_eu_west_1")["force_destroy"] is expected


def test_access_logs_need_a_log_bucket_in_the_same_region_and_stack(shop: Shop) -> None:
    data = shop.bucket("other")
    assert shop.refusal(access_logs=data) == [
        "access_logs='shop/other': is not a log bucket; create it with log_delivery=True"
    ]
    there = RegionalBucket(shop.stack, "there", region=shop.us, log_delivery=True)
    assert shop.refusal(access_logs=there, replicate_to=None) == [
        (
            "access_logs='shop/there': is in us-east-1 of the stack shop; S3 delivers access logs within a region only, "
            "and this bucket is in eu-west-1 of shop"
        )
    ]
    other = HardenedStack(shop.app, "other", environment="dev", owner="me")
    foreign = RegionalBucket(other, "logs", region=other.region("eu-west-1"), log_delivery=True)
    assert shop.refusal(access_logs=foreign) == [
        (
            "access_logs='other/logs': is in eu-west-1 of the stack other; S3 delivers access logs within a region only, "
            "and this bucket is in eu-west-1 of shop"
        )
    ]


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (lambda bucket: bucket.allow_load_balancer_logs("web"), "prefix='web'"),
        (lambda bucket: bucket.allow_access_logs(bucket), "source='shop/data'"),
    ],
)
def test_a_bucket_with_a_key_accepts_no_deliveries(shop: Shop, call: Callable[[Any], object], given: str) -> None:
    bucket = shop.bucket()
    with pytest.raises(ConfigurationError) as error:
        call(bucket)
    assert str(error.value) == f"shop/data: {given}: the bucket is not a log bucket; create it with log_delivery=True"


@pytest.mark.parametrize("prefix", ["/web", "web/", "a//b", "AWSLogs", "web/AWSLogs", "${var.prefix}"])
def test_a_prefix_that_load_balancers_refuse_is_refused(shop: Shop, prefix: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        shop.logs.allow_load_balancer_logs(prefix)
    assert str(error.value) == (
        f"shop/logs: prefix={prefix!r}: is not a valid access log prefix; expected letters, digits, dots, hyphens and "
        "underscores, with single slashes between them and without AWSLogs, which Elastic Load Balancing adds"
    )
    shop.logs.allow_load_balancer_logs("a/b_c.d-e")


def test_replication_needs_a_suitable_destination(shop: Shop) -> None:
    here = shop.bucket("here")
    assert shop.refusal(replicate_to=here, object_lock=ObjectLock(1)) == [
        "replicate_to='shop/here': is in eu-west-1 too; expected a bucket in another region",
        (
            "replicate_to='shop/here': has no Object Lock, which replication of a bucket with Object Lock requires; give it "
            "object_lock too"
        ),
    ]
    logs = RegionalBucket(shop.stack, "there", region=shop.us, log_delivery=True)
    assert shop.refusal(replicate_to=logs) == [
        "replicate_to='shop/there': is a log bucket without a key; expected a bucket with a key"
    ]
    there = shop.bucket("copy", region=shop.us, access_logs=None)
    assert shop.refusal(replicate_to=there, key=None, log_delivery=True, access_logs=None) == [
        "replicate_to='shop/copy': needs a source bucket with a key; give key"
    ]
    other = HardenedStack(shop.app, "other", environment="dev", owner="me")
    us = other.region("us-east-1")
    foreign = RegionalBucket(other, "copy", region=us, key=MultiRegionKey(other, "key", region=us))
    assert shop.refusal(replicate_to=foreign) == [
        "replicate_to='other/copy': is in another stack; expected the same stack"
    ]


def test_a_grantee_of_another_stack_is_refused(shop: Shop) -> None:
    other = HardenedStack(shop.app, "other", environment="dev", owner="me")
    eu = other.region("eu-west-1")
    role = ServiceRole(other, "role", region=eu, service="lambda.amazonaws.com", description="", statements=[])
    bucket = shop.bucket()
    for grant in (bucket.grant_read, bucket.grant_write):
        with pytest.raises(ConfigurationError) as error:
            grant(role)
        assert str(error.value) == (
            "shop/data: grantee='other/role': is in another stack; add a statement to its role there, with the bucket's arn"
        )


def test_deny_accepts_deny_statements_only(shop: Shop) -> None:
    with pytest.raises(ConfigurationError) as error:
        shop.bucket().deny(Statement("Everybody", ("s3:GetObject",)))
    assert str(error.value) == (
        "shop/data: statement='Everybody': must have the effect Deny; to grant permissions use grant_read or "
        "grant_write"
    )


def test_the_name_is_known_at_synth_if_one_account_is_allowed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, allowed_account_ids=["111122223333"])
    assert shop.bucket("a").name == "shop-dev-a-eu-west-1-111122223333"
    assert shop.bucket("b", account_in_name=False).name == "shop-dev-b-eu-west-1"
    two = Shop(tmp_path / "two", allowed_account_ids=["111122223333", "444455556666"])
    assert (
        two.stack.text(two.bucket("a").name)
        == "shop-dev-a-eu-west-1-${data.aws_caller_identity.current_eu_west_1.account_id}"
    )


@pytest.mark.parametrize("account_in_name", [True, False])
def test_a_long_name_is_shortened_to_63_characters_including_the_account(
    tmp_path: Path, *, account_in_name: bool
) -> None:
    shop = Shop(tmp_path, allowed_account_ids=["111122223333"])
    name = shop.bucket("Customer_Invoices-of-the-last-and-the-year-before", account_in_name=account_in_name).name
    assert len(name) <= 63
    assert re.fullmatch(r"shop-dev-customer-invoices[a-z0-9-]+[a-z0-9]", name)
    assert name.endswith("-111122223333") is account_in_name


@pytest.mark.parametrize("project", ["sthree", "amzn-s3-demo"])
def test_a_reserved_name_is_refused(tmp_path: Path, project: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Shop(tmp_path, project=project)
    assert str(error.value) == (
        f"shop/logs: project='{project}-dev-logs-eu-west-1': S3 reserves bucket names that begin with xn--, sthree-, "
        "amzn-s3-demo-; give the stack another project"
    )
