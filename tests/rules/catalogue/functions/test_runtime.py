"""Rules about runtimes and timeouts: unusual but valid configurations pass, and other forms of each mistake are reported."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from constructs_lib.foundation.lambda_runtimes import ENDS, successor
from constructs_lib.rules.catalogue.functions import runtime as lam_runtime
from constructs_lib.rules.rule import REMOVED
from tests.rules.asking import found, good
from tests.rules.catalogue.functions.documents import FN, function


class TestRuntime:
    def test_a_runtime_is_deprecated_from_its_deprecation_date_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lam_runtime, "today", lambda: date(2029, 6, 29))
        assert found("LAM-007", function(runtime="python3.13")) == []
        monkeypatch.setattr(lam_runtime, "today", lambda: date(2029, 6, 30))
        (message,) = found("LAM-007", function(runtime="python3.13"))
        assert "is deprecated since 2029-06-30" in message

    def test_an_unlisted_runtime_passes(self) -> None:
        assert found("LAM-007", function(runtime="python3.99")) == []

    def test_every_successor_is_listed_and_supported_at_least_as_long(self) -> None:
        for runtime, day in ENDS.items():
            assert ENDS[successor(runtime)] >= day or runtime in ("java25", "nodejs24.x", "python3.14")

    @pytest.mark.parametrize("timeout", [30, 300, "60", "${local.timeout}"])
    def test_timeouts_in_range_pass_in_every_notation(self, timeout: object) -> None:
        assert found("LAM-008", {**function(timeout=timeout), "locals": {"timeout": 120}}) == []

    def test_a_longer_integration_timeout_allows_a_longer_function_timeout(self) -> None:
        change = {
            f"{FN}.timeout": 60,
            "resource.aws_api_gateway_integration.worker.timeout_milliseconds": 60000,
            "resource.aws_apigatewayv2_integration": REMOVED,
        }
        assert found("LAM-009", good("LAM-009", change)) == []

    def test_an_asynchronous_integration_does_not_limit_the_timeout(self) -> None:
        change: dict[str, Any] = {
            f"{FN}.timeout": 120,
            "resource.aws_api_gateway_integration.worker.request_parameters": {
                "integration.request.header.X-Amz-Invocation-Type": "'Event'"
            },
            "resource.aws_apigatewayv2_integration": REMOVED,
        }
        assert found("LAM-009", good("LAM-009", change)) == []

    def test_a_function_without_api_may_have_a_longer_timeout(self) -> None:
        assert found("LAM-009", function(timeout=300)) == []

    def test_a_timeout_is_reported_once_for_all_integrations(self) -> None:
        (message,) = found("LAM-009", good("LAM-009", {f"{FN}.timeout": 60}))
        assert "must be at most 30" in message

    def test_an_integration_with_a_literal_uri_is_resolved(self) -> None:
        uri = (
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:eu-west-1:111122223333:function:shop-worker/invocations"
        )
        document = function(timeout=60)
        document["resource"]["aws_api_gateway_integration"] = {"api": {"uri": uri}}
        assert len(found("LAM-009", document)) == 1
