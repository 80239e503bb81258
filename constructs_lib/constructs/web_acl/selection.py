"""The web ACL of a construct that can have one, from its argument `web_acl`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from constructs_lib._engine import aws
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.web_acl.web_acl import WebAcl
from constructs_lib.core.alarms import NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.opt_out import OptOut


@dataclass(frozen=True)
class NoWebAcl(OptOut):
    """Requests are not filtered by a web ACL although the environment requires one."""


def check_web_acl(problems: Problems, region: Region, web_acl: object) -> None:
    """Report what is wrong with the argument `web_acl` of a construct.

    Args:
        problems: The problems to add to.
        region: The construct's region.
        web_acl: A web ACL, True to create one, False or `NoWebAcl` for none, None for the environment's default.
    """
    if isinstance(web_acl, WebAcl):
        problems.check(
            web_acl.region is region,
            "web_acl",
            web_acl.path,
            f"is in {web_acl.region.name} of the stack {web_acl.region.stack.path}; expected a web ACL in "
            f"{region.name} of the stack {region.stack.path}",
        )
    elif web_acl is False:
        problems.check(
            not region.profile.web_acl,
            "web_acl",
            web_acl,
            f"{region.environment.value} requires a web ACL; give NoWebAcl(reason) to turn it off",
        )
    else:
        problems.check(
            web_acl is None or web_acl is True or isinstance(web_acl, NoWebAcl),
            "web_acl",
            web_acl,
            "must be a WebAcl, True, False or NoWebAcl(reason)",
        )


def chosen_web_acl(
    owner: HardenedConstruct,
    *,
    web_acl: WebAcl | NoWebAcl | bool | None,
    key: MultiRegionKey,
    resource_arn: str,
    alarms: bool | NoAlarms | None = None,
    alarm_topics: Iterable[str] = (),
) -> WebAcl | None:
    """Return the web ACL of a construct's argument `web_acl`, created if needed, and associate it.

    The association's address is that of the construct, whether the web ACL is its own or a shared one. With an address
    for each web ACL, Terraform would create the association with the next web ACL before it destroys the one with the
    last, and destroying it removes whichever web ACL the resource has.

    Args:
        owner: The construct that is protected.
        web_acl: Its argument.
        key: The KMS key for a web ACL of its own.
        resource_arn: ARN of the stage or the load balancer.
        alarms: As for `WebAcl`, for one of its own.
        alarm_topics: As for `WebAcl`, for one of its own.

    See https://docs.aws.amazon.com/waf/latest/APIReference/API_DisassociateWebACL.html.
    """
    if isinstance(web_acl, NoWebAcl):
        owner.region.stack.opt_outs.append((owner.path, web_acl))
        return None
    if isinstance(web_acl, WebAcl):
        acl = web_acl
    elif owner.region.profile.web_acl if web_acl is None else web_acl:
        acl = WebAcl(
            owner,
            "web-acl",
            region=owner.region,
            key=key,
            alarms=alarms,
            alarm_topics=alarm_topics,
        )
    else:
        return None
    id_ = f"association-{owner.component}"
    association = owner.region.create(
        owner,
        (*owner.components, "web-acl", id_),
        aws.wafv2_web_acl_association.Wafv2WebAclAssociation,
        web_acl_arn=owner.region.stack.ref(acl.resource, "arn"),
        resource_arn=resource_arn,
    )
    owner.resources["web-acl-association"] = association
    if acl is web_acl:
        owner.region.moved_from(association, (*acl.components, id_))
    return acl
