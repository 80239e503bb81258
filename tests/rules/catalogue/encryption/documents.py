"""Documents shared by the tests of the ENC rules."""

from __future__ import annotations

REGION = {"provider": {"aws": {"region": "eu-west-1"}}}
