"""The engine's package names, in the only place that knows them.

Nothing is imported here, so that `constructs_lib._engine.bindings` can read the names before the engine starts.
"""

from typing import Final

PROVIDER_PREFIXES: Final = ("cdktf_cdktf_provider_", "cdktn_provider_")
"""Generated provider packages, today's and those of CDK Terrain, the engine's community successor."""

PROVIDERS: Final = {
    "aws": "cdktf_cdktf_provider_aws",
    "archive": "cdktf_cdktf_provider_archive",
    "random": "cdktf_cdktf_provider_random",
}
"""The generated packages that this library uses, by Terraform's name of the provider."""


def npm_name(package: str) -> str | None:
    """Return the name that jsii knows a provider package by, or None for a package of another kind."""
    for prefix in PROVIDER_PREFIXES:
        if package.startswith(prefix):
            scope = prefix.split("_", 1)[0]
            return f"@{scope}/provider-{package.removeprefix(prefix).replace('_', '-')}"
    return None


def provider_of(type_: type) -> str:
    """Return Terraform's name of the provider that a generated class belongs to."""
    package = type_.__module__.split(".", 1)[0]
    return next(name for name, known in PROVIDERS.items() if known == package)


def terraform_type(type_: type) -> str:
    """Return Terraform's type of a generated class, with `data.` in front of data sources.

    It is in the module's name; the class knows it too, but asking costs a call into the engine.
    """
    provider = provider_of(type_)
    module = type_.__module__.rsplit(".", 1)[1]
    prefix = f"data_{provider}_"
    return f"data.{provider}_{module.removeprefix(prefix)}" if module.startswith(prefix) else f"{provider}_{module}"
