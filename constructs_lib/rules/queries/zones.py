"""Whether subnets are in more than one Availability Zone, as far as it is known at synth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.networks import may_be_absent

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block

_OF_AN_INSTANCE = ("each.", "count.", "var.")


def zones_text(group: Block, at: str) -> str | Unknown:
    """Return the fault of the Availability Zones of a list of subnets; empty if there is none."""
    values = group.items(at)
    if isinstance(values, Unknown):
        return values
    subnets = list(
        dict.fromkeys(value.block for value in values if isinstance(value, Computed) and value.block is not None)
    )
    absent = next((subnet for subnet in subnets if may_be_absent(subnet)), None)
    if absent is not None:
        return Unknown(f"the number of {absent.address} is known only in a plan")
    unknown = next((value for value in values if isinstance(value, Unknown) and not isinstance(value, Computed)), None)
    if len(values) < 2:  # noqa: PLR2004  two zones need two subnets
        return unknown or "names fewer than two subnets"
    known: set[str] = set()
    doubt = unknown
    for subnet in subnets:
        zone = subnet.get("availability_zone") or subnet.get("availability_zone_id")
        if isinstance(zone, str):
            known.add(zone)
        elif (
            isinstance(zone, Unknown)
            and "data." in zone.text
            and not any(part in zone.text for part in _OF_AN_INSTANCE)
        ):
            known.add(zone.text)  # the same element of the same list is the same zone
        else:
            doubt = zone if isinstance(zone, Unknown) else Unknown(f"AWS chooses the zone of {subnet.address}")
    if len(known) > 1:
        return ""
    if doubt is None and len(subnets) < len(values):
        doubt = Unknown("a subnet is not in the checked stacks")
    return doubt or f"names subnets of one Availability Zone only, {' '.join(known)}"
