"""WebAcl: AWS managed rules and a rate limit for APIs and load balancers, with redacted logs."""

from constructs_lib.constructs.web_acl.rules import BASE_GROUPS, FURTHER_GROUPS, RuleOverride
from constructs_lib.constructs.web_acl.selection import NoWebAcl, check_web_acl, chosen_web_acl
from constructs_lib.constructs.web_acl.web_acl import WebAcl

__all__ = [
    "BASE_GROUPS",
    "FURTHER_GROUPS",
    "NoWebAcl",
    "RuleOverride",
    "WebAcl",
    "check_web_acl",
    "chosen_web_acl",
]
