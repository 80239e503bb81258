"""WebAcl: AWS managed rules and a rate limit for APIs and load balancers, with redacted logs."""

from constructs_lib.constructs.web_acl.web_acl import (
    BASE_GROUPS,
    FURTHER_GROUPS,
    NoWebAcl,
    WebAcl,
    check_web_acl,
    chosen_web_acl,
)

__all__ = ["BASE_GROUPS", "FURTHER_GROUPS", "NoWebAcl", "WebAcl", "check_web_acl", "chosen_web_acl"]
