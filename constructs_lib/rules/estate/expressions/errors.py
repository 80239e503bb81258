"""Errors of parsing and evaluating an expression."""

from __future__ import annotations


class UnreadableError(Exception):
    """The string is not a valid Terraform expression."""


class RefusedError(Exception):
    """Terraform parses the expression but fails to evaluate it; `try` continues with its next argument."""


class UndecidedError(Exception):
    """The value cannot be determined here."""
