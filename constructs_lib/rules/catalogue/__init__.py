"""Every rule: one folder for each family, one module for each topic in it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from constructs_lib.rules.rule import Rule


@cache
def rules() -> tuple[Rule, ...]:
    """Return every rule by id.

    Raises:
        ValueError: Two rules have the same id.
    """
    found: dict[str, Rule] = {}
    for _, name, is_package in pkgutil.walk_packages(__path__, f"{__name__}."):
        if is_package:
            continue
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Rule) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"{value.id} is given to two rules, one of them in {name}")
    return tuple(found[id_] for id_ in sorted(found))
