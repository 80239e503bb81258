"""Option objects of a RegionalBucket, and checks of its arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeGuard, get_args

from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.regional_bucket.policy import CHINA_LOAD_BALANCERS
from constructs_lib.constructs.regional_vpc.network import Vpc
from constructs_lib.core.stack import Region
from constructs_lib.foundation.environment import Environment
from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

StorageClass = Literal["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]
"""Storage classes that lifecycle rules transition objects to, in the order that S3 allows."""

LockMode = Literal["GOVERNANCE", "COMPLIANCE"]
"""Retention modes of S3 Object Lock."""

MAX_NONCURRENT_VERSIONS: Final = 100
MAX_LOCK_DAYS: Final = 36500
_INFREQUENT_DAYS: Final = 30
_INFREQUENT: Final = ("STANDARD_IA", "ONEZONE_IA")
_ARCHIVES: Final = ("GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_LOG_PREFIX: Final = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_ENDPOINT: Final = re.compile(r"vpce-[0-9a-f]{8,17}")
_RESERVED: Final = ("xn--", "sthree-", "amzn-s3-demo-")


@dataclass(frozen=True)
class Transition:
    """A lifecycle transition of objects to a cheaper storage class.

    Attributes:
        days: Days after the object's creation, 0 or more; 30 or more for `STANDARD_IA` and `ONEZONE_IA`.
        storage_class: The storage class that objects transition to.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html.
    """

    days: int
    storage_class: StorageClass


@dataclass(frozen=True)
class ObjectLock:
    """The default retention of S3 Object Lock: object versions cannot be deleted before it ends.

    Attributes:
        days: The retention period in days, 1 to 36,500.
        mode: `GOVERNANCE`: principals with `s3:BypassGovernanceRetention` can delete locked versions. `COMPLIANCE`: no
            principal can, the root user included.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html.
    """

    days: int
    mode: LockMode = "GOVERNANCE"


@dataclass(frozen=True)
class NoAccessLogs(OptOut):
    """The bucket has no server access logs in an environment that requires them."""


@dataclass(frozen=True)
class UnprotectedBucket(OptOut):
    """The bucket has no `prevent_destroy` where the environment or the construct requires it."""


@dataclass(frozen=True)
class ForceDestroy(OptOut):
    """Destroying the bucket first deletes every version of every object in it (`force_destroy`)."""


@dataclass(frozen=True)
class LogDelivery(OptOut):
    """A log bucket is encrypted with SSE-S3 instead of a customer managed key; the bucket records this itself."""


def check_name(problems: Problems, name: str) -> None:
    """Report a reserved bucket name prefix; characters and length are right by construction."""
    problems.check(
        not name.startswith(_RESERVED),
        "project",
        name,
        f"S3 reserves bucket names that begin with {', '.join(_RESERVED)}; give the stack another project",
    )


def check_log_prefix(path: str, prefix: str) -> None:
    """Check the prefix of a load balancer's access logs.

    Raises:
        ConfigurationError: The prefix begins or ends with a slash, contains a token, or contains `AWSLogs`.
    """
    if prefix and ("AWSLogs" in prefix or not _LOG_PREFIX.fullmatch(prefix)):
        raise ConfigurationError(
            path,
            f"prefix={prefix!r}: is not a valid access log prefix; expected letters, digits, dots, hyphens and "
            "underscores, with single slashes between them and without AWSLogs, which Elastic Load Balancing adds",
        )


def check_days(problems: Problems, region: Region, noncurrent: object, versions: object, expire: object) -> None:
    """Report lifecycle days and version counts that S3 refuses or that are below the environment's minimum."""
    floor = region.profile.bucket_noncurrent_days
    problems.check(
        is_count(noncurrent) and noncurrent >= floor,
        "noncurrent_days",
        noncurrent,
        f"must be a whole number of days, at least {floor} in {region.environment.value}",
    )
    problems.check(
        versions is None or (is_count(versions) and versions <= MAX_NONCURRENT_VERSIONS),
        "newer_noncurrent_versions",
        versions,
        f"must be a whole number from 1 to {MAX_NONCURRENT_VERSIONS}, or None",
    )
    problems.check(
        expire is None or is_count(expire), "expire_days", expire, "must be a whole number of days, at least 1, or None"
    )


def check_transitions(problems: Problems, transitions: Sequence[Transition], expire_days: int | None) -> None:
    """Report transitions that S3 refuses, on their own or in their order."""
    order = get_args(StorageClass)
    if not isinstance(transitions, (list, tuple)) or not all(isinstance(t, Transition) for t in transitions):
        problems.add("transitions", transitions, "must be a list of Transition(days, storage_class)")
        return
    for index, transition in enumerate(transitions):
        argument = f"transitions[{index}]"
        if not problems.check(
            transition.storage_class in order, argument, transition.storage_class, f"must be one of {', '.join(order)}"
        ):
            return
        least = _INFREQUENT_DAYS if transition.storage_class in _INFREQUENT else 0
        if not problems.check(
            type(transition.days) is int and transition.days >= 0,
            argument,
            transition.days,
            "must be a whole number of days",
        ):
            return
        problems.check(
            transition.days >= least,
            argument,
            transition.days,
            f"is too early; S3 transitions objects to {transition.storage_class} after {least} days or later",
        )
        problems.check(
            expire_days is None or not is_count(expire_days) or transition.days < expire_days,
            argument,
            transition.days,
            f"is not before the expiration; expected fewer than expire_days={expire_days}",
        )
        if index:
            _check_order(problems, argument, transition, transitions[:index])


def _check_order(problems: Problems, argument: str, transition: Transition, earlier: Sequence[Transition]) -> None:
    """Report a storage class that S3 does not transition objects to from the earlier ones, or not that soon."""
    order, before, storage_class = get_args(StorageClass), earlier[-1], transition.storage_class
    problems.check(
        before.days < transition.days and order.index(before.storage_class) < order.index(storage_class),
        argument,
        storage_class,
        f"must come after transitions[{len(earlier) - 1}], {before.storage_class} after {before.days} days, in time "
        f"and in the order {', '.join(order)}",
    )
    problems.check(
        (before.storage_class, storage_class) != ("ONEZONE_IA", "GLACIER_IR"),
        argument,
        storage_class,
        "S3 does not transition objects from ONEZONE_IA to GLACIER_IR; remove one of the two",
    )
    # Both have a minimum storage duration of 30 days, and one rule cannot transition objects again before that.
    entered = max((one.days for one in earlier if one.storage_class in _INFREQUENT), default=None)
    problems.check(
        entered is None or storage_class not in _ARCHIVES or transition.days >= entered + _INFREQUENT_DAYS,
        argument,
        transition.days,
        f"is too early; objects stay in {' and '.join(_INFREQUENT)} for {_INFREQUENT_DAYS} days, so expected at least "
        f"{(entered or 0) + _INFREQUENT_DAYS}",
    )


def check_lock(problems: Problems, lock: ObjectLock | None) -> None:
    """Report an Object Lock configuration that S3 refuses."""
    if lock is None:
        return
    if not problems.check(isinstance(lock, ObjectLock), "object_lock", lock, "must be ObjectLock(days, mode)"):
        return
    problems.check(
        is_count(lock.days) and lock.days <= MAX_LOCK_DAYS,
        "object_lock.days",
        lock.days,
        f"must be a whole number of days from 1 to {MAX_LOCK_DAYS}",
    )
    problems.check(
        lock.mode in get_args(LockMode), "object_lock.mode", lock.mode, f"must be {' or '.join(get_args(LockMode))}"
    )


def check_encryption(problems: Problems, key: object, log_delivery: object, lock: ObjectLock | None) -> None:
    """Report a bucket without a key, and a log bucket whose key or lock prevents the delivery of logs."""
    problems.check(isinstance(log_delivery, bool), "log_delivery", log_delivery, "must be True or False")
    known = key is None or isinstance(key, MultiRegionKey)
    problems.check(known, "key", key, "must be a MultiRegionKey, or None with log_delivery=True")
    if not log_delivery:
        problems.check(key, "key", key, "is required; give a MultiRegionKey, or log_delivery=True for a log bucket")
        return
    problems.check(
        key is None,
        "log_delivery",
        log_delivery,
        "cannot be combined with key; S3 and Elastic Load Balancing deliver access logs to buckets with SSE-S3 only",
    )
    problems.check(
        lock is None,
        "object_lock",
        lock,
        "cannot be combined with log_delivery; S3 does not deliver access logs to a bucket with a default retention",
    )


def check_endpoints(problems: Problems, region: Region, endpoints: Sequence[Vpc | str], *, log_delivery: bool) -> None:
    """Report values that are not VPC endpoints, and endpoints of another region."""
    allowed = "must be a list of VPCs with an S3 gateway endpoint, and of VPC endpoint ids such as 'vpce-0a1b2c3d'"
    if not problems.check(isinstance(endpoints, (list, tuple)), "vpc_endpoints", endpoints, allowed):
        return
    problems.check(
        not (endpoints and log_delivery and region.name in CHINA_LOAD_BALANCERS),
        "vpc_endpoints",
        endpoints,
        "cannot be combined with log_delivery in China, where load balancers deliver logs as an account of AWS",
    )
    for index, endpoint in enumerate(endpoints):
        at = f"vpc_endpoints[{index}]"
        if not isinstance(endpoint, Vpc):
            ok = isinstance(endpoint, str) and (is_token(endpoint) or _ENDPOINT.fullmatch(endpoint))
            problems.check(ok, at, endpoint, allowed)
            continue
        problems.check(
            endpoint.region.name == region.name,
            at,
            endpoint.path,
            f"is in {endpoint.region.name}; a gateway endpoint reaches S3 in its own region only, and the bucket is in "
            f"{region.name}",
        )
        try:
            endpoint.gateway("s3")
        except ConfigurationError:
            problems.add(
                at, endpoint.path, "has no S3 gateway endpoint; give the VPC gateway_tiers, or give an endpoint id"
            )


def check_removal(
    problems: Problems,
    region: Region,
    *,
    protected: bool | UnprotectedBucket | None,
    force_destroy: ForceDestroy | None,
    lock: ObjectLock | None,
) -> bool:
    """Return whether the bucket has `prevent_destroy`, and report contradicting arguments."""
    floor = region.profile.prevent_destroy
    prevented = floor if protected is None else protected is True
    problems.check(
        protected is not False or not floor,
        "protected",
        protected,
        f"must be True in {region.environment.value}; give UnprotectedBucket(reason) to allow its deletion",
    )
    problems.check(
        protected is None or isinstance(protected, (bool, UnprotectedBucket)),
        "protected",
        protected,
        "must be True, False or UnprotectedBucket(reason)",
    )
    if force_destroy is None:
        return prevented
    problems.check(
        isinstance(force_destroy, ForceDestroy), "force_destroy", force_destroy, "must be ForceDestroy(reason) or None"
    )
    problems.check(
        region.environment is not Environment.PROD,
        "force_destroy",
        force_destroy,
        "is not allowed in prod",
    )
    problems.check(
        not prevented or region.environment is Environment.PROD,
        "force_destroy",
        force_destroy,
        "cannot be combined with protected=True; give one of them",
    )
    problems.check(
        not isinstance(lock, ObjectLock) or lock.mode != "COMPLIANCE",
        "force_destroy",
        force_destroy,
        "cannot delete object versions that are locked in COMPLIANCE mode; use GOVERNANCE or remove force_destroy",
    )
    return prevented


def is_count(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number of at least 1; a token is not."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
