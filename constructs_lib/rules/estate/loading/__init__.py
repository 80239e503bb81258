"""Reads Terraform JSON, synthesized or written by hand, and plans, into an `Estate`."""

from __future__ import annotations

from constructs_lib.rules.estate.loading.folders import load
from constructs_lib.rules.estate.source import Duplicate, Source

__all__ = ["Duplicate", "Source", "load"]
