"""The address plan: which range a region gets, which subnet a tier gets in a zone, and who overlaps whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from itertools import combinations
from types import MappingProxyType
from typing import Final, Literal

from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.regions import check_region, check_zone, is_token

_VPC_PAGE: Final = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"

Tier = Literal["public", "private", "database"]
"""Subnets with a route to the internet gateway; with a way out at most; with no way out."""

TIER_OFFSETS: Final[dict[Tier, int]] = {"public": 1, "private": 10, "database": 20}
"""The slot of each tier's subnet in zone `a`; the zones that follow take the next slots."""
ZONE_LETTERS: Final = "abcdefghi"
"""Zones that a tier has room for: public slots 1 to 9, private from 10 and database from 20."""

SUBNET_BITS: Final = 8
"""Bits that a subnet's prefix is longer than its VPC's: a /24 in a /16."""
LARGEST_VPC: Final = 16
"""Shortest prefix of a VPC that AWS allows."""
SMALLEST_VPC: Final = 20
"""Longest prefix of a VPC whose subnets are not smaller than a /28, the smallest that AWS allows."""
REGION_PREFIX: Final = 16
"""Prefix of a region's range in an address plan."""
_ADDRESS_BITS: Final = 32
_NO_RANGES: Final[Mapping[str, str]] = MappingProxyType({})

PRIVATE_RANGES: Final = tuple(
    IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""RFC 1918, and the shared address space of RFC 6598."""


@dataclass(frozen=True)
class ReservedRange:
    """A range that no VPC should have.

    Attributes:
        reason: Who uses it, as the end of a sentence that starts with the range.
        source: The AWS page that says so.
    """

    reason: str
    source: str


RESERVED_RANGES: Final[dict[str, ReservedRange]] = {
    "172.17.0.0/16": ReservedRange("is the Docker bridge of AWS Cloud9, SageMaker and others", _VPC_PAGE),
    "169.254.0.0/16": ReservedRange(
        "is link-local, where instances reach metadata, DNS and time",
        "https://docs.aws.amazon.com/vpc/latest/userguide/infrastructure-security.html",
    ),
    "198.19.0.0/16": ReservedRange("cannot be joined to a private range", f"{_VPC_PAGE}#add-cidr-block-restrictions"),
}
"""Ranges that AWS uses itself, as read on 2026-11-22."""


def _read(problems: Problems, argument: str, value: object) -> IPv4Network | None:
    """Return the network that `value` names, or note why it names none."""
    if isinstance(value, IPv4Network):
        return value
    if is_token(value):
        problems.add(
            argument,
            value,
            "must be a plain value, because subnets, routes and overlaps are worked out from it at synth",
        )
        return None
    if not isinstance(value, str):
        problems.add(argument, value, "must be an IPv4 network such as '10.0.0.0/16'")
        return None
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        problems.add(argument, value, "must be an IPv4 network such as '10.0.0.0/16'")
        return None
    if str(network) == value:
        return network
    problems.add(argument, value, f"must be the first address and the prefix length of a network: {str(network)!r}")
    return None


def _private_range(network: IPv4Network) -> IPv4Network | None:
    return next((private for private in PRIVATE_RANGES if network.subnet_of(private)), None)


def check_private(problems: Problems, argument: str, network: IPv4Network) -> None:
    """Note a network that is in none of the `PRIVATE_RANGES`."""
    allowed = ", ".join(str(private) for private in PRIVATE_RANGES)
    problems.check(_private_range(network), argument, str(network), f"must lie in a private range: {allowed}")


def _describe_reserved(cidr: str) -> str:
    return f"{cidr}, which {RESERVED_RANGES[cidr].reason} ({RESERVED_RANGES[cidr].source})"


def check_vpc_cidr(path: str, value: object, argument: str = "cidr") -> IPv4Network:
    """Return the network that a VPC may have.

    Args:
        path: The construct path, for the error.
        value: A plain string such as `10.0.0.0/16`, or an `IPv4Network`: /16 to /20, private, without host bits,
            and outside the ranges in `RESERVED_RANGES`.
        argument: What the caller calls it, for the error.

    Raises:
        ConfigurationError: Anything else, with every rule it breaks.

    See https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html and, for the smallest subnet,
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html.
    """
    problems = Problems(path)
    network = _read(problems, argument, value)
    if network is None:
        raise ConfigurationError(path, *problems.found)
    given = str(network)
    problems.check(
        network.prefixlen >= LARGEST_VPC,
        argument,
        given,
        f"must be /{LARGEST_VPC} to /{SMALLEST_VPC}: AWS has no VPC larger than a /{LARGEST_VPC}",
    )
    problems.check(
        network.prefixlen <= SMALLEST_VPC,
        argument,
        given,
        f"must be /{LARGEST_VPC} to /{SMALLEST_VPC}: subnets take {SUBNET_BITS} more bits, and AWS has no subnet "
        f"smaller than a /{SMALLEST_VPC + SUBNET_BITS}",
    )
    reserved = [cidr for cidr in RESERVED_RANGES if network.overlaps(IPv4Network(cidr))]
    for cidr in reserved:
        problems.add(argument, given, f"overlaps {_describe_reserved(cidr)}")
    if not reserved:
        check_private(problems, argument, network)
    problems.raise_if_any()
    return network


def subnet_cidr(vpc_cidr: str | IPv4Network, tier: Tier, zone_letter: str) -> str:
    """Return the range of a tier's subnet in a zone: `10.0.11.0/24` for `10.0.0.0/16`, `private` and `b`.

    The slot depends on the tier and the letter only, so that adding a zone or a tier moves no subnet.

    Args:
        vpc_cidr: The VPC's range, /16 to /20.
        tier: `public` (slots 1 to 9), `private` (10 to 18) or `database` (20 to 28).
        zone_letter: The last letter of the zone's name, a to i.

    Raises:
        ConfigurationError: A range that no VPC may have, or an unknown tier or letter.

    See https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html.
    """
    network = check_vpc_cidr("subnet_cidr", vpc_cidr, "vpc_cidr")
    problems = Problems("subnet_cidr")
    problems.check(tier in TIER_OFFSETS, "tier", tier, f"must be one of {', '.join(TIER_OFFSETS)}")
    problems.check(
        zone_letter in tuple(ZONE_LETTERS),
        "zone_letter",
        zone_letter,
        f"must be one letter, {ZONE_LETTERS[0]} to {ZONE_LETTERS[-1]}",
    )
    problems.raise_if_any()
    slot = TIER_OFFSETS[tier] + ZONE_LETTERS.index(zone_letter)
    return str(_slot(network, network.prefixlen + SUBNET_BITS, slot))


def _slot(network: IPv4Network, prefix: int, slot: int) -> IPv4Network:
    """Return the part of `network` that has the prefix length `prefix` and `slot` such parts before it."""
    return IPv4Network((int(network.network_address) + (slot << (_ADDRESS_BITS - prefix)), prefix))


def _first_free(space: IPv4Network, prefix: int, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """Return the first part of `space` that overlaps nothing in `taken`, without trying every address."""
    blocks = tuple(taken)
    size = 1 << (_ADDRESS_BITS - prefix)
    start = int(space.network_address)
    while start + size - 1 <= int(space.broadcast_address):
        candidate = IPv4Network((start, prefix))
        block = next((block for block in blocks if block.overlaps(candidate)), None)
        if block is None:
            return candidate
        start = max(start + size, int(block.broadcast_address) + 1)
    return None


class _Alternatives:
    """Offers each range that has to move a free one of its size, and no two of them the same one."""

    def __init__(self, taken: Iterable[IPv4Network]) -> None:
        self._taken = [*taken, *map(IPv4Network, RESERVED_RANGES)]
        self._offers: dict[str, IPv4Network | None] = {}

    def offer(self, name: str, prefix: int, space: IPv4Network) -> IPv4Network | None:
        if name not in self._offers:
            self._offers[name] = free = _first_free(space, prefix, self._taken)
            if free is not None:
                self._taken.append(free)
        return self._offers[name]


def refuse_overlaps(
    path: str,
    ranges: Mapping[str, str],
    *,
    against: Mapping[str, str] = _NO_RANGES,
    parent: str | None = None,
) -> None:
    """Refuse ranges that overlap, because traffic between them cannot be routed.

    Args:
        path: The construct path, for the error.
        ranges: Name and range of each network; compared with one another and with `against`.
        against: Name and range of networks that stay where they are, such as on-premises ones.
        parent: Where to look for a free range to suggest; the private range that the network is in by default.

    Raises:
        ConfigurationError: One problem for each overlapping pair, with both names and ranges and a free range of
            the same size; or a value that is no IPv4 network.

    See https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html.
    """
    problems = Problems(path)
    own = _read_all(problems, ranges)
    fixed = _read_all(problems, against)
    space = None if parent is None else _read(problems, "parent", parent)
    problems.raise_if_any()
    alternatives = _Alternatives([*own.values(), *fixed.values()])
    pairs = [(later, earlier, own[earlier]) for earlier, later in combinations(own, 2)]
    pairs += [(name, other, network) for name in own for other, network in fixed.items()]
    for name, other, network in pairs:
        mine = own[name]
        if mine.overlaps(network):
            around = space or _private_range(mine) or PRIVATE_RANGES[0]
            free = alternatives.offer(name, mine.prefixlen, around)
            problems.add(name, str(mine), f"overlaps {other} ({network}); {_advice(free, mine.prefixlen, around)}")
    problems.raise_if_any()


def _advice(free: IPv4Network | None, prefix: int, space: IPv4Network) -> str:
    return f"no /{prefix} is free in {space}" if free is None else f"{free} is free"


def _read_all(problems: Problems, ranges: Mapping[str, str], label: str = "{}") -> dict[str, IPv4Network]:
    """Return the ranges that can be read, by their label, and note those that cannot."""
    if not isinstance(ranges, Mapping):
        problems.stop(label.partition("[")[0], ranges, "must be a dict of ranges by name")
    read = {label.format(name): _read(problems, label.format(name), value) for name, value in ranges.items()}
    return {name: network for name, network in read.items() if network is not None}


def _slots(problems: Problems, regions: object) -> dict[str, int]:
    """Return the slot of each region, and note what is wrong with the argument."""
    if isinstance(regions, Mapping):
        given = [(f"regions[{region!r}]", region, slot) for region, slot in regions.items()]
    elif isinstance(regions, Sequence) and not isinstance(regions, str):
        given = [(f"regions[{slot}]", region, slot) for slot, region in enumerate(regions)]
    else:
        problems.stop("regions", regions, "must be a list or tuple of regions, or a mapping of regions to slots")
    problems.check(given, "regions", regions, "must name at least one region")
    slots: dict[str, int] = {}
    owners: dict[int, str] = {}
    for argument, region, slot in given:
        try:
            check_region(problems.path, region, argument)
        except ConfigurationError as error:
            problems.found.extend(error.problems)
            continue
        if region in slots:
            problems.add(argument, region, f"is regions[{slots[region]}] as well; name each region once")
            continue
        if not isinstance(slot, int) or isinstance(slot, bool) or slot < 0:
            problems.add(argument, slot, "must be a slot, a whole number from 0")
            continue
        owner = owners.setdefault(slot, region)
        problems.check(owner == region, argument, slot, f"is the slot of {owner!r}; give each region its own")
        slots[region] = slot
    return slots


@dataclass(frozen=True)
class AddressPlan:
    """One /16 for each region, out of one parent range.

    A region's place in a sequence is its slot, so that adding a region at the end moves nothing. A mapping pins
    the slots, for when a region in the middle goes away or a slot has to be left out.

    Attributes:
        parent: A private range of at most /16, such as `10.0.0.0/8`, which has 256 slots.
        regions: Regions in the order of their slots, or a mapping of regions to slots from 0.
        on_premises: Name and range of networks that are connected to the VPCs; none by default.
        reserved: Name and range of what is kept for something else; none by default.

    Raises:
        ConfigurationError: A parent that is not private or too small, an unknown region or one that is there
            twice, a slot outside the parent, or a region's range that overlaps one that is taken.

    See https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html.
    """

    parent: str
    regions: Sequence[str] | Mapping[str, int]
    on_premises: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    reserved: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    _cidrs: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check everything at once, and keep copies that nobody else can change."""
        problems = Problems(type(self).__name__)
        parent = _read(problems, "parent", self.parent)
        slots = _slots(problems, self.regions)
        taken = _read_all(problems, self.on_premises, "on_premises[{!r}]")
        taken |= _read_all(problems, self.reserved, "reserved[{!r}]")
        if parent is None:
            raise ConfigurationError(problems.path, *problems.found)
        check_private(problems, "parent", parent)
        if problems.check(
            parent.prefixlen <= REGION_PREFIX,
            "parent",
            str(parent),
            f"must be /{REGION_PREFIX} or larger, because each region gets a /{REGION_PREFIX}",
        ):
            self._check_room(problems, parent, slots)
        problems.raise_if_any()
        networks = {region: _slot(parent, REGION_PREFIX, slot) for region, slot in slots.items()}
        self._check_overlaps(problems, parent, networks, taken)
        problems.raise_if_any()
        ranges = {region: str(network) for region, network in networks.items()}
        for name, value in {**vars(self), "_cidrs": ranges}.items():
            if isinstance(value, Mapping):
                object.__setattr__(self, name, MappingProxyType(dict(value)))
            elif name == "regions":
                object.__setattr__(self, name, tuple(value))

    @staticmethod
    def _check_room(problems: Problems, parent: IPv4Network, slots: Mapping[str, int]) -> None:
        last = (1 << (REGION_PREFIX - parent.prefixlen)) - 1
        for region, slot in slots.items():
            problems.check(
                slot <= last,
                f"regions[{region!r}]",
                slot,
                f"is outside {parent}, whose slots of /{REGION_PREFIX} are 0 to {last}",
            )

    @staticmethod
    def _check_overlaps(
        problems: Problems,
        parent: IPv4Network,
        networks: Mapping[str, IPv4Network],
        taken: Mapping[str, IPv4Network],
    ) -> None:
        others = {f"{label}={str(network)!r}": network for label, network in taken.items()}
        others |= {_describe_reserved(cidr): IPv4Network(cidr) for cidr in RESERVED_RANGES}
        alternatives = _Alternatives([*networks.values(), *taken.values()])
        for region, network in networks.items():
            for label, other in others.items():
                if network.overlaps(other):
                    free = alternatives.offer(region, REGION_PREFIX, parent)
                    advice = _advice(free, REGION_PREFIX, parent)
                    if free is not None:
                        slot = (int(free.network_address) - int(parent.network_address)) >> REGION_PREFIX
                        advice += f": regions={{..., {region!r}: {slot}}}"
                    problems.add(f"cidr({region!r})", str(network), f"overlaps {label}; {advice}")

    @property
    def cidrs(self) -> dict[str, str]:
        """The range of each region, in the order given."""
        return dict(self._cidrs)

    def cidr(self, region: str) -> str:
        """Return the /16 of a region.

        Raises:
            ConfigurationError: A region that is not in the plan.
        """
        if region not in self._cidrs:
            known = ", ".join(repr(name) for name in self._cidrs)
            raise ConfigurationError(
                type(self).__name__,
                f"region={region!r}: is not in the plan, which has {known}; add new regions at the end",
            )
        return self._cidrs[region]

    def subnet(self, region: str, tier: Tier, zone: str) -> str:
        """Return the /24 of a tier in a zone, given as a letter (`a`) or a full name (`eu-west-1a`).

        Raises:
            ConfigurationError: A region that is not in the plan, an unknown tier, or a zone of another region.
        """
        return subnet_cidr(self.cidr(region), tier, check_zone(type(self).__name__, region, zone))
