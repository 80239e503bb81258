"""Fixes for API Gateway and ACM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from moto.acm.models import CertBundle
from moto.acm.responses import AWSCertificateManagerResponse
from moto.apigateway.models import RestAPI

from constructs_lib.testing.local_aws.fixes.patching import around, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.apigateway.models import Authorizer
    from moto.core.responses import ActionResult


def authorizers_keep_the_validation_expression() -> None:
    """Authorizers do not store the identity validation expression."""

    @around(RestAPI, "create_authorizer")
    def create_authorizer(original: Callable[..., Authorizer], self: RestAPI, *given: Any, **named: Any) -> Authorizer:  # noqa: ANN401
        authorizer = original(self, *given, **named)
        # The name is misspelt in moto, and read by its right one.
        authorizer.identity_validation_expression = named.get("identiy_validation_expression")
        return authorizer


def certificates_keep_the_key_algorithm() -> None:
    """Every certificate has an RSA 2048 key, whichever algorithm is requested."""

    @around(AWSCertificateManagerResponse, "request_certificate")
    def request_certificate(original: Callable[..., ActionResult], self: AWSCertificateManagerResponse) -> ActionResult:
        answer = original(self)
        certificate = self.acm_backend.get_certificate(cast("dict[str, str]", answer.result)["CertificateArn"])
        keep(certificate, "key_algorithm", self._get_param("KeyAlgorithm"))
        return answer

    @around(CertBundle, "describe")
    def describe(original: Callable[..., dict[str, Any]], self: CertBundle) -> dict[str, Any]:
        answer = original(self)
        algorithm: str | None = kept(self, "key_algorithm", lambda: None)
        if algorithm:
            answer["Certificate"]["KeyAlgorithm"] = algorithm
        return answer


FIXES = (authorizers_keep_the_validation_expression, certificates_keep_the_key_algorithm)
