"""EC2 instances, launch templates and their user data."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from constructs_lib.rules.estate.model import Block

TEMPLATE: Final = "aws_launch_template"
INSTANCE: Final = "aws_instance"
CONFIGURATION: Final = "aws_launch_configuration"
GROUP: Final = "aws_autoscaling_group"
MAKERS: Final = (TEMPLATE, INSTANCE, CONFIGURATION)

EC2: Final = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide"
SCALING: Final = "https://docs.aws.amazon.com/autoscaling/ec2/userguide"

USER_DATA: Final = ("user_data", "user_data_base64")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_GZIP: Final = b"\x1f\x8b"


def script_of(block: Block) -> tuple[str, str, bool] | None:
    """Return the user data of an instance: its attribute, its text, and whether it is fully known.

    Base64 is decoded. Of what is not known the text is as written, with its expressions. None where there is none, or
    where it is compressed.
    """
    for at in USER_DATA:
        raw, value = block.raw(at), block.get(at)
        if raw in (None, ""):
            continue
        if isinstance(value, Unknown):
            return at, _written(block, raw, value), False
        decoded = decode(str(value))
        if decoded is None:
            return at, str(value), True
        return None if decoded.startswith(_GZIP) else (at, decoded.decode(errors="replace"), True)
    return None


def _written(block: Block, raw: object, value: Unknown) -> str:
    """Return a text with unknown parts as it is written, with the local values that it is made of."""
    parts = [str(raw).replace('\\"', '"').replace("\\n", "\n"), value.text]
    for _, reference in (pair for pair in block.edges if pair[0] in USER_DATA):
        local = block.stack.one(reference.block) if reference.kind == "local" else None
        if local is not None:
            parts.append(str(local.body.get("value")).replace('\\"', '"'))
    return "\n".join(dict.fromkeys(parts))


def decode(text: str) -> bytes | None:
    """Decode Base64 text, or return None if it is not."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        return base64.b64decode(text, validate=False) if len("".join(text.split())) % 4 == 0 else None
    except (binascii.Error, ValueError):
        return None
