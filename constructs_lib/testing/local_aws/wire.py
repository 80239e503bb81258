"""Errors of AWS, in the wire form of each protocol."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.testing.local_aws.operations import Call
    from constructs_lib.testing.local_aws.wsgi import Answer


def error(call: Call, code: str, message: str, status: int = 400) -> Answer:
    """Return an error in the wire form of the call's protocol."""
    headers = [("x-amzn-RequestId", "1")]
    if call.protocol == "smithy-rpc-v2-cbor":
        content_type, body = "application/cbor", _cbor({"__type": code, "message": message})
        headers.append(("smithy-protocol", "rpc-v2-cbor"))
    elif call.protocol in ("json", "rest-json"):
        content_type, body = "application/json", json.dumps({"__type": code, "message": message}).encode()
        headers.append(("x-amzn-errortype", code))
    else:
        inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if call.protocol == "ec2":
            text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>1</RequestID></Response>"
        elif call.model.service_model.service_name == "s3":
            text = f"<Error>{inner}</Error>"
        else:
            sender = f"<Error><Type>Sender</Type>{inner}</Error>"
            text = f"<ErrorResponse>{sender}<RequestId>1</RequestId></ErrorResponse>"
        content_type, body = "text/xml", f'<?xml version="1.0"?>{text}'.encode()
    headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return f"{status} {HTTPStatus(status).phrase}", headers, body


def _cbor(texts: Mapping[str, str]) -> bytes:
    """Return a CBOR map of texts: major type 5, then major type 3 with lengths of two bytes."""

    def text(value: str) -> bytes:
        return b"\x79" + len(value.encode()).to_bytes(2) + value.encode()

    return bytes([0xA0 + len(texts)]) + b"".join(text(each) for pair in texts.items() for each in pair)
