"""What has been added to one API so far, and a digest that changes when any of it does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from constructs_lib.constructs.rest_api.paths import ApiPath, Position
from constructs_lib.foundation.errors import Problems

RESERVED_PATHS: Final = ("/ping", "/sping")
"""API Gateway answers these itself on a custom domain.

See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html.
"""


class DeclaredMethods:
    """The methods of one API by path.

    Args:
        settings: What else a deployment takes a copy of; plain JSON.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._parts: dict[Position, str] = {}
        self._methods: dict[str, dict[str, dict[str, Any]]] = {}

    def __bool__(self) -> bool:
        return bool(self._methods)

    def __contains__(self, method_and_path: tuple[str, str]) -> bool:
        method, path = method_and_path
        return method in self._methods.get(path, {})

    def __str__(self) -> str:
        return ", ".join(f"{method} {path}" for path, methods in self._methods.items() for method in methods) or "none"

    def check(self, problems: Problems, method: str, path: ApiPath, *, custom_domain: bool) -> None:
        """Note why the path cannot have the method."""
        for depth, part in enumerate(path.parts, start=1):
            known = self._parts.get(path.position[:depth], part)
            problems.check(
                known == part,
                "path",
                path.text,
                f"has {part} where another path of the API has {known}; API Gateway allows one parameter in a place",
            )
        problems.check((method, path.text) not in self, "method", method, f"{path.text} has it already")
        problems.check(
            not custom_domain or path.text not in RESERVED_PATHS,
            "path",
            path.text,
            "API Gateway answers it itself on a custom domain; choose another",
        )

    def add(self, method: str, path: ApiPath, settings: dict[str, Any]) -> None:
        """Keep a method and what a deployment takes a copy of; plain JSON."""
        for depth, part in enumerate(path.parts, start=1):
            self._parts[path.position[:depth]] = part
        self._methods.setdefault(path.text, {})[method] = settings

    def digest(self, text: Callable[[str], str]) -> str:
        """Return a SHA-256 over everything; the order in which methods were added does not matter.

        Args:
            text: Puts references in place of tokens, whose own numbers depend on what else the app has.
        """
        whole = {**self._settings, "methods": self._methods}
        return hashlib.sha256(text(json.dumps(whole, sort_keys=True)).encode()).hexdigest()
