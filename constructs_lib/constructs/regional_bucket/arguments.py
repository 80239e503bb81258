"""What the arguments of a RegionalBucket may be."""

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
"""Where objects go with time, in the order that S3 lets them go."""

LockMode = Literal["GOVERNANCE", "COMPLIANCE"]
"""Whether somebody with the permission to bypass it can delete a locked version, or nobody at all."""

MAX_KEPT_VERSIONS: Final = 100
MAX_LOCK_DAYS: Final = 36500
_INFREQUENT_DAYS: Final = 30
_INFREQUENT: Final = ("STANDARD_IA", "ONEZONE_IA")
_ARCHIVES: Final = ("GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_LOG_PREFIX: Final = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
_ENDPOINT: Final = re.compile(r"vpce-[0-9a-f]{8,17}")
_RESERVED: Final = ("xn--", "sthree-", "amzn-s3-demo-")


@dataclass(frozen=True)
class Transition:
    """When objects go to a cheaper storage class.

    Attributes:
        days: Days after their creation; at least 30 for the two infrequent-access classes.
        storage_class: Where they go.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html.
    """

    days: int
    storage_class: StorageClass


@dataclass(frozen=True)
class ObjectLock:
    """How long no version of an object can be deleted or overwritten.

    Attributes:
        days: Days after a version was written, 1 to 36,500.
        mode: `GOVERNANCE` lets those with `s3:BypassGovernanceRetention` delete it, `COMPLIANCE` nobody, root included.

    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html.
    """

    days: int
    mode: LockMode = "GOVERNANCE"


@dataclass(frozen=True)
class NoAccessLogs(OptOut):
    """Nobody keeps a record of who read and wrote the bucket, where the environment asks for one."""


@dataclass(frozen=True)
class UnprotectedBucket(OptOut):
    """Terraform may destroy the bucket where the environment or the construct would keep it from doing so."""


@dataclass(frozen=True)
class ForceDestroy(OptOut):
    """Destroying the bucket deletes every version of every object in it first."""


@dataclass(frozen=True)
class LogDelivery(OptOut):
    """Encrypted with a key of S3's instead of the customer's; recorded by the bucket itself."""


def check_name(problems: Problems, name: str) -> None:
    """Note a name that S3 keeps for itself; characters and length are right by construction."""
    problems.check(
        not name.startswith(_RESERVED),
        "project",
        name,
        f"a bucket's name must not begin with {', '.join(_RESERVED)}; give the stack another project",
    )


def check_log_prefix(path: str, prefix: str) -> None:
    """Make sure that load balancers accept a prefix for their logs.

    Raises:
        ConfigurationError: It begins or ends with a slash, holds a token, or `AWSLogs`, which they add themselves.
    """
    if prefix and ("AWSLogs" in prefix or not _LOG_PREFIX.fullmatch(prefix)):
        raise ConfigurationError(
            path,
            f"prefix={prefix!r}: must be letters, digits, dots, hyphens and underscores, with single slashes between "
            "them and without AWSLogs, which load balancers add themselves",
        )


def check_days(problems: Problems, region: Region, noncurrent: object, versions: object, expire: object) -> None:
    """Note times and numbers that S3 does not know or that are below the environment's."""
    floor = region.profile.bucket_noncurrent_days
    problems.check(
        is_count(noncurrent) and noncurrent >= floor,
        "noncurrent_days",
        noncurrent,
        f"must be a whole number of days, at least {floor} in {region.environment.value}",
    )
    problems.check(
        versions is None or (is_count(versions) and versions <= MAX_KEPT_VERSIONS),
        "keep_versions",
        versions,
        f"must be a whole number from 1 to {MAX_KEPT_VERSIONS}, or None",
    )
    problems.check(
        expire is None or is_count(expire), "expire_days", expire, "must be a whole number of days, at least 1, or None"
    )


def check_transitions(problems: Problems, transitions: Sequence[Transition], expire_days: int | None) -> None:
    """Note storage classes and times that S3 refuses, alone or one after the other."""
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
            f"S3 moves objects to {transition.storage_class} after {least} days at the earliest",
        )
        problems.check(
            expire_days is None or not is_count(expire_days) or transition.days < expire_days,
            argument,
            transition.days,
            f"comes too late: objects expire after {expire_days} days",
        )
        if index:
            _check_order(problems, argument, transition, transitions[:index])


def _check_order(problems: Problems, argument: str, transition: Transition, earlier: Sequence[Transition]) -> None:
    """Note a storage class that S3 does not move objects to from where they are, or not that soon."""
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
        "S3 moves nothing from ONEZONE_IA to GLACIER_IR; leave one of them out",
    )
    # Both pay for 30 days at least, and one rule may not end them sooner.
    kept = max((one.days for one in earlier if one.storage_class in _INFREQUENT), default=None)
    problems.check(
        kept is None or storage_class not in _ARCHIVES or transition.days >= kept + _INFREQUENT_DAYS,
        argument,
        transition.days,
        f"S3 keeps objects in {' and '.join(_INFREQUENT)} for {_INFREQUENT_DAYS} days; give at least "
        f"{(kept or 0) + _INFREQUENT_DAYS}",
    )


def check_lock(problems: Problems, lock: ObjectLock | None) -> None:
    """Note a lock that S3 does not know."""
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
    """Note a bucket without its key, and one whose key or lock keeps logs out."""
    problems.check(isinstance(log_delivery, bool), "log_delivery", log_delivery, "must be True or False")
    known = key is None or isinstance(key, MultiRegionKey)
    problems.check(known, "key", key, "must be a MultiRegionKey, or None with log_delivery=True")
    if not log_delivery:
        problems.check(key, "key", key, "is required: give a MultiRegionKey, or log_delivery=True for access logs")
        return
    problems.check(
        key is None,
        "log_delivery",
        log_delivery,
        "S3 and load balancers deliver access logs only to buckets encrypted with SSE-S3; leave out the key",
    )
    problems.check(
        lock is None, "object_lock", lock, "S3 delivers no access logs to a bucket that locks them; leave it out"
    )


def check_endpoints(problems: Problems, region: Region, endpoints: Sequence[Vpc | str], *, log_delivery: bool) -> None:
    """Note what is no VPC endpoint, or one that no request to the bucket comes in by."""
    allowed = "must be a list of VPCs with a gateway endpoint of S3, and ids of endpoints such as 'vpce-0a1b2c3d'"
    if not problems.check(isinstance(endpoints, (list, tuple)), "vpc_endpoints", endpoints, allowed):
        return
    problems.check(
        not (endpoints and log_delivery and region.name in CHINA_LOAD_BALANCERS),
        "vpc_endpoints",
        endpoints,
        "would keep out load balancers, which deliver as an account in China; leave it out of a bucket that takes logs",
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
            f"is in {endpoint.region.name}, whose gateway endpoint leads to S3 there; the bucket is in {region.name}",
        )
        try:
            endpoint.gateway("s3")
        except ConfigurationError:
            problems.add(at, endpoint.path, "has no gateway endpoint of S3; give gateway_tiers, or an endpoint's id")


def check_removal(
    problems: Problems,
    region: Region,
    *,
    protected: bool | UnprotectedBucket | None,
    force_destroy: ForceDestroy | None,
    lock: ObjectLock | None,
) -> bool:
    """Return whether Terraform refuses to destroy the bucket, and note what speaks against the arguments."""
    floor = region.profile.prevent_destroy
    prevented = floor if protected is None else protected is True
    problems.check(
        protected is not False or not floor,
        "protected",
        protected,
        f"must be True in {region.environment.value}; give UnprotectedBucket(reason) where the bucket may go",
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
        "is refused in prod, where nothing may delete every object at once",
    )
    problems.check(
        not prevented or region.environment is Environment.PROD,
        "force_destroy",
        force_destroy,
        "contradicts protected, which refuses to destroy the bucket; give one of them",
    )
    problems.check(
        not isinstance(lock, ObjectLock) or lock.mode != "COMPLIANCE",
        "force_destroy",
        force_destroy,
        "cannot delete what a lock in COMPLIANCE mode keeps; use GOVERNANCE or leave it out",
    )
    return prevented


def is_count(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number, at least 1; a token is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
