"""How reading and evaluating an expression ends early."""

from __future__ import annotations


class UnreadableError(Exception):
    """The text is no expression that Terraform would read."""


class RefusedError(Exception):
    """Terraform would read the expression and refuse to evaluate it; `try` goes on with its next argument."""


class UndecidedError(Exception):
    """What the value is cannot be said here."""
