"""Every rule, one module for each part of a family."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Final

from constructs_lib.rules.rule import Rule

_MODULES: Final = (
    "api_certificates",
    "api_deployments",
    "api_domains",
    "api_firewalls",
    "api_listeners",
    "api_load_balancers",
    "api_methods",
    "api_stages",
    "ddb_cache_access",
    "ddb_cache_nodes",
    "ddb_cache_upkeep",
    "ddb_replicas",
    "ddb_tables",
    "enc_keys",
    "enc_secrets",
    "enc_storage",
    "iam_documents",
    "iam_grants",
    "iam_identities",
    "iam_statements",
    "iam_trust",
    "lam_access",
    "lam_concurrency",
    "lam_environment",
    "lam_events",
    "lam_network",
    "lam_order",
    "lam_package",
    "lam_runtime",
    "lam_source",
    "msg_events",
    "msg_limits",
    "msg_policies",
    "msg_queues",
    "msg_redrive",
    "msg_targets",
    "name_accounts",
    "name_environments",
    "name_labels",
    "name_limits",
    "name_styles",
    "name_tags",
    "net_acls",
    "net_gateways",
    "net_membership",
    "net_peering",
    "net_routes",
    "net_security_groups",
    "net_vpcs",
    "ops_alarms",
    "ops_logs",
    "ops_machines",
    "ops_scaling",
    "ops_stateful",
    "ops_user_data",
    "rds_access",
    "rds_modes",
    "rds_monitoring",
    "rds_network",
    "rds_parameters",
    "rds_placement",
    "rds_protection",
    "rds_upkeep",
    "reg_crossing",
    "reg_maps",
    "reg_places",
    "reg_providers",
    "s3_access",
    "s3_data",
    "s3_links",
    "s3_names",
    "state_backends",
    "state_copies",
    "state_modules",
    "state_outputs",
    "state_references",
    "state_secrets",
    "state_workspaces",
)


@cache
def rules() -> tuple[Rule, ...]:
    """Return every rule by id.

    Raises:
        ValueError: Two rules have the same id.
    """
    found: dict[str, Rule] = {}
    for name in _MODULES:
        module = importlib.import_module(f"{__name__}.{name}")
        for value in vars(module).values():
            if isinstance(value, Rule) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"{value.id} is given to two rules, one of them in {name}")
    return tuple(found[id_] for id_ in sorted(found))
