"""Estates from small documents, and what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from constructs_lib.rules.estate.loading import Source
from constructs_lib.rules.estate.model import Estate

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block


def estate(document: dict[str, Any], environment: str | None = None, **others: dict[str, Any]) -> Estate:
    everything = {"shop": document, **others}
    sources = [Source(name, Path("out/stacks") / name, content) for name, content in everything.items()]
    return Estate(sources, environment)


def resources(**types: Any) -> dict[str, Any]:
    return {"resource": {f"aws_{type_}": named for type_, named in types.items()}}


def only(found: Estate, type_: str) -> Block:
    (block,) = found.of(type_)
    return block


def queue(body: dict[str, Any], **around: Any) -> Block:
    return only(estate({**resources(sqs_queue={"jobs": body}), **around}), "aws_sqs_queue")


def value(text: object, **around: Any) -> Any:
    return queue({"name": text}, **around).get("name")
