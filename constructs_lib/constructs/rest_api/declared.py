"""The methods of an API, and their digest, which triggers deployments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from constructs_lib.constructs.rest_api.paths import ApiPath, Position
from constructs_lib.foundation.errors import Problems

RESERVED_PATHS: Final = ("/ping", "/sping")
"""API Gateway reserves these paths on custom domains.

See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html.
"""


class DeclaredMethods:
    """The methods of one API by path.

    Args:
        settings: What else a deployment copies, as plain JSON.
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
        return ", ".join(self.names) or "none"

    @property
    def names(self) -> list[str]:
        """The methods with their paths, such as `GET /payments/{id}`."""
        return [f"{method} {path}" for path, methods in self._methods.items() for method in methods]

    def check(self, problems: Problems, method: str, path: ApiPath, *, custom_domain: bool) -> None:
        """Report why the method cannot be added to the path."""
        for depth, part in enumerate(path.parts, start=1):
            known = self._parts.get(path.position[:depth], part)
            problems.check(
                known == part,
                "path",
                path.text,
                f"has {part} where another path of the API has {known}; API Gateway allows one name at a position",
            )
        problems.check((method, path.text) not in self, "method", method, f"{path.text} already has this method")
        problems.check(
            not custom_domain or path.text not in RESERVED_PATHS,
            "path",
            path.text,
            "is reserved by API Gateway on custom domains; choose another path",
        )

    def add(self, method: str, path: ApiPath, settings: dict[str, Any]) -> None:
        """Add a method and what a deployment copies of it, as plain JSON."""
        for depth, part in enumerate(path.parts, start=1):
            self._parts[path.position[:depth]] = part
        self._methods.setdefault(path.text, {})[method] = settings

    def digest(self, text: Callable[[str], str]) -> str:
        """Return the SHA-256 digest of the settings and methods, in whatever order they were added.

        Args:
            text: Resolves tokens: their numbers depend on the other constructs of the App.
        """
        whole = {**self._settings, "methods": self._methods}
        return hashlib.sha256(text(json.dumps(whole, sort_keys=True)).encode()).hexdigest()
