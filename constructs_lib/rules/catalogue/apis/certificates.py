"""TLS certificates in ACM and IAM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.outcomes import NotApplicable
from constructs_lib.rules.queries.common import AWS, PROVIDER, TERRAFORM, expect, expect_flag
from constructs_lib.rules.queries.links import has_module, is_given, predecessors
from constructs_lib.rules.rule import REMOVED, WARNING, Frameworks, Severity, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome

_ACM: Final = f"{AWS}/acm/latest/userguide"
_CERTIFICATE: Final = "aws_acm_certificate"
_SERVER_CERTIFICATE: Final = "aws_iam_server_certificate"
_VALIDATION: Final = "aws_acm_certificate_validation"
_SELF_SIGNED: Final = "tls_self_signed_cert"
_NON_PUBLIC: Final = (
    *("corp", "example", "home", "home.arpa", "internal", "intranet", "invalid", "lan", "local", "localdomain"),
    *("localhost", "private", "test"),
)
"""Top-level domains that nobody can own, by RFC 2606, RFC 6761, RFC 6762 and ICANN; November 2025."""
_USERS: Final = (
    "aws_lb_listener",
    "aws_alb_listener",
    "aws_lb_listener_certificate",
    "aws_api_gateway_domain_name",
    "aws_apigatewayv2_domain_name",
    "aws_cloudfront_distribution",
)
_AT: Final = "resource.aws_acm_certificate.web"
_LISTENER: Final = "resource.aws_lb_listener.https"

_GOOD: Final[dict[str, Any]] = {
    "resource": {
        "aws_acm_certificate": {
            "web": {
                "domain_name": "shop.example.com",
                "validation_method": "DNS",
                "lifecycle": {"create_before_destroy": True},
            }
        },
        "aws_acm_certificate_validation": {"web": {"certificate_arn": "${aws_acm_certificate.web.arn}"}},
        "aws_lb_listener": {
            "https": {
                "load_balancer_arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1",
                "port": 443,
                "protocol": "HTTPS",
                "certificate_arn": "${aws_acm_certificate_validation.web.certificate_arn}",
            }
        },
    }
}


def _is_issued_by_amazon(certificate: Block) -> bool:
    """Return whether Amazon issues it: it is neither imported nor issued by a private CA."""
    given = ("private_key", "certificate_body", "certificate_authority_arn")
    return not any(is_given(certificate.get(name)) for name in given)


@rule(
    "API-029",
    "Certificate is for a public domain and not self-signed",
    why="ACM cannot validate a private name such as shop.local and never issues the certificate. Browsers reject "
    "self-signed certificates.",
    fix="Request an aws_acm_certificate for a domain that you own, and validate it by DNS. Without a domain use "
    "HTTP, in dev only.",
    page=f"{_ACM}/domain-ownership-validation.html",
    types=[_CERTIFICATE, _SERVER_CERTIFICATE],
    severity=Severity("warning", "error", "error"),
    lessons=["TRD-4"],
    good=_GOOD,
    breaks=[
        {f"{_AT}.domain_name": "prod.shop.local"},
        {f"{_AT}.subject_alternative_names": ["www.shop.example.com", "*.shop.internal"]},
        {
            "resource.tls_self_signed_cert": {"web": {"validity_period_hours": 8760}},
            _AT: {
                "certificate_body": "${tls_self_signed_cert.web.cert_pem}",
                "private_key": "${tls_self_signed_cert.web.private_key_pem}",
            },
        },
        {
            "resource.tls_self_signed_cert": {"web": {"validity_period_hours": 8760}},
            "resource.aws_iam_server_certificate": {
                "web": {"certificate_body": "${tls_self_signed_cert.web.cert_pem}"}
            },
        },
    ],
)
def certificate_can_be_validated(certificate: Block) -> Iterator[Outcome]:
    """A private CA may issue certificates for any name."""
    if certificate.targets("certificate_body", _SELF_SIGNED):
        yield certificate.fail(
            "must not be self-signed; use an aws_acm_certificate for a domain that is validated by DNS",
            "certificate_body",
        )
        return
    if certificate.type == _SERVER_CERTIFICATE or not _is_issued_by_amazon(certificate):
        yield NotApplicable("imported, or issued by a private CA")
        return
    for at in ("domain_name", "subject_alternative_names"):
        names = certificate.items(at)
        for name in [names] if isinstance(names, Unknown) else names:
            text = name.text if isinstance(name, Unknown) else str(name)
            if text.lower().rstrip(".").endswith(tuple(f".{each}" for each in _NON_PUBLIC)):
                yield certificate.fail(
                    f"must name domains that you own: {text} is not a public domain and cannot be validated", at
                )
            elif isinstance(name, Unknown) and text.endswith("}"):
                yield certificate.undecided(name, at)


@rule(
    "API-037",
    "ACM certificate is replaced with create_before_destroy",
    why="Terraform destroys the old certificate first, and AWS rejects that while a listener uses it.",
    fix="Set lifecycle.create_before_destroy to true.",
    page=f"{TERRAFORM}/language/meta-arguments/lifecycle",
    types=[_CERTIFICATE],
    severity=WARNING,
    frameworks=Frameworks(checkov=("CKV_AWS_233",)),
    good=_GOOD,
    breaks=[{f"{_AT}.lifecycle": REMOVED}, {f"{_AT}.lifecycle": [{"create_before_destroy": "false"}]}],
)
def certificate_has_create_before_destroy(certificate: Block) -> Iterator[Outcome]:
    """Imported certificates are checked too."""
    yield from expect_flag(
        certificate,
        "lifecycle.create_before_destroy",
        "must be true, or a replacement fails while the certificate is in use",
    )


@rule(
    "API-038",
    "ACM certificate is validated by DNS",
    why="Email validation needs a person for every renewal; the certificate expires when nobody confirms the message.",
    fix='Set validation_method to "DNS", and declare the aws_route53_record resources and an '
    "aws_acm_certificate_validation.",
    page=f"{_ACM}/dns-validation.html",
    types=[_CERTIFICATE],
    severity=WARNING,
    lessons=["EVT-12"],
    good=_GOOD,
    breaks=[{f"{_AT}.validation_method": "EMAIL"}, {f"{_AT}.validation_method": REMOVED}],
)
def certificate_is_validated_by_dns(certificate: Block) -> Iterator[Outcome]:
    """Only certificates that Amazon issues are validated."""
    if not _is_issued_by_amazon(certificate):
        yield NotApplicable("imported, or issued by a private CA")
        return
    yield from expect(
        certificate,
        "validation_method",
        lambda value: value == "DNS",
        'must be "DNS": ACM then renews the certificate automatically',
    )


@rule(
    "API-039",
    "ACM certificate is validated before it is used",
    why="AWS rejects a certificate that is pending validation, with an error about its key; only a second apply "
    "succeeds.",
    fix="Reference the certificate_arn of an aws_acm_certificate_validation, which waits until the certificate is "
    "issued.",
    page=f"{PROVIDER}/resources/acm_certificate_validation",
    types=[_CERTIFICATE],
    lessons=["EVT-12"],
    good=_GOOD,
    breaks=[
        {f"{_LISTENER}.certificate_arn": "${aws_acm_certificate.web.arn}"},
        {
            "resource.aws_acm_certificate_validation": {},
            f"{_LISTENER}.certificate_arn": "${aws_acm_certificate.web.arn}",
        },
        {
            _LISTENER: REMOVED,
            "resource.aws_apigatewayv2_domain_name": {
                "api": {"domain_name_configuration": {"certificate_arn": "${aws_acm_certificate.web.arn}"}}
            },
        },
    ],
    unknown_passes="a certificate from a variable is managed elsewhere and already issued",
)
def certificate_is_validated_before_use(certificate: Block) -> Iterator[Outcome]:
    """Resources in other stacks are exempt: an earlier apply has created and validated the certificate."""
    if not _is_issued_by_amazon(certificate):
        yield NotApplicable("imported, or issued by a private CA")
        return
    validations = certificate.referrers_at("certificate_arn", _VALIDATION)
    for user in certificate.referrers(*_USERS):
        earlier = predecessors(user)
        if user.stack is not certificate.stack or has_module(earlier):
            continue
        if not any(each.base in earlier for each in validations):
            named = (
                f"{validations[0].address}.certificate_arn"
                if validations
                else f"the certificate_arn of an {_VALIDATION}"
            )
            yield user.fail(
                f"must be {named}: AWS rejects a certificate that is pending validation", _at(user, certificate)
            )


def _at(user: Block, certificate: Block) -> str:
    return next((at for at, reference in user.edges if reference.block == certificate.base), "")


@rule(
    "API-040",
    "ACM certificate has no wildcard names",
    why="The private key of a wildcard certificate can impersonate every host of the domain.",
    fix="List the host names in domain_name and subject_alternative_names.",
    page=f"{_ACM}/acm-certificate-characteristics.html",
    types=[_CERTIFICATE],
    severity=Severity("info", "info", "info"),
    frameworks=Frameworks(checkov=("CKV2_AWS_71",)),
    good=_GOOD,
    breaks=[{f"{_AT}.domain_name": "*.example.com"}, {f"{_AT}.subject_alternative_names": ["*.shop.example.com"]}],
)
def certificate_has_no_wildcards(certificate: Block) -> Iterator[Outcome]:
    """Wildcards are allowed; the finding is advice."""
    for at in ("domain_name", "subject_alternative_names"):
        names = certificate.items(at)
        for name in [names] if isinstance(names, Unknown) else names:
            text = name.text if isinstance(name, Unknown) else str(name)
            if text.startswith("*."):
                yield certificate.fail(
                    f"must not contain wildcards: {text} matches every host of the domain; list the host names", at
                )
            elif isinstance(name, Unknown) and text.startswith("${"):
                yield certificate.undecided(name, at)
