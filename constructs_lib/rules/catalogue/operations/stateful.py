"""What cannot be made anew."""

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
"""The service's own protection of each type: the attribute, and what it must be; nothing where there is none.

Relational databases, tables and buckets have rules of their own.
"""
_BY_DEFAULT: Final = ("aws_ecr_repository", "aws_redshift_cluster", "aws_secretsmanager_secret")
"""Types that AWS protects when nothing is said."""


@rule(
    "OPS-028",
    "What holds data in production is protected from deletion",
    why="A renamed argument or a moved module replaces it, and the data goes with the old one.",
    fix="Set lifecycle.prevent_destroy to true, or turn on the service's own protection.",
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
    """Either of the two is enough."""
    if block.environment != "prod":
        yield NotApplicable("not in production")
        return
    at, wanted = _OWN[block.type]
    own = block.text(at) if at else None
    kept = block.flag("lifecycle.prevent_destroy")
    if own == wanted and at:
        return
    if own is None and block.type in _BY_DEFAULT:
        return
    if block.type == "aws_secretsmanager_secret" and not isinstance(own, Unknown) and own != "0":
        return
    if kept is True:
        return
    unknown = next((value for value in (own, kept) if isinstance(value, Unknown)), None)
    if unknown:
        yield block.undecided(unknown, at if unknown is own else "lifecycle.prevent_destroy")
    elif at:
        better = "7 to 30" if block.type == "aws_secretsmanager_secret" else wanted
        yield block.fail(f"must be {better}, or lifecycle.prevent_destroy true", at)
    else:
        yield block.fail("must be true: deleting it deletes the data", "lifecycle.prevent_destroy")
