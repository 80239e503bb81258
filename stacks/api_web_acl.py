"""The web ACL of an API that servers call: one address may use the API's whole rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib import WebAcl

if TYPE_CHECKING:
    from constructs_lib import AlarmTopic, HardenedStack, MultiRegionKey, Region


def api_web_acl(stack: HardenedStack, *, region: Region, key: MultiRegionKey, topic: AlarmTopic) -> WebAcl | None:
    """Return the web ACL of a region's API, or None where the environment requires none.

    The default of 2,000 requests in five minutes is for browsers. Callers that sign with IAM credentials are servers,
    and those of one company share the address of a NAT gateway.

    Args:
        stack: The stack.
        region: The API's region.
        key: Encrypts the log group.
        topic: The topic that the alarm on blocked requests notifies.
    """
    if not region.profile.web_acl:
        return None
    return WebAcl(
        stack,
        f"api-web-acl-{region.name}",
        region=region,
        key=key,
        rate_limit=region.profile.api_rate_limit * 300,
        alarm_topics=[topic.arn],
    )
