"""The generated provider packages as a whole, and their providers, for callers who write raw resources."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from constructs_lib._engine import PROVIDERS

if TYPE_CHECKING:
    import cdktf_cdktf_provider_archive as archive
    import cdktf_cdktf_provider_aws as aws
    import cdktf_cdktf_provider_random as random
    from cdktf_cdktf_provider_archive.provider import ArchiveProvider
    from cdktf_cdktf_provider_aws.provider import AwsProvider
    from cdktf_cdktf_provider_random.provider import RandomProvider

__all__ = ["ArchiveProvider", "AwsProvider", "RandomProvider", "archive", "aws", "random"]

_PROVIDER_CLASSES: Final = {f"{name.title()}Provider": package for name, package in PROVIDERS.items()}


def __getattr__(name: str) -> object:
    if name in PROVIDERS:
        return importlib.import_module(PROVIDERS[name])
    if name in _PROVIDER_CLASSES:
        return getattr(importlib.import_module(f"{_PROVIDER_CLASSES[name]}.provider"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
