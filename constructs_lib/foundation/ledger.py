"""What all stacks of an app create in one account and region, against the quotas that they use up together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from weakref import WeakKeyDictionary

from constructs_lib.foundation.quotas import QUOTAS

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["vpcs", "elastic-ip-addresses"]
"""Keys of `QUOTAS` that stacks use up together."""

ARGUMENTS: Final[dict[Kind, tuple[str, str]]] = {
    "vpcs": ("vpc_limit", "VPCs"),
    "elastic-ip-addresses": ("elastic_ip_limit", "Elastic IP addresses"),
}
"""The argument of `stack.region` that states the account's quota, and the plural of what it limits."""


@dataclass
class Use:
    """What one stack creates of one kind in one region.

    Attributes:
        stack: The stack's id.
        environment: Its environment.
        accounts: The accounts that it may be deployed to; empty for any.
        number: How many it creates.
        limit: The account's quota, where the stack states it.
    """

    stack: str
    environment: str
    accounts: tuple[str, ...]
    number: int = 0
    limit: int | None = None


@dataclass(frozen=True)
class Excess:
    """More than a quota allows.

    Attributes:
        stack: The first stack that counts.
        stated: Whether a stack states the quota; else it is the default of a new account.
        message: What is wrong, and how to fix it.
    """

    stack: str
    stated: bool
    message: str


class Ledger:
    """The uses of all stacks of one app, by kind and region."""

    def __init__(self) -> None:
        self._uses: dict[tuple[Kind, str], dict[str, Use]] = {}

    def use(self, kind: Kind, region: str, stack: str, environment: str, accounts: tuple[str, ...]) -> Use:
        """Return what a stack creates of one kind in a region, to add to it."""
        return self._uses.setdefault((kind, region), {}).setdefault(stack, Use(stack, environment, accounts))

    def excesses(self) -> Iterator[Excess]:
        """Yield where the stacks of one account create more in a region than its quota."""
        for (kind, region), uses in self._uses.items():
            for group in _by_account(list(uses.values())):
                found = _excess(kind, region, group)
                if found:
                    yield found


def _by_account(uses: list[Use]) -> list[list[Use]]:
    """Return the uses of each account; stacks for any account belong to the only account of their environment."""
    groups: dict[tuple[str, ...], list[Use]] = {}
    known = {
        environment: {use.accounts for use in uses if use.accounts and use.environment == environment}
        for environment in {use.environment for use in uses}
    }
    for use in uses:
        own = known[use.environment]
        account = use.accounts or (next(iter(own)) if len(own) == 1 else (use.environment,))
        groups.setdefault(account, []).append(use)
    return list(groups.values())


def _excess(kind: Kind, region: str, uses: list[Use]) -> Excess | None:
    quota, (argument, plural) = QUOTAS[kind], ARGUMENTS[kind]
    stated = min((use.limit for use in uses if use.limit is not None), default=None)
    known = quota.default if stated is None else stated
    total = sum(use.number for use in uses)
    if total <= known:
        return None
    counted = [use for use in uses if use.number]
    each = ", ".join(f"{use.stack} {use.number}" for use in counted)
    message = (
        f"{argument}={stated!r}: the stacks of one account create {total} {plural} in {region} ({each}), and the "
        f"{'default ' if stated is None else ''}quota {quota.code} is {known}; request a higher quota with "
        f"`{quota.increase(total, region)}` and give region({region!r}, {argument}={total}), or deploy the stacks to "
        "several accounts with allowed_account_ids"
    )
    return Excess(counted[0].stack, stated is not None, message)


_LEDGERS: Final[WeakKeyDictionary[object, Ledger]] = WeakKeyDictionary()


def ledger_of(app: object) -> Ledger:
    """Return the ledger of an app."""
    return _LEDGERS.setdefault(app, Ledger())
