"""Lets a request through to the API when it carries the token that is kept in SSM.

The function is a Lambda authorizer of an API Gateway REST API, of type TOKEN or REQUEST. Callers send

    Authorization: Bearer <token>

The right token is answered with a policy that allows every method of the API's stage: API Gateway caches the answer
for the token and uses it for other methods too, so that a policy for one method would refuse them. The context holds
`principal`. It holds nothing that belongs to one request, because the cache would give it to the next.

    {"principalId": "events-client", "context": {"principal": "events-client"},
     "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow",
                        "Resource": "arn:aws:execute-api:eu-central-1:...:abc123/prod/*"}]}}

A missing, malformed or wrong token ends in an exception whose whole text is "Unauthorized", which API Gateway turns
into 401. Any other exception becomes a 500: where SSM cannot be read, nobody is let in.

The parameter is a SecureString of at least 16 characters. It is kept for 300 seconds as a hash; a token that does not
fit reads it again after 30 seconds, so that a new token works soon and wrong ones do not exhaust SSM. The old token
works for up to 300 seconds after a change.

Environment variables: `TOKEN_PARAMETER` (name of the parameter), `LOG_LEVEL`, `AWS_REGION`.
IAM: `ssm:GetParameter` on the parameter, `kms:Decrypt` on its key.
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
from events_shared.logs import configure, correlate, logger

CACHE_SECONDS = 300.0
RECHECK_SECONDS = 30.0
MIN_TOKEN_LENGTH = 16
PRINCIPAL = "events-client"

BEARER = re.compile(r"bearer +([!-~]{1,512})", re.IGNORECASE)
METHOD_ARN = re.compile(r"(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:[0-9]{12}:[a-z0-9]+/[A-Za-z0-9_-]+)/.+", re.DOTALL)


class UnauthorizedError(Exception):
    """API Gateway answers 401 when the text is exactly this one."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class AuthorizerError(Exception):
    """The token could not be checked; API Gateway answers 500."""


@dataclass(frozen=True)
class Kept:
    """The hash of the right token, and when it was read."""

    digest: bytes
    read_at: float


_kept: dict[str, Kept] = {}


def handler(event: object, context: object) -> dict[str, Any]:
    """Answer one request of API Gateway for a policy."""
    configure("auth_fn")
    correlate(gateway_id(event), getattr(context, "aws_request_id", None))
    try:
        stage = read_stage(event)
        token = read_token(event)
        allowed = token is not None and is_right(token)
    except Exception:  # noqa: BLE001  ruff does not see that it is logged, by a logger from elsewhere
        logger.exception("failed")
        # Lambda writes the text of what is raised here into the log.
        raise AuthorizerError("the token could not be checked") from None
    if not allowed:
        logger.warning("refused", extra={"facts": {"problems": ["wrong_token" if token else "no_token"]}})
        raise UnauthorizedError
    logger.info("allowed")
    return policy(stage)


def policy(stage: str) -> dict[str, Any]:
    """Return the policy that allows every method of a stage."""
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{stage}/*"}
    return {
        "principalId": PRINCIPAL,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"principal": PRINCIPAL},
    }


def read_stage(event: object) -> str:
    """Return the ARN of the API's stage, up to its name."""
    arn = event.get("methodArn") if isinstance(event, dict) else None
    found = METHOD_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if found is None:
        raise ValueError("not an event of an API Gateway authorizer")
    return found[1]


def read_token(event: object) -> str | None:
    """Return the bearer token of a request, or None where there is not exactly one."""
    if not isinstance(event, dict):
        return None
    of_token = event.get("type") == "TOKEN"
    given = [event.get("authorizationToken")] if of_token else list(headers_named(event, "authorization"))
    value = given[0] if len(given) == 1 else None
    found = BEARER.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] if found else None


def is_right(token: str) -> bool:
    """Compare a token with the one in SSM, in a time that says nothing about how much of it fits."""
    given = digest_of(token)
    name = os.environ["TOKEN_PARAMETER"]
    for max_age in (CACHE_SECONDS, RECHECK_SECONDS):
        kept = _kept.get(name)
        if kept is None or time.monotonic() - kept.read_at >= max_age:
            kept = _kept[name] = Kept(read_digest(name), time.monotonic())
        if hmac.compare_digest(given, kept.digest):
            return True
    return False


def read_digest(name: str) -> bytes:
    """Return the hash of the token in SSM."""
    value: str = client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    if len(value) < MIN_TOKEN_LENGTH:
        raise ValueError("the token in the parameter is too short")
    return digest_of(value)


def digest_of(token: str) -> bytes:
    """Return a hash: all have the same length, and the token itself is not kept."""
    return hashlib.sha256(token.encode()).digest()
