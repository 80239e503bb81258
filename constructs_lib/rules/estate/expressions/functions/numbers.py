"""Functions on numbers and on network addresses."""

from __future__ import annotations

import math
import re
import string
from functools import reduce
from ipaddress import IPv4Network, IPv6Network, ip_network

from constructs_lib.rules.estate.expressions.conversions import number, text, tidy, whole
from constructs_lib.rules.estate.expressions.errors import RefusedError, UndecidedError
from constructs_lib.rules.estate.expressions.functions.registry import function

_DIGITS = string.digits + string.ascii_letters
_CASELESS = 36
_LONGEST = 512
_MOST_NEW_BITS = 32


@function()
def _abs(value: object, /) -> object:
    return abs(number(value))


@function()
def _ceil(value: object, /) -> object:
    return math.ceil(number(value))


@function()
def _floor(value: object, /) -> object:
    return math.floor(number(value))


@function()
def _max(first: object, /, *others: object) -> object:
    return max(map(number, (first, *others)))


@function()
def _min(first: object, /, *others: object) -> object:
    return min(map(number, (first, *others)))


@function()
def _pow(base: object, exponent: object, /) -> object:
    return tidy(math.pow(number(base), number(exponent)))


@function()
def _log(value: object, base: object, /) -> object:
    return tidy(math.log(number(value)) / math.log(number(base)))


@function()
def _signum(value: object, /) -> object:
    found = whole(value)
    return (found > 0) - (found < 0)


@function()
def _parseint(value: object, base: object, /) -> object:
    digits, radix = text(value), whole(base)
    sign = -1 if digits.startswith("-") else 1
    digits = digits[1:] if digits[:1] in {"-", "+"} else digits
    figures = [_DIGITS.find(digit) for digit in (digits.lower() if radix <= _CASELESS else digits)]
    if not 2 <= radix <= len(_DIGITS) or not figures or not all(0 <= figure < radix for figure in figures):  # noqa: PLR2004
        raise RefusedError(f"{digits!r} is not a whole number in base {radix}")
    if len(figures) > _LONGEST:
        raise UndecidedError("too large a number")
    return tidy(sign * reduce(lambda before, figure: before * radix + figure, figures))


def _network(prefix: object) -> IPv4Network | IPv6Network:
    given = text(prefix)
    if "/" not in given:
        raise RefusedError(f"{given!r} is not a CIDR block")
    try:
        return ip_network(given if ":" in given else re.sub(r"\b0+(?=\d)", "", given), strict=False)
    except ValueError as error:
        raise RefusedError(f"{given!r} is not a CIDR block") from error


def _part(network: IPv4Network | IPv6Network, bits: int, start: int) -> str:
    """Return the part of a network that has longer prefix by some bits and starts at an address."""
    return str(type(network)((start, network.prefixlen + bits)))


def _check_bits(network: IPv4Network | IPv6Network, bits: int) -> None:
    if bits < 0 or network.prefixlen + bits > network.max_prefixlen:
        raise RefusedError(f"{network} has no room for {bits} more bits of prefix")


@function()
def _cidrsubnet(prefix: object, newbits: object, netnum: object, /) -> object:
    network, bits, place = _network(prefix), whole(newbits), whole(netnum)
    _check_bits(network, bits)
    if not 0 <= place < 1 << bits:
        raise RefusedError(f"{bits} bits have no number {place}")
    size = 1 << (network.max_prefixlen - network.prefixlen - bits)
    return _part(network, bits, int(network.network_address) + place * size)


@function()
def _cidrsubnets(prefix: object, /, *newbits: object) -> object:
    network = _network(prefix)
    following, found = int(network.network_address), []
    for given in newbits:
        bits = whole(given)
        _check_bits(network, bits)
        if not 1 <= bits <= _MOST_NEW_BITS:
            raise RefusedError(f"1 to {_MOST_NEW_BITS} bits are expected instead of {bits}")
        size = 1 << (network.max_prefixlen - network.prefixlen - bits)
        start = -(-following // size) * size
        following = start + size
        if following - 1 > int(network.broadcast_address):
            raise RefusedError(f"not enough room in {network}")
        found.append(_part(network, bits, start))
    return found


@function()
def _cidrhost(prefix: object, hostnum: object, /) -> object:
    network, place = _network(prefix), whole(hostnum)
    if not -network.num_addresses <= place < network.num_addresses:
        raise RefusedError(f"{network} has no host {place}")
    return str(network[place])


@function()
def _cidrnetmask(prefix: object, /) -> object:
    network = _network(prefix)
    if isinstance(network, IPv6Network):
        raise RefusedError("IPv6 does not support netmasks")
    return str(network.netmask)
