"""Authorizes requests that carry the bearer token that is stored in SSM Parameter Store.

The function is a Lambda authorizer of a REST API, of type TOKEN or REQUEST. Clients send

    Authorization: Bearer <token>

It returns a policy for all methods of the stage, because API Gateway applies a cached policy to every method. The
context contains `principal`, and nothing about the single request.

    {"principalId": "events-client", "context": {"principal": "events-client"},
     "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow",
                        "Resource": "arn:aws:execute-api:eu-central-1:...:abc123/prod/*"}]}}

A missing, malformed or wrong token gets the effect Deny, and API Gateway responds with 403. Raising "Unauthorized"
would give 401, but Lambda counts every exception as an error of the function: the alarm on errors would be raised by
any client with a wrong token. Exceptions are faults only, such as a parameter that cannot be read; API Gateway responds
with 500, and nobody is authorized.

The parameter is a SecureString of at least 16 characters. Its hash is kept for `CACHE_SECONDS`, the only cache of
decisions: set the authorizer's `result_ttl_seconds` to 0. A changed token takes effect within 60 seconds, and the old
one ends then. With API Gateway's cache as well, both times would add up, and a Deny would be cached for a token that
is valid a moment later. Without it the function runs for each request; its concurrency must carry the API's rate.

Environment variables: `TOKEN_PARAMETER` (name of the parameter), `LOG_LEVEL`, `AWS_REGION`.
IAM: `ssm:GetParameter` on the parameter, `kms:Decrypt` on its key.

See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html.
"""

import hashlib
import hmac
import os
import re
import time
from dataclasses import dataclass
from typing import Any

from events_shared.api import gateway_id, headers_named
from events_shared.clients import client
from events_shared.logs import FAULT, UNKNOWN, configure, correlate, logger

CACHE_SECONDS = 60.0
"""Each execution environment reads the parameter once in this time; GetParameter has a quota of 40 calls a second."""
MIN_TOKEN_LENGTH = 16
PRINCIPAL = "events-client"

BEARER = re.compile(r"bearer +([!-~]{1,512})", re.IGNORECASE)
METHOD_ARN = re.compile(r"(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:[0-9]{12}:[a-z0-9]+/[A-Za-z0-9_-]+)/.+", re.DOTALL)


class AuthorizerError(Exception):
    """The token could not be checked; API Gateway responds with 500."""


@dataclass(frozen=True)
class Kept:
    """The hash of the stored token, and when it was read."""

    digest: bytes
    read_at: float


_kept: dict[str, Kept] = {}


def handler(event: object, context: object) -> dict[str, Any]:
    """Return the policy for a request."""
    configure("auth_fn")
    correlate(gateway_id(event), getattr(context, "aws_request_id", None))
    try:
        stage = read_stage(event)
        token = read_token(event)
        allowed = token is not None and is_right(token)
    except Exception:  # noqa: BLE001  logged, by a logger that ruff does not know
        logger.exception("failed", extra={"metrics": FAULT})
        # Lambda logs the text of an exception.
        raise AuthorizerError("the token could not be checked") from None
    if allowed:
        logger.info("allowed")
    else:
        logger.warning("denied", extra={"facts": {"problems": ["wrong_token" if token else "no_token"]}})
    return policy("Allow" if allowed else "Deny", stage)


def policy(effect: str, stage: str) -> dict[str, Any]:
    """Return the policy that allows or denies every method of a stage."""
    principal = PRINCIPAL if effect == "Allow" else UNKNOWN
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{stage}/*"}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"principal": principal},
    }


def read_stage(event: object) -> str:
    """Return the ARN of the API's stage."""
    arn = event.get("methodArn") if isinstance(event, dict) else None
    found = METHOD_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if found is None:
        raise ValueError("not an event of an API Gateway authorizer")
    return found[1]


def read_token(event: object) -> str | None:
    """Return the bearer token of a request, or None without exactly one."""
    if not isinstance(event, dict):
        return None
    of_token = event.get("type") == "TOKEN"
    given = [event.get("authorizationToken")] if of_token else list(headers_named(event, "authorization"))
    value = given[0] if len(given) == 1 else None
    found = BEARER.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] if found else None


def is_right(token: str) -> bool:
    """Compare a token with the stored one in constant time."""
    name = os.environ["TOKEN_PARAMETER"]
    kept = _kept.get(name)
    if kept is None or time.monotonic() - kept.read_at >= CACHE_SECONDS:
        kept = _kept[name] = Kept(read_digest(name), time.monotonic())
    return hmac.compare_digest(digest_of(token), kept.digest)


def read_digest(name: str) -> bytes:
    """Return the hash of the stored token."""
    value: str = client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    if len(value) < MIN_TOKEN_LENGTH:
        raise ValueError("the token in the parameter is too short")
    return digest_of(value)


def digest_of(token: str) -> bytes:
    """Return a hash of a token, so that the token itself is not kept in memory."""
    return hashlib.sha256(token.encode()).digest()
