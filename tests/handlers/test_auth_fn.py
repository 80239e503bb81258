"""Which requests the authorizer allows, the policies it returns, and how often it reads the token."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.handlers.event_functions import (
    LAMBDA_ID,
    REQUEST_ID,
    auth_fn,
    aws,
    call,
    context,
    facts,
    refused_by_aws,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod"
PARAMETER = "/events/dev/api-token"
TOKEN = "T0ken!of#the%API&0123456789"
ALLOWED = {
    "principalId": "events-client",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*"}],
    },
    "context": {"principal": "events-client"},
}
DENIED = {
    "principalId": "unknown",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": f"{STAGE}/*"}],
    },
    "context": {"principal": "unknown"},
}


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(auth_fn, "time", clock)
    return clock


class Parameters:
    """As much of SSM as is called, without the time that a whole one takes to start."""

    def __init__(self) -> None:
        self.value = TOKEN
        self.read: list[str] = []
        self.error: Exception | None = None

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> Any:  # noqa: N803  AWS's names
        assert WithDecryption
        self.read.append(Name)
        if self.error:
            raise self.error
        return {"Parameter": {"Name": Name, "Value": self.value}}


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Parameters:
    assert clock.monotonic()
    parameters = Parameters()
    monkeypatch.setattr(auth_fn, "client", {"ssm": parameters}.__getitem__)
    monkeypatch.setenv("TOKEN_PARAMETER", PARAMETER)
    monkeypatch.setattr(auth_fn, "_kept", {})
    return parameters


def of_token(authorization: object, path: str = "POST/events") -> dict[str, Any]:
    return {"type": "TOKEN", "authorizationToken": authorization, "methodArn": f"{STAGE}/{path}"}


def of_request(**headers: str) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/POST/events",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {"requestId": REQUEST_ID},
    }


@pytest.mark.parametrize(
    "event",
    [
        of_token(f"Bearer {TOKEN}"),
        of_token(f" bearer  {TOKEN} "),
        of_token(f"Bearer {TOKEN}", "GET/"),
        of_request(Authorization=f"Bearer {TOKEN}"),
        of_request(authorization=f"BEARER {TOKEN}"),
    ],
)
@pytest.mark.usefixtures("ssm")
def test_the_right_token_is_allowed_every_method_of_the_stage(event: dict[str, Any]) -> None:
    assert call(auth_fn.handler, event).value == ALLOWED


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (of_token(f"Bearer {TOKEN}x"), "wrong_token"),
        (of_token(f"Bearer {TOKEN[:-1]}"), "wrong_token"),
        (of_token(f"Bearer {PARAMETER}"), "wrong_token"),
        (of_token(TOKEN), "no_token"),
        (of_token(f"Basic {TOKEN}"), "no_token"),
        (of_token("Bearer "), "no_token"),
        (of_token(f"Bearer {TOKEN} {TOKEN}"), "no_token"),
        (of_token("Bearer töken-of-the-api-0123"), "no_token"),
        (of_token(None), "no_token"),
        (of_token({"a": 1}), "no_token"),
        (of_request(), "no_token"),
        (of_request(Authorization=f"Bearer {TOKEN}", authorization="Bearer other"), "no_token"),
    ],
)
@pytest.mark.usefixtures("ssm")
def test_any_other_is_denied_by_a_policy_and_not_by_an_exception(event: dict[str, Any], problem: str) -> None:
    reply = call(auth_fn.handler, event)

    assert reply.value == DENIED
    [entry] = reply.logs
    assert (entry["level"], entry["message"], entry["problems"]) == ("WARN", "denied", [problem])
    assert "_aws" not in entry
    assert TOKEN[:-1] not in json.dumps(entry)


@pytest.mark.parametrize("event", [None, {}, of_token("Bearer x") | {"methodArn": "arn:aws:s3:::bucket"}])
@pytest.mark.usefixtures("ssm")
def test_what_is_no_event_of_an_authorizer_is_an_error(event: object) -> None:
    with pytest.raises(auth_fn.AuthorizerError, match=r"^the token could not be checked$"):
        auth_fn.handler(event, context())


def test_the_token_is_read_from_a_secure_string(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    aws("ssm").put_parameter(Name=PARAMETER, Type="SecureString", Value=TOKEN)
    monkeypatch.setenv("TOKEN_PARAMETER", PARAMETER)
    monkeypatch.setattr(auth_fn, "_kept", {})

    assert call(auth_fn.handler, of_token(f"Bearer {TOKEN}")).value == ALLOWED


def test_the_token_is_read_once_a_minute(ssm: Parameters, clock: Clock) -> None:
    for seconds in (0, 30, 29.5):
        clock.seconds += seconds
        assert call(auth_fn.handler, of_token(f"Bearer {TOKEN}")).value == ALLOWED
    assert ssm.read == [PARAMETER]

    clock.seconds += 0.5
    call(auth_fn.handler, of_token(f"Bearer {TOKEN}"))
    assert ssm.read == [PARAMETER] * 2


def test_a_changed_token_takes_effect_within_a_minute_and_the_old_one_ends_then(ssm: Parameters, clock: Clock) -> None:
    new = of_token("Bearer another-token-of-the-api")
    call(auth_fn.handler, of_token(f"Bearer {TOKEN}"))
    ssm.value = "another-token-of-the-api"

    clock.seconds += 59
    assert [call(auth_fn.handler, event).value for event in (of_token(f"Bearer {TOKEN}"), new)] == [ALLOWED, DENIED]
    clock.seconds += 1
    assert [call(auth_fn.handler, event).value for event in (of_token(f"Bearer {TOKEN}"), new)] == [DENIED, ALLOWED]
    assert ssm.read == [PARAMETER] * 2


def test_wrong_tokens_do_not_read_the_parameter_each_time(ssm: Parameters, clock: Clock) -> None:
    for number in range(100):
        clock.seconds += 1
        assert call(auth_fn.handler, of_token(f"Bearer wrong-token-{number:06}")).value == DENIED

    assert len(ssm.read) == 2


@pytest.mark.usefixtures("ssm")
def test_the_token_is_compared_in_constant_time_and_kept_as_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    call(auth_fn.handler, of_token(f"Bearer {TOKEN}"))

    assert compared == [(auth_fn.digest_of(TOKEN),) * 2]
    assert TOKEN not in repr(auth_fn._kept)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ParameterNotFound", "ThrottlingException"])
def test_a_parameter_that_cannot_be_read_is_a_fault_that_lambda_counts(
    code: str, ssm: Parameters, capsys: pytest.CaptureFixture[str]
) -> None:
    ssm.error = refused_by_aws(code)

    with pytest.raises(auth_fn.AuthorizerError) as raised:
        auth_fn.handler(of_token(f"Bearer {TOKEN}"), context())

    assert raised.value.__suppress_context__
    [entry] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (entry["level"], entry["error_code"], entry["Faults"]) == ("ERROR", code, 1)
    assert "refused:" not in json.dumps(entry)


def test_a_parameter_that_is_too_short_to_be_a_token_lets_nobody_in(ssm: Parameters) -> None:
    ssm.value = "x" * 15

    with pytest.raises(auth_fn.AuthorizerError):
        auth_fn.handler(of_token("Bearer " + "x" * 15), context())


@pytest.mark.parametrize(("event", "id_"), [(of_token, LAMBDA_ID), (lambda b: of_request(Authorization=b), REQUEST_ID)])
@pytest.mark.usefixtures("ssm")
def test_the_log_has_the_correlation_id_and_no_token(event: Callable[[str], dict[str, Any]], id_: str) -> None:
    [entry] = call(auth_fn.handler, event(f"Bearer {TOKEN}")).logs

    assert facts(entry) == {"level": "INFO", "message": "allowed", "correlation_id": id_}
    assert entry["service"] == "auth_fn"
