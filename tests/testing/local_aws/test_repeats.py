"""A request that an SDK sends again gets the answer of the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.testing.local_aws import repeats
from constructs_lib.testing.local_aws.repeats import Repeats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Counter:
    """Answers with how often it was asked."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        self.asked += 1
        start_response(self.statuses.pop(0) if self.statuses else "200 OK", [("X-Path", environ["PATH_INFO"])])
        return [b"asked ", str(self.asked).encode()]


def send(application: Repeats, invocation: str = "", method: str = "POST") -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/stages"}
    if invocation:
        environ["HTTP_AMZ_SDK_INVOCATION_ID"] = invocation
    body = b"".join(application(environ, lambda status, headers, *_: started.append((status, headers))))
    return (*started[0], body)


def test_the_same_invocation_is_carried_out_once_and_answered_alike() -> None:
    counter = Counter("201 Created")
    application = Repeats(counter)
    first = send(application, "a")
    assert first == ("201 Created", [("X-Path", "/stages")], b"asked 1")
    assert send(application, "a") == first
    assert counter.asked == 1
    assert send(application, "b")[2] == b"asked 2"


@pytest.mark.parametrize("status", ["400 Bad Request", "409 Conflict", "500 Internal Server Error"])
def test_what_failed_is_tried_again(status: str) -> None:
    application = Repeats(Counter(status))
    assert send(application, "a")[0] == status
    assert send(application, "a") == ("200 OK", [("X-Path", "/stages")], b"asked 2")


def test_reads_and_requests_without_an_id_are_never_repeated() -> None:
    counter = Counter()
    application = Repeats(counter)
    for invocation, method in (("a", "GET"), ("a", "GET"), ("", "POST"), ("", "POST")):
        send(application, invocation, method)
    assert counter.asked == 4


def test_old_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "KEPT", 1)
    counter = Counter()
    application = Repeats(counter)
    for invocation in ("a", "b", "a"):
        send(application, invocation)
    assert counter.asked == 3
