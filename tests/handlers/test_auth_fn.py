"""Whom the authorizer lets in, what it answers, and how often it reads the token."""

from __future__ import annotations

import hmac
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
def test_any_other_is_unauthorized_in_the_word_that_api_gateway_expects(
    event: dict[str, Any], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(auth_fn.UnauthorizedError, match=r"^Unauthorized$"):
        auth_fn.handler(event, context())

    written = capsys.readouterr().out
    assert f'"problems": ["{problem}"]' in written
    assert TOKEN[:-1] not in written


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


def test_the_token_is_read_once_in_five_minutes(ssm: Parameters, clock: Clock) -> None:
    for seconds in (0, 100, 199.9):
        clock.seconds += seconds
        assert call(auth_fn.handler, of_token(f"Bearer {TOKEN}")).value == ALLOWED
    assert ssm.read == [PARAMETER]

    clock.seconds += 0.2
    call(auth_fn.handler, of_token(f"Bearer {TOKEN}"))
    assert ssm.read == [PARAMETER] * 2


def test_a_new_token_works_soon_and_the_old_one_ends(ssm: Parameters, clock: Clock) -> None:
    call(auth_fn.handler, of_token(f"Bearer {TOKEN}"))
    ssm.value = "another-token-of-the-api"

    assert call(auth_fn.handler, of_token(f"Bearer {TOKEN}")).value == ALLOWED
    clock.seconds += 30
    assert call(auth_fn.handler, of_token("Bearer another-token-of-the-api")).value == ALLOWED
    with pytest.raises(auth_fn.UnauthorizedError):
        auth_fn.handler(of_token(f"Bearer {TOKEN}"), context())
    assert ssm.read == [PARAMETER] * 2


def test_wrong_tokens_do_not_read_the_parameter_each_time(ssm: Parameters, clock: Clock) -> None:
    for _ in range(50):
        clock.seconds += 1
        with pytest.raises(auth_fn.UnauthorizedError):
            auth_fn.handler(of_token("Bearer wrong-token-0123456"), context())

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


def test_nobody_is_let_in_while_ssm_cannot_be_read(ssm: Parameters, capsys: pytest.CaptureFixture[str]) -> None:
    ssm.error = refused_by_aws("ThrottlingException")

    with pytest.raises(auth_fn.AuthorizerError) as raised:
        auth_fn.handler(of_token(f"Bearer {TOKEN}"), context())

    assert raised.value.__suppress_context__
    written = capsys.readouterr().out
    assert '"error_code": "ThrottlingException"' in written
    assert "refused:" not in written


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
