"""WebAcl: AWS"s managed rules and a rate limit in front of an API or a load balancer, with redacted logs."""

from constructs_lib.constructs.web_acl.web_acl import (
    BASE_GROUPS,
    FURTHER_GROUPS,
    NoWebAcl,
    WebAcl,
    check_web_acl,
    chosen_web_acl,
)

__all__ = ["BASE_GROUPS", "FURTHER_GROUPS", "NoWebAcl", "WebAcl", "check_web_acl", "chosen_web_acl"]
