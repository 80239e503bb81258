"""The parts of REST APIs: stages, method settings, methods and integrations."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.queries.links import undecidable

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block, Estate, Section

GATEWAY: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide"

API: Final = "aws_api_gateway_rest_api"
STAGE: Final = "aws_api_gateway_stage"
SETTINGS: Final = "aws_api_gateway_method_settings"
METHOD: Final = "aws_api_gateway_method"
INTEGRATION: Final = "aws_api_gateway_integration"
DEPLOYMENT: Final = "aws_api_gateway_deployment"
HTTP_API: Final = "aws_apigatewayv2_api"
HTTP_STAGE: Final = "aws_apigatewayv2_stage"

EVERY_METHOD: Final = "*/*"

MethodKey = tuple[object, str]
"""A resource of an API, as a block or as the text that names it, and a method."""


def api_of(block: Block) -> Block | None:
    """Return the REST API of a block, or None if it is not in the estate."""
    return block.target("rest_api_id", API)


def is_private(api: Block | None) -> bool:
    """Return whether an API is private."""
    types = api.items("endpoint_configuration.types") if api is not None else []
    return isinstance(types, list) and "PRIVATE" in types


def settings_of(stage: Block) -> list[Block]:
    """Return the method settings of a stage, by reference or by name."""
    return _settings(stage.estate)[0].get(stage, [])


def general_settings(stage: Block) -> list[Block] | Unknown:
    """Return the settings of a stage that are for every method; Unknown where some may be, and none surely is."""
    found = settings_of(stage)
    general = [each for each in found if each.get("method_path") == EVERY_METHOD]
    paths = [undecidable(each.get("method_path")) for each in found]
    return general or next(filter(None, [*paths, _settings(stage.estate)[1]]), None) or []


@lru_cache(maxsize=8)
def _settings(estate: Estate) -> tuple[dict[Block, list[Block]], Unknown | None]:
    """Return settings by stage, and why some may be for any stage."""
    by_name = {(api_of(stage), str(stage.get("stage_name"))): stage for stage in estate.of(STAGE)}
    found: dict[Block, list[Block]] = defaultdict(list)
    doubt: Unknown | None = None
    for settings in estate.of(SETTINGS):
        stages = settings.targets("stage_name", STAGE)
        name = settings.get("stage_name")
        named = by_name.get((api_of(settings), str(name)))
        for stage in stages or ([named] if named is not None else []):
            found[stage].append(settings)
        if not stages and named is None:
            doubt = undecidable(name) or doubt
    return found, doubt


def method_key(section: Section) -> MethodKey | None:
    """Return which method of which resource a block is about; None where only a plan can tell."""
    resource = section.target("resource_id", "aws_api_gateway_resource", API)
    method = section.get("http_method")
    text = method.text if isinstance(method, Unknown) else method
    if not isinstance(text, str) or "each." in text or "count." in text or "var." in text:
        return None
    raw = section.raw("resource_id")
    where: object = resource if resource is not None else (section.block.stack.name, raw)
    return (where, text.upper()) if resource is not None or isinstance(raw, str) else None


@lru_cache(maxsize=8)
def by_method(estate: Estate, type_: str) -> dict[MethodKey | None, list[Block]]:
    """Return blocks of a type by the method that they are about; None stands for those that only a plan can tell."""
    found: dict[MethodKey | None, list[Block]] = defaultdict(list)
    for block in estate.of(type_):
        found[method_key(block)].append(block)
    return found


@lru_cache(maxsize=16)
def parts_of(estate: Estate, *types: str) -> dict[Block | None, list[Block]]:
    """Return blocks of some types by their REST API; None stands for an API that is not in the estate."""
    found: dict[Block | None, list[Block]] = defaultdict(list)
    for block in estate.of(*types):
        found[api_of(block)].append(block)
    return found


def listed(blocks: list[Block], most: int = 3) -> str:
    """Return the addresses of blocks for a message: each once, without instance keys, and the number of others."""
    names = list(dict.fromkeys(block.base for block in blocks))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
