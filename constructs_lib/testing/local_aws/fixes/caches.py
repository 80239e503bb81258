"""Fixes for ElastiCache."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.models import ElastiCacheBackend, User
from moto.elasticache.responses import ElastiCacheResponse

from constructs_lib.testing.local_aws.fixes.patching import add, around, around_property, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.elasticache.models import CacheCluster, ReplicationGroup

DEFAULT_VERSION = {"redis": "7.1.0", "valkey": "8.0.1", "memcached": "1.6.22"}
FULL_VERSION = {"6.2": "6.2.6", "7.0": "7.0.7", "7.1": "7.1.0", "7.2": "7.2.6", "8.0": "8.0.1"}
DEFAULT_WINDOW = "sun:05:00-sun:06:00"


class ParameterGroupNotFoundError(ElastiCacheException):
    """The error that the provider reads as the end of a deletion."""

    code = "CacheParameterGroupNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"CacheParameterGroup {name} not found.")


class UserGroupNotFoundError(ElastiCacheException):
    """The error that the provider reads as the end of a deletion."""

    code = "UserGroupNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"User group {name} not found.")


def cache_clusters_have_patch_versions_and_windows() -> None:
    """Clusters return the requested engine version without a patch version, which the provider cannot parse."""

    @around(ElastiCacheBackend, "create_cache_cluster")
    def create_cache_cluster(
        original: Callable[..., CacheCluster], self: ElastiCacheBackend, **asked: str | None
    ) -> CacheCluster:
        asked["engine_version"] = full_version(asked["engine"] or "redis", asked["engine_version"])
        asked["preferred_maintenance_window"] = asked["preferred_maintenance_window"] or DEFAULT_WINDOW
        return original(self, **asked)


def cache_deletion_is_immediate() -> None:
    """Clusters stay in the state `deleting`, and subnet groups cannot be deleted."""

    @around(ElastiCacheBackend, "delete_cache_cluster")
    def delete_cache_cluster(
        original: Callable[..., CacheCluster], self: ElastiCacheBackend, cache_cluster_id: str
    ) -> CacheCluster:
        cluster = original(self, cache_cluster_id)
        del self.cache_clusters[cache_cluster_id]
        return cluster

    @add(ElastiCacheResponse, "delete_cache_subnet_group")
    def delete_cache_subnet_group(self: ElastiCacheResponse) -> EmptyResult:
        self.elasticache_backend.cache_subnet_groups.pop(self._get_param("CacheSubnetGroupName"), None)
        return EmptyResult()


def replication_groups_have_member_clusters() -> None:
    """Member clusters are named and not created, but the provider describes them; `NumCacheClusters` is ignored."""
    parameters = [
        name for name in inspect.signature(ElastiCacheBackend.create_cache_cluster).parameters if name != "self"
    ]
    inherited = (
        *("cache_node_type", "cache_subnet_group_name", "security_group_ids", "snapshot_window", "port", "auth_token"),
        *("snapshot_retention_limit", "transit_encryption_enabled", "engine", "engine_version", "network_type"),
        *("preferred_maintenance_window", "cache_parameter_group_name", "notification_topic_arn", "ip_discovery"),
    )

    @around(ElastiCacheBackend, "create_replication_group")
    def create_replication_group(
        original: Callable[..., ReplicationGroup],
        self: ElastiCacheBackend,
        **asked: Any,  # noqa: ANN401  moto's parameters
    ) -> ReplicationGroup:
        if asked["num_cache_clusters"] and not asked["replicas_per_node_group"] and asked["cluster_mode"] != "enabled":
            asked["replicas_per_node_group"] = asked["num_cache_clusters"] - 1
        group = original(self, **asked)
        for member in group.member_clusters:
            values = {
                **dict.fromkeys(parameters),
                **{name: asked[name] for name in inherited},
                "cache_cluster_id": member,
                "replication_group_id": group.replication_group_id,
                # moto knows no other engine that belongs to a replication group.
                "engine": "redis",
                "engine_version": full_version(asked["engine"] or "redis", asked["engine_version"]),
                "cache_parameter_group_name": asked["cache_parameter_group_name"] or "default.redis7",
                "auto_minor_version_upgrade": str(asked["auto_minor_version_upgrade"]).lower() != "false",
                "snapshot_window": group.snapshot_window,
                "port": group.port,
            }
            cluster = self.create_cache_cluster(**values)
            # Kept under the names that moto's serializer looks for.
            vars(cluster)["engine"] = asked["engine"] or "redis"
            vars(cluster)["transit_encryption_mode"] = asked["transit_encryption_mode"]
            vars(cluster)["at_rest_encryption_enabled"] = group.at_rest_encryption_enabled
            vars(cluster)["security_groups"] = [
                {"SecurityGroupId": id_, "Status": "active"} for id_ in asked["security_group_ids"] or []
            ]
        return group

    @around(ElastiCacheBackend, "delete_replication_group")
    def delete_replication_group(
        original: Callable[..., ReplicationGroup],
        self: ElastiCacheBackend,
        replication_group_id: str,
        retain_primary_cluster: bool | None,  # noqa: FBT001  moto's signature
    ) -> ReplicationGroup:
        known = self.replication_groups.get(replication_group_id)
        members = list(known.member_clusters) if known else []
        group = original(self, replication_group_id, retain_primary_cluster)
        for member in members:
            self.cache_clusters.pop(member, None)
        del self.replication_groups[replication_group_id]
        return group


def cache_parameter_groups_exist() -> None:
    """Parameter groups are not supported, nor are their ARNs for tags."""

    @around(ElastiCacheBackend, "__init__")
    def init(original: Callable[..., None], self: ElastiCacheBackend, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        self.arn_regex = re.compile(r"^arn:aws:elasticache:.*")

    def groups(self: ElastiCacheResponse) -> dict[str, dict[str, Any]]:
        return parameter_groups(self.elasticache_backend)

    def parameters(self: ElastiCacheResponse) -> dict[str, str]:
        everything: dict[str, dict[str, str]] = kept(self.elasticache_backend, "parameters", dict)
        return everything.setdefault(self._get_param("CacheParameterGroupName"), {})

    @add(ElastiCacheResponse, "create_cache_parameter_group")
    def create_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
        name = self._get_param("CacheParameterGroupName")
        arn = f"arn:aws:elasticache:{self.region}:{self.current_account}:parametergroup:{name}"
        groups(self)[name] = {
            "CacheParameterGroupName": name,
            "CacheParameterGroupFamily": self._get_param("CacheParameterGroupFamily"),
            "Description": self._get_param("Description"),
            "IsGlobal": False,
            "ARN": arn,
        }
        self.elasticache_backend.tagging_service.tag_resource(arn, self._get_param("Tags") or [])
        return ActionResult({"CacheParameterGroup": groups(self)[name]})

    @add(ElastiCacheResponse, "describe_cache_parameter_groups")
    def describe_cache_parameter_groups(self: ElastiCacheResponse) -> ActionResult:
        name = self._get_param("CacheParameterGroupName")
        if name and name not in groups(self):
            raise ParameterGroupNotFoundError(name)
        return ActionResult({"CacheParameterGroups": [groups(self)[name]] if name else list(groups(self).values())})

    @add(ElastiCacheResponse, "modify_cache_parameter_group")
    def modify_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
        for parameter in self._get_params().get("ParameterNameValues") or []:
            parameters(self)[parameter["ParameterName"]] = parameter["ParameterValue"]
        return ActionResult({"CacheParameterGroupName": self._get_param("CacheParameterGroupName")})

    @add(ElastiCacheResponse, "reset_cache_parameter_group")
    def reset_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
        for parameter in self._get_params().get("ParameterNameValues") or []:
            parameters(self).pop(parameter["ParameterName"], None)
        return ActionResult({"CacheParameterGroupName": self._get_param("CacheParameterGroupName")})

    @add(ElastiCacheResponse, "describe_cache_parameters")
    def describe_cache_parameters(self: ElastiCacheResponse) -> ActionResult:
        return ActionResult(
            {
                "Parameters": [
                    {"ParameterName": name, "ParameterValue": value, "Source": "user"}
                    for name, value in parameters(self).items()
                ]
            }
        )

    @add(ElastiCacheResponse, "delete_cache_parameter_group")
    def delete_cache_parameter_group(self: ElastiCacheResponse) -> EmptyResult:
        parameters(self).clear()
        groups(self).pop(self._get_param("CacheParameterGroupName"), None)
        return EmptyResult()


def cache_user_groups_exist() -> None:
    """User groups are not supported."""

    def groups(self: ElastiCacheResponse) -> dict[str, dict[str, Any]]:
        return user_groups(self.elasticache_backend)

    def group(self: ElastiCacheResponse) -> dict[str, Any]:
        name = self._get_param("UserGroupId")
        if name not in groups(self):
            raise UserGroupNotFoundError(name)
        return groups(self)[name]

    @add(ElastiCacheResponse, "create_user_group")
    def create_user_group(self: ElastiCacheResponse) -> ActionResult:
        name = self._get_param("UserGroupId")
        arn = f"arn:aws:elasticache:{self.region}:{self.current_account}:usergroup:{name}"
        groups(self)[name] = {
            "UserGroupId": name,
            "Status": "active",
            "Engine": self._get_param("Engine"),
            "UserIds": self._get_params().get("UserIds") or [],
            "ARN": arn,
        }
        self.elasticache_backend.tagging_service.tag_resource(arn, self._get_param("Tags") or [])
        return ActionResult(group(self))

    @add(ElastiCacheResponse, "describe_user_groups")
    def describe_user_groups(self: ElastiCacheResponse) -> ActionResult:
        return ActionResult(
            {"UserGroups": [group(self)] if self._get_param("UserGroupId") else list(groups(self).values())}
        )

    @add(ElastiCacheResponse, "modify_user_group")
    def modify_user_group(self: ElastiCacheResponse) -> ActionResult:
        known, asked = group(self), self._get_params()
        kept_users = [user for user in known["UserIds"] if user not in (asked.get("UserIdsToRemove") or [])]
        known["UserIds"] = [*kept_users, *(asked.get("UserIdsToAdd") or [])]
        return ActionResult(known)

    @add(ElastiCacheResponse, "delete_user_group")
    def delete_user_group(self: ElastiCacheResponse) -> ActionResult:
        return ActionResult({**groups(self).pop(group(self)["UserGroupId"]), "Status": "deleting"})


def cache_users_follow_the_api() -> None:
    """Users return the authentication type of the request, cannot be modified, and stay in groups when deleted."""

    @around_property(User, "authentication")
    def authentication(given: dict[str, str | int | None], _self: User) -> dict[str, str | int | None]:
        return {**given, "Type": "no-password" if given["Type"] == "no-password-required" else given["Type"]}

    @around(ElastiCacheBackend, "delete_user")
    def delete_user(original: Callable[..., User], self: ElastiCacheBackend, user_id: str) -> User:
        user = original(self, user_id)
        for group in user_groups(self).values():
            group["UserIds"] = [member for member in group["UserIds"] if member != user_id]
        return user

    @add(ElastiCacheResponse, "modify_user")
    def modify_user(self: ElastiCacheResponse) -> ActionResult:
        asked = self._get_params()
        user = self.elasticache_backend.describe_users(asked["UserId"])[0]
        mode = asked.get("AuthenticationMode") or {}
        type_ = mode.get("Type") or ("no-password-required" if asked.get("NoPasswordRequired") else None)
        passwords = asked.get("Passwords") or mode.get("Passwords")
        if passwords or type_:
            user.authentication_type = type_ or "password"
            user.no_password_required = user.authentication_type == "no-password-required"
            user.passwords = passwords or []
        user.access_string = asked.get("AccessString") or user.access_string
        return ActionResult(user)


def replication_groups_keep_the_cluster_mode() -> None:
    """A changed cluster mode is ignored."""

    @around(ElastiCacheResponse, "modify_replication_group")
    def modify_replication_group(original: Callable[..., ActionResult], self: ElastiCacheResponse) -> ActionResult:
        answer = original(self)
        if mode := self._get_param("ClusterMode"):
            group = self.elasticache_backend.replication_groups[self._get_param("ReplicationGroupId")]
            group.cluster_mode = mode
            group.cluster_enabled = mode == "enabled"
        return answer


def parameter_groups(backend: ElastiCacheBackend) -> dict[str, dict[str, Any]]:
    """Return the parameter groups of a Region, by name."""
    return kept(backend, "parameter_groups", dict)


def user_groups(backend: ElastiCacheBackend) -> dict[str, dict[str, Any]]:
    """Return the user groups of a Region, by id."""
    return kept(backend, "user_groups", dict)


def full_version(engine: str, asked: str | None) -> str:
    """Return a version with a patch version, as AWS returns it."""
    if not asked:
        return DEFAULT_VERSION.get(engine, DEFAULT_VERSION["redis"])
    return asked if asked.count(".") >= 2 else FULL_VERSION.get(asked, f"{asked}.0")  # noqa: PLR2004  dots


FIXES = (
    cache_clusters_have_patch_versions_and_windows,
    cache_deletion_is_immediate,
    replication_groups_have_member_clusters,
    cache_parameter_groups_exist,
    cache_user_groups_exist,
    cache_users_follow_the_api,
    replication_groups_keep_the_cluster_mode,
)
