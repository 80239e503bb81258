from __future__ import annotations

from tests.testing.fixtures import *  # noqa: F403  fixtures of several folders
