"""Associations of web ACLs with resources."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.queries.links import is_given, sources, undecidable

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block, Estate
    from constructs_lib.rules.estate.values import Unknown

WEB_ACL: Final = "aws_wafv2_web_acl"
_ASSOCIATIONS: Final = ("aws_wafv2_web_acl_association", "aws_wafregional_web_acl_association")
_DISTRIBUTION: Final = "aws_cloudfront_distribution"


def is_behind_web_acl(block: Block, *also: Block | None) -> bool | Unknown:
    """Return whether a web ACL is associated with a block, or with a distribution in front of it.

    Args:
        block: What the ACL is to stand before.
        also: Blocks that a distribution may name in its place, such as the API of a stage.
    """
    protected, doubt = _protected(block.estate)
    if block in protected:
        return True
    fronts = [front for each in (block, *also) if each is not None for front in each.referrers(_DISTRIBUTION)]
    if any(is_given(front.get("web_acl_id")) for front in fronts):
        return True
    return doubt or False


@lru_cache(maxsize=8)
def _protected(estate: Estate) -> tuple[frozenset[Block], Unknown | None]:
    found: set[Block] = set()
    doubt: Unknown | None = None
    for association in estate.of(*_ASSOCIATIONS):
        targets = sources(association, "resource_arn")
        found.update(targets)
        # An ARN may be written with the API's id and the stage's name.
        text = str(association.raw("resource_arn"))
        for api in (each for each in targets if each.type == "aws_api_gateway_rest_api"):
            stages = api.referrers_at("rest_api_id", "aws_api_gateway_stage")
            found.update(stage for stage in stages if text.endswith(f"/stages/{stage.get('stage_name')}"))
        if not targets:
            doubt = undecidable(association.get("resource_arn")) or doubt
    return frozenset(found), doubt
