"""Waivers: findings that are accepted with a reason, an owner and an expiry date."""

from __future__ import annotations

from constructs_lib.rules.waivers.applying import Outcome, Waived, apply
from constructs_lib.rules.waivers.files import FILE, find_file, from_notes, read_file
from constructs_lib.rules.waivers.model import MIN_REASON_LENGTH, Waiver, check_waiver
from constructs_lib.rules.waivers.rules import WAIVER_RULES

__all__ = [
    "FILE",
    "MIN_REASON_LENGTH",
    "WAIVER_RULES",
    "Outcome",
    "Waived",
    "Waiver",
    "apply",
    "check_waiver",
    "find_file",
    "from_notes",
    "read_file",
]
