"""Checks of a function's plain arguments, and the options among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from constructs_lib.constructs.lambda_layer import LambdaLayer
from constructs_lib.core.stack import HardenedStack, Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.function_source import MAX_SIZE_BYTES
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
"""What Lambda filters JSON log events by, the least severe first."""

SIZES: Final = {
    "timeout": (30, 300, "seconds"),
    "memory": (128, 10240, "MB"),
    "ephemeral_storage": (512, 10240, "MB"),
    "retries": (0, 2, "further attempts"),
}
"""Least, greatest and unit; Lambda itself would accept a timeout of 1 to 900 seconds."""
MAX_LAYERS: Final = 5
MAX_DESCRIPTION: Final = 256

_VERSION: Final = re.compile(r"[1-9][0-9]*")
_LAYER: Final = re.compile(r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):[0-9]{12}:layer:[\w-]+:[0-9]+")
_SIGNING: Final = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:code-signing-config:csc-[a-z0-9]{17}")


@dataclass(frozen=True)
class Unreserved(OptOut):
    """The function shares the account's unreserved concurrency, and may take all of it."""


@dataclass(frozen=True)
class Canary:
    """A published version that gets a part of the calls of the alias `live`; the newest version gets the rest.

    Attributes:
        version: The version's number, as a string of digits.
        weight: Its part, above 0 and below 1.
    """

    version: str
    weight: float


class Code(NamedTuple):
    """What a function's layers must agree with."""

    runtime: str
    architecture: str
    size: int
    """Bytes, unpacked."""


def check_sizes(problems: Problems, **sizes: int) -> None:
    """Note the sizes that are no whole number in the range of `SIZES`."""
    for argument, value in sizes.items():
        problems.check_whole(argument, value, *SIZES[argument])


def check_layers(problems: Problems, layers: Sequence[str | LambdaLayer], region: Region, code: Code) -> None:
    """Note layers that are too many, no layer version, in another region, or made for other functions."""
    from constructs_lib.constructs.lambda_layer import LambdaLayer  # noqa: PLC0415  it uses the packaging of functions

    if isinstance(layers, str) or len(layers) > MAX_LAYERS:
        problems.add("layers", layers, f"must be a list of at most {MAX_LAYERS} LambdaLayers or ARNs")
        return
    place = f"must be in the function's region, {region.name}"
    for layer in layers:
        if isinstance(layer, LambdaLayer):
            problems.check(layer.region.name == region.name, "layers", layer.path, place)
            _check_layer(problems, layer, code)
            continue
        named = _LAYER.fullmatch(str(layer))
        if problems.check(
            named or is_token(layer), "layers", layer, "must be the ARN of a layer version, with its number"
        ):
            problems.check(named is None or named["region"] == region.name, "layers", layer, place)
    sizes = [layer.size for layer in layers if isinstance(layer, LambdaLayer)]
    total = sum(sizes, start=code.size)
    problems.check(
        total <= MAX_SIZE_BYTES,
        "layers",
        f"{len(sizes)} layers",
        f"{total} bytes unpacked with the function's own {code.size}; Lambda takes {MAX_SIZE_BYTES}",
    )


def _check_layer(problems: Problems, layer: LambdaLayer, code: Code) -> None:
    problems.check(
        code.runtime in layer.runtimes,
        "layers",
        layer.path,
        f"is made for {', '.join(layer.runtimes)} and the function runs on {code.runtime}; add it to the layer's "
        "runtimes",
    )
    problems.check(
        code.architecture in layer.architectures,
        "layers",
        layer.path,
        f"is made for {', '.join(layer.architectures)} and the function runs on {code.architecture}; add it to the "
        "layer's architectures",
    )


def layer_arns(layers: Sequence[str | LambdaLayer], stack: HardenedStack) -> list[str] | None:
    """Return the ARNs of the layers' versions, or None when there are none."""
    return [layer if isinstance(layer, str) else stack.reach(layer.resource, "arn") for layer in layers] or None


def check_canary(problems: Problems, canary: Canary) -> None:
    """Note a version that is none, and a weight that leaves nothing to one of both versions."""
    problems.check(
        isinstance(canary.version, str) and _VERSION.fullmatch(canary.version),
        "canary.version",
        canary.version,
        "must be the number of a published version as a string, such as '7'",
    )
    problems.check(
        isinstance(canary.weight, float) and 0 < canary.weight < 1,
        "canary.weight",
        canary.weight,
        "must be a number above 0 and below 1",
    )


def check_texts(
    problems: Problems, log_level: str, description: str | None, code_signing_config_arn: str | None
) -> None:
    """Note an unknown log level, a description that is too long, and what is no code signing configuration."""
    levels = get_args(LogLevel)
    problems.check(log_level in levels, "log_level", log_level, f"must be one of {', '.join(levels)}")
    problems.check(
        len(description or "") <= MAX_DESCRIPTION,
        "description",
        description,
        f"must have at most {MAX_DESCRIPTION} characters",
    )
    problems.check(
        code_signing_config_arn is None
        or is_token(code_signing_config_arn)
        or _SIGNING.fullmatch(code_signing_config_arn),
        "code_signing_config_arn",
        code_signing_config_arn,
        "must be the ARN of a code signing configuration",
    )
