"""Users and cluster modes of ElastiCache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib.testing.local_aws.fixes.caches import user_groups
from constructs_lib.testing.local_aws.refusals.asking import RefusedError, refuses

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.refusals.asking import Asked


@refuses("elasticache:CreateUserGroup", "elasticache:ModifyUserGroup")
def members_of_user_groups(asked: Asked) -> None:
    """A user group has exactly one user named default, no name twice, and for Valkey no user without a password.

    See: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
    """
    given = asked.parameters
    backend = asked.backend("elasticache")
    known = user_groups(backend).get(given["UserGroupId"], {}) if asked.call.model.name == "ModifyUserGroup" else {}
    members = list(known.get("UserIds", []))
    for user in given.get("UserIdsToRemove") or []:
        if user not in members:
            raise RefusedError("InvalidParameterValue", f"{user} is not a member of user group {given['UserGroupId']}.")
        members.remove(user)
    members += [*(given.get("UserIds") or []), *(given.get("UserIdsToAdd") or [])]
    users: list[Any] = []
    for member in members:
        if member not in backend.users:
            raise RefusedError("UserNotFound", f"User {member} not found.", 404)
        users.append(backend.users[member])
    names = [user.name for user in users]
    if "default" not in names:
        raise RefusedError("DefaultUserRequired", "User group needs to contain a user with the user name default.")
    if len(set(names)) < len(names):
        raise RefusedError("DuplicateUserName", "User group cannot contain two users with the same user name.")
    engine = str(known.get("Engine") or given.get("Engine") or "").lower()
    open_users = [user.id for user in users if user.authentication["Type"] == "no-password"]
    if engine == "valkey" and open_users:
        raise RefusedError(
            "InvalidParameterValue",
            f"A Valkey user group cannot contain users without a password: {', '.join(open_users)}",
        )


@refuses("elasticache:DeleteUser")
def default_users_of_groups(asked: Asked) -> None:
    """The user named default of a user group cannot be deleted.

    See: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteUser.html
    """
    backend = asked.backend("elasticache")
    user = backend.users.get(asked.parameters["UserId"])
    if user and user.name == "default" and any(user.id in group["UserIds"] for group in user_groups(backend).values()):
        raise RefusedError(
            "DefaultUserAssociatedToUserGroup", "User is associated to user group(s) as the default user."
        )


@refuses("elasticache:ModifyReplicationGroup")
def cluster_modes(asked: Asked) -> None:
    """Cluster mode goes from disabled to enabled by way of compatible, and never back.

    See: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/modify-cluster-mode.html
    """
    wanted = asked.parameters.get("ClusterMode")
    group = asked.backend("elasticache").replication_groups.get(asked.parameters["ReplicationGroupId"])
    now = getattr(group, "cluster_mode", None)
    if (
        wanted
        and group
        and (now or "disabled", wanted)
        in {
            ("disabled", "enabled"),
            ("compatible", "disabled"),
            ("enabled", "disabled"),
            ("enabled", "compatible"),
        }
    ):
        raise RefusedError(
            "InvalidParameterCombination", f"Cluster mode cannot be changed from {now or 'disabled'} to {wanted}."
        )
