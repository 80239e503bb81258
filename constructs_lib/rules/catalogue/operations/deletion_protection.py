"""Deletion protection of stateful resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import TERRAFORM
from constructs_lib.rules.rule import ADVICE, REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_OWN: Final[dict[str, tuple[str, str]]] = {
    "aws_cognito_user_pool": ("deletion_protection", "ACTIVE"),
    "aws_docdb_cluster": ("deletion_protection", "true"),
    "aws_neptune_cluster": ("deletion_protection", "true"),
    "aws_ecr_repository": ("force_delete", "false"),
    "aws_efs_file_system": ("", ""),
    "aws_kinesis_stream": ("", ""),
    "aws_msk_cluster": ("", ""),
    "aws_opensearch_domain": ("", ""),
    "aws_redshift_cluster": ("skip_final_snapshot", "false"),
    "aws_secretsmanager_secret": ("recovery_window_in_days", ""),
}
"""The argument of each type that protects it from deletion, and its value; empty where the service has none.

The families RDS, DDB and S3 check databases, tables and buckets.
"""
_BY_DEFAULT: Final = ("aws_ecr_repository", "aws_redshift_cluster", "aws_secretsmanager_secret")
"""Types that are protected by default."""


@rule(
    "OPS-028",
    "Stateful production resource is protected from deletion",
    why="A changed argument or a moved module can replace the resource, and the data is deleted with it.",
    fix="Set lifecycle.prevent_destroy to true, or enable the deletion protection of the service.",
    page=f"{TERRAFORM}/language/meta-arguments/lifecycle",
    types=list(_OWN),
    severity=ADVICE,
    good={
        "resource": {
            "aws_efs_file_system": {"shared": {"encrypted": True, "lifecycle": {"prevent_destroy": True}}},
            "aws_cognito_user_pool": {"users": {"name": "shop-prod-users", "deletion_protection": "ACTIVE"}},
            "aws_docdb_cluster": {"shop": {"deletion_protection": True}},
            "aws_secretsmanager_secret": {"db": {"name": "shop-prod-db"}},
        }
    },
    breaks=[
        {"resource.aws_efs_file_system.shared.lifecycle": REMOVED},
        {"resource.aws_efs_file_system.shared.lifecycle": [{"prevent_destroy": False}]},
        {"resource.aws_cognito_user_pool.users.deletion_protection": REMOVED},
        {"resource.aws_docdb_cluster.shop.deletion_protection": "false"},
        {"resource.aws_secretsmanager_secret.db.recovery_window_in_days": 0},
    ],
)
def data_is_protected(block: Block) -> Iterator[Outcome]:
    """Accept prevent_destroy or the protection of the service."""
    if block.environment != "prod":
        yield NotApplicable("it is not in production")
        return
    at, wanted = _OWN[block.type]
    own = block.text(at) if at else None
    prevented = block.flag("lifecycle.prevent_destroy")
    if own == wanted and at:
        return
    if own is None and block.type in _BY_DEFAULT:
        return
    if block.type == "aws_secretsmanager_secret" and not isinstance(own, Unknown) and own != "0":
        return
    if prevented is True:
        return
    unknown = next((value for value in (own, prevented) if isinstance(value, Unknown)), None)
    if unknown:
        yield block.undecided(unknown, at if unknown is own else "lifecycle.prevent_destroy")
    elif at:
        better = "7 to 30" if block.type == "aws_secretsmanager_secret" else wanted
        yield block.fail(f"must be {better}; or set lifecycle.prevent_destroy to true", at)
    else:
        yield block.fail("must be true: deleting the resource deletes its data", "lifecycle.prevent_destroy")
