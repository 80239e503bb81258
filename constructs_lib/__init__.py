"""Hardened CDK for Terraform constructs for AWS.

Import this package before `cdktf` or a generated provider package, or instead of them: it makes their thousands of
modules load one by one, and offers what an app needs from them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from constructs_lib import bindings

if TYPE_CHECKING:
    from constructs_lib._engine.core import App as App
    from constructs_lib._engine.core import Aspects as Aspects
    from constructs_lib._engine.core import Construct as Construct
    from constructs_lib._engine.core import Fn as Fn
    from constructs_lib._engine.core import TerraformOutput as TerraformOutput
    from constructs_lib._engine.core import TerraformStack as TerraformStack
    from constructs_lib._engine.core import Token as Token
    from constructs_lib._engine.packages import ArchiveProvider as ArchiveProvider
    from constructs_lib._engine.packages import AwsProvider as AwsProvider
    from constructs_lib._engine.packages import RandomProvider as RandomProvider
    from constructs_lib._engine.packages import archive as archive
    from constructs_lib._engine.packages import aws as aws
    from constructs_lib._engine.packages import random as random
    from constructs_lib.alarm_topic import AlarmTopic as AlarmTopic
    from constructs_lib.alarms import Alarm as Alarm
    from constructs_lib.alarms import NoAlarms as NoAlarms
    from constructs_lib.aurora_provisioned import AuroraProvisioned as AuroraProvisioned
    from constructs_lib.aurora_provisioned import ExtendedSupport as ExtendedSupport
    from constructs_lib.aurora_provisioned import Instance as Instance
    from constructs_lib.aurora_provisioned import MajorUpgrade as MajorUpgrade
    from constructs_lib.aurora_provisioned import PinnedMinorVersion as PinnedMinorVersion
    from constructs_lib.aurora_provisioned import ReaderScaling as ReaderScaling
    from constructs_lib.certificate import Certificate as Certificate
    from constructs_lib.certificate import HostedZone as HostedZone
    from constructs_lib.checks import acknowledge as acknowledge
    from constructs_lib.checks import attach as attach
    from constructs_lib.credentials import GeneratedPassword as GeneratedPassword
    from constructs_lib.custom_domain import AliasRecords as AliasRecords
    from constructs_lib.custom_domain import CustomDomain as CustomDomain
    from constructs_lib.databases import Deletable as Deletable
    from constructs_lib.event_bus import AcceptedLoop as AcceptedLoop
    from constructs_lib.event_bus import EventBus as EventBus
    from constructs_lib.event_bus import EventTarget as EventTarget
    from constructs_lib.event_bus import ForeignBus as ForeignBus
    from constructs_lib.event_bus import InputTransformer as InputTransformer
    from constructs_lib.foundation.addresses import AddressPlan as AddressPlan
    from constructs_lib.foundation.backend import LocalBackend as LocalBackend
    from constructs_lib.foundation.backend import PartialS3Backend as PartialS3Backend
    from constructs_lib.foundation.backend import S3Backend as S3Backend
    from constructs_lib.foundation.backend import backend_from_environment as backend_from_environment
    from constructs_lib.foundation.environment import Environment as Environment
    from constructs_lib.foundation.errors import ConfigurationError as ConfigurationError
    from constructs_lib.foundation.errors import ConfigurationWarning as ConfigurationWarning
    from constructs_lib.foundation.function_source import InlineSource as InlineSource
    from constructs_lib.global_table import GlobalIndex as GlobalIndex
    from constructs_lib.global_table import GlobalTable as GlobalTable
    from constructs_lib.global_table import LocalIndex as LocalIndex
    from constructs_lib.global_table import Provisioned as Provisioned
    from constructs_lib.lambda_layer import LambdaLayer as LambdaLayer
    from constructs_lib.log_group import LogGroup as LogGroup
    from constructs_lib.multi_region_key import MultiRegionKey as MultiRegionKey
    from constructs_lib.payment_lambda import Canary as Canary
    from constructs_lib.payment_lambda import FunctionUrl as FunctionUrl
    from constructs_lib.payment_lambda import PaymentLambda as PaymentLambda
    from constructs_lib.payment_lambda import Unreserved as Unreserved
    from constructs_lib.peered_mesh import PeeredMesh as PeeredMesh
    from constructs_lib.queue import Fifo as Fifo
    from constructs_lib.queue import Queue as Queue
    from constructs_lib.queue import SqsManagedKey as SqsManagedKey
    from constructs_lib.redis_cache import CacheUser as CacheUser
    from constructs_lib.redis_cache import RedisCache as RedisCache
    from constructs_lib.redis_cache import ReplicationGroup as ReplicationGroup
    from constructs_lib.redis_cache import Shards as Shards
    from constructs_lib.regional_bucket import AnyOrigin as AnyOrigin
    from constructs_lib.regional_bucket import CorsRule as CorsRule
    from constructs_lib.regional_bucket import ForceDestroy as ForceDestroy
    from constructs_lib.regional_bucket import Inventory as Inventory
    from constructs_lib.regional_bucket import NoAccessLogs as NoAccessLogs
    from constructs_lib.regional_bucket import ObjectLock as ObjectLock
    from constructs_lib.regional_bucket import RegionalBucket as RegionalBucket
    from constructs_lib.regional_bucket import Transition as Transition
    from constructs_lib.regional_bucket import UnprotectedBucket as UnprotectedBucket
    from constructs_lib.regional_map import RegionalMap as RegionalMap
    from constructs_lib.regional_vpc import LAMBDA_BASIC as LAMBDA_BASIC
    from constructs_lib.regional_vpc import RegionalVpc as RegionalVpc
    from constructs_lib.regional_vpc import SingleNat as SingleNat
    from constructs_lib.regional_vpc import Vpc as Vpc
    from constructs_lib.rest_api import LateFinish as LateFinish
    from constructs_lib.rest_api import PublicAccess as PublicAccess
    from constructs_lib.rest_api import RestApi as RestApi
    from constructs_lib.rest_api import TokenAuthorizer as TokenAuthorizer
    from constructs_lib.secret_parameter import GeneratedValue as GeneratedValue
    from constructs_lib.secret_parameter import OutsideValue as OutsideValue
    from constructs_lib.secret_parameter import SecretParameter as SecretParameter
    from constructs_lib.secret_parameter import WriteOnlyValue as WriteOnlyValue
    from constructs_lib.security_group import SecurityGroup as SecurityGroup
    from constructs_lib.stack import HardenedStack as HardenedStack
    from constructs_lib.stack import Region as Region
    from constructs_lib.state_backend import StateBackend as StateBackend
    from constructs_lib.web_acl import NoWebAcl as NoWebAcl
    from constructs_lib.web_acl import WebAcl as WebAcl
    from constructs_lib.web_tier import CpuAlarms as CpuAlarms
    from constructs_lib.web_tier import Image as Image
    from constructs_lib.web_tier import ScheduledSize as ScheduledSize
    from constructs_lib.web_tier import TargetTracking as TargetTracking
    from constructs_lib.web_tier import UnprotectedLoadBalancer as UnprotectedLoadBalancer
    from constructs_lib.web_tier import WebTier as WebTier

_MODULES: Final = {
    "_engine.core": ("App", "Aspects", "Construct", "Fn", "TerraformOutput", "TerraformStack", "Token"),
    "_engine.packages": ("ArchiveProvider", "AwsProvider", "RandomProvider", "archive", "aws", "random"),
    "alarm_topic": ("AlarmTopic",),
    "alarms": ("Alarm", "NoAlarms"),
    "aurora_provisioned": (
        "AuroraProvisioned",
        "ExtendedSupport",
        "Instance",
        "MajorUpgrade",
        "PinnedMinorVersion",
        "ReaderScaling",
    ),
    "certificate": ("Certificate", "HostedZone"),
    "checks": ("acknowledge", "attach"),
    "credentials": ("GeneratedPassword",),
    "custom_domain": ("AliasRecords", "CustomDomain"),
    "databases": ("Deletable",),
    "event_bus": ("AcceptedLoop", "EventBus", "EventTarget", "ForeignBus", "InputTransformer"),
    "foundation.addresses": ("AddressPlan",),
    "foundation.backend": ("LocalBackend", "PartialS3Backend", "S3Backend", "backend_from_environment"),
    "foundation.environment": ("Environment",),
    "foundation.errors": ("ConfigurationError", "ConfigurationWarning"),
    "foundation.function_source": ("InlineSource",),
    "global_table": ("GlobalIndex", "GlobalTable", "LocalIndex", "Provisioned"),
    "lambda_layer": ("LambdaLayer",),
    "log_group": ("LogGroup",),
    "multi_region_key": ("MultiRegionKey",),
    "payment_lambda": ("Canary", "FunctionUrl", "PaymentLambda", "Unreserved"),
    "peered_mesh": ("PeeredMesh",),
    "queue": ("Fifo", "Queue", "SqsManagedKey"),
    "redis_cache": ("CacheUser", "RedisCache", "ReplicationGroup", "Shards"),
    "regional_bucket": (
        *("AnyOrigin", "CorsRule", "ForceDestroy", "Inventory", "NoAccessLogs", "ObjectLock", "RegionalBucket"),
        *("Transition", "UnprotectedBucket"),
    ),
    "regional_map": ("RegionalMap",),
    "regional_vpc": ("LAMBDA_BASIC", "RegionalVpc", "SingleNat", "Vpc"),
    "rest_api": ("LateFinish", "PublicAccess", "RestApi", "TokenAuthorizer"),
    "secret_parameter": ("GeneratedValue", "OutsideValue", "SecretParameter", "WriteOnlyValue"),
    "security_group": ("SecurityGroup",),
    "stack": ("HardenedStack", "Region"),
    "state_backend": ("StateBackend",),
    "web_acl": ("NoWebAcl", "WebAcl"),
    "web_tier": ("CpuAlarms", "Image", "ScheduledSize", "TargetTracking", "UnprotectedLoadBalancer", "WebTier"),
}
_HOME: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605  the names above, each imported when it is first used


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]


bindings.install()
