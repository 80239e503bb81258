"""Checks of a function's arguments, and the options among them."""

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
"""Levels of JSON log events, the least severe first."""

SYNCHRONOUS_TIMEOUT: Final = (10, 300, "seconds")
"""An API waits 29 seconds; less than 10 is exceeded by a cold start and one retried request."""
SIZES: Final = {
    "timeout": (30, 300, "seconds"),
    "memory": (128, 10240, "MB"),
    "ephemeral_storage": (512, 10240, "MB"),
    "retries": (0, 2, "retries"),
}
"""Minimum, maximum and unit; Lambda itself accepts a timeout of 1 to 900 seconds."""
MAX_LAYERS: Final = 5
MAX_DESCRIPTION: Final = 256

_VERSION: Final = re.compile(r"[1-9][0-9]*")
_LAYER: Final = re.compile(r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):[0-9]{12}:layer:[\w-]+:[0-9]+")
_SIGNING: Final = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:code-signing-config:csc-[a-z0-9]{17}")


@dataclass(frozen=True)
class Unreserved(OptOut):
    """The function has no reserved concurrency: it shares the account's unreserved concurrency and may use it up."""


@dataclass(frozen=True)
class Canary:
    """A published version that receives a part of the alias's traffic; the newest version receives the rest.

    Attributes:
        version: The version's number as a string, such as `"7"`. Must not be the newest version.
        weight: Its part of the invocations, above 0 and below 1.

    See https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html.
    """

    version: str
    weight: float


class Code(NamedTuple):
    """A function's code, as its layers must fit it."""

    runtime: str
    architecture: str
    size: int
    """Unzipped size in bytes."""


def check_sizes(problems: Problems, *, synchronous: bool, **sizes: int) -> None:
    """Report sizes that are not whole numbers in the range of `SIZES`."""
    ranges = {**SIZES, "timeout": SYNCHRONOUS_TIMEOUT} if synchronous is True else SIZES
    for argument, value in sizes.items():
        problems.check_whole(argument, value, *ranges[argument])


def check_layers(problems: Problems, layers: Sequence[str | LambdaLayer], region: Region, code: Code) -> None:
    """Report layers that Lambda refuses, or that are incompatible with the function."""
    if isinstance(layers, str) or len(layers) > MAX_LAYERS:
        problems.add("layers", layers, f"expected a list of at most {MAX_LAYERS} LambdaLayers or ARNs")
        return
    place = f"is in another region; expected a layer in the function's region, {region.name}"
    for layer in layers:
        if isinstance(layer, LambdaLayer):
            problems.check(layer.region.name == region.name, "layers", layer.path, place)
            _check_layer(problems, layer, code)
            continue
        named = _LAYER.fullmatch(str(layer))
        if problems.check(
            named or is_token(layer), "layers", layer, "expected the ARN of a layer version, with its number"
        ):
            problems.check(named is None or named["region"] == region.name, "layers", layer, place)
    sizes = [layer.size for layer in layers if isinstance(layer, LambdaLayer)]
    total = sum(sizes, start=code.size)
    problems.check(
        total <= MAX_SIZE_BYTES,
        "layers",
        f"{len(sizes)} layers",
        f"have {total} bytes unzipped with the function's own {code.size}; Lambda allows {MAX_SIZE_BYTES}",
    )


def _check_layer(problems: Problems, layer: LambdaLayer, code: Code) -> None:
    problems.check(
        code.runtime in layer.runtimes,
        "layers",
        layer.path,
        f"is compatible with {', '.join(layer.runtimes)}, and the function's runtime is {code.runtime}; add it to the "
        "layer's runtimes",
    )
    problems.check(
        code.architecture in layer.architectures,
        "layers",
        layer.path,
        f"is compatible with {', '.join(layer.architectures)}, and the function's architecture is "
        f"{code.architecture}; add it to the layer's architectures",
    )


def layer_arns(layers: Sequence[str | LambdaLayer], stack: HardenedStack) -> list[str] | None:
    """Return the ARNs of the layer versions; None without layers."""
    return [layer if isinstance(layer, str) else stack.reach(layer.resource, "arn") for layer in layers] or None


def check_canary(problems: Problems, canary: Canary) -> None:
    """Report what is not a version number, and a weight that leaves one of the versions without traffic."""
    problems.check(
        isinstance(canary.version, str) and _VERSION.fullmatch(canary.version),
        "canary.version",
        canary.version,
        "expected the number of a published version as a string, such as '7'",
    )
    problems.check(
        isinstance(canary.weight, float) and 0 < canary.weight < 1,
        "canary.weight",
        canary.weight,
        "expected a number above 0 and below 1",
    )


def check_texts(
    problems: Problems, log_level: str, description: str | None, code_signing_config_arn: str | None
) -> None:
    """Report a log level, a description and a code signing configuration that Lambda refuses."""
    levels = get_args(LogLevel)
    problems.check(log_level in levels, "log_level", log_level, f"expected one of {', '.join(levels)}")
    problems.check(
        len(description or "") <= MAX_DESCRIPTION,
        "description",
        description,
        f"expected at most {MAX_DESCRIPTION} characters",
    )
    problems.check(
        code_signing_config_arn is None
        or is_token(code_signing_config_arn)
        or _SIGNING.fullmatch(code_signing_config_arn),
        "code_signing_config_arn",
        code_signing_config_arn,
        "expected the ARN of a code signing configuration",
    )
