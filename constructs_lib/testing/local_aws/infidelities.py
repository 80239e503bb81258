"""Where the local AWS is not as AWS's own service models say: requests and answers of each operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Infidelity:
    """Where a request or an answer is not as AWS's own model says.

    Attributes:
        operation: Service as in boto3 and operation, such as `lambda:CreateFunction`.
        path: The member, from `request` or `answer`, such as `answer.Users[].Authentication.Type`.
        reason: What is wrong; in the table of known ones, why it is harmless.
    """

    operation: str
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.path}: {self.reason}"


_EC2: Final = "AWS itself answers in lower case, as the examples of its API reference show"
_PAGE: Final = "an answer to a first page has none on AWS either"
_DECREASES: Final = "AWS itself answers 0 for a table whose capacity was never decreased"
_ZONE: Final = "AWS itself answers with the prefix /hostedzone/, which the model's length does not count"
_PACKAGE: Final = "a URL with the package in it, which is longer than a link to S3"

KNOWN_INFIDELITIES: Final[tuple[Infidelity, ...]] = (
    Infidelity(
        "dynamodb:CreateTable", "answer.TableDescription.ProvisionedThroughput.NumberOfDecreasesToday", _DECREASES
    ),
    Infidelity(
        "dynamodb:DeleteTable", "answer.TableDescription.ProvisionedThroughput.NumberOfDecreasesToday", _DECREASES
    ),
    Infidelity(
        "dynamodb:UpdateTable", "answer.TableDescription.ProvisionedThroughput.NumberOfDecreasesToday", _DECREASES
    ),
    Infidelity("dynamodb:DescribeTable", "answer.Table.ProvisionedThroughput.NumberOfDecreasesToday", _DECREASES),
    Infidelity("ec2:CreateVpcEndpoint", "answer.VpcEndpoint.State", _EC2),
    Infidelity("ec2:DescribeVpcEndpoints", "answer.VpcEndpoints[].State", _EC2),
    Infidelity(
        "ec2:DescribeInternetGateways",
        "answer.InternetGateways[].Attachments[].State",
        "AWS itself answers available for an attached internet gateway, as its API reference says",
    ),
    Infidelity(
        "lambda:GetFunctionCodeSigningConfig", "answer.CodeSigningConfigArn", "AWS itself has none for such a function"
    ),
    Infidelity("lambda:GetLayerVersion", "answer.Content.Location", _PACKAGE),
    Infidelity("lambda:PublishLayerVersion", "answer.Content.Location", _PACKAGE),
    Infidelity("route53:CreateHostedZone", "answer.DelegationSet", "a private zone has none on AWS either"),
    Infidelity("route53:CreateHostedZone", "answer.HostedZone.Id", _ZONE),
    Infidelity("route53:GetHostedZone", "answer.HostedZone.Id", _ZONE),
    Infidelity("route53:ListHostedZones", "answer.HostedZones[].Id", _ZONE),
    Infidelity("route53:ListHostedZones", "answer.Marker", _PAGE),
    Infidelity(
        "wafv2:CreateWebACL", "answer.Summary.Description", "moto answers an empty text where AWS leaves the member out"
    ),
)
"""Known infidelities of the local AWS."""

FOUND: Final[list[Infidelity]] = []
"""Infidelities that are not known, of every local AWS that this process has stopped."""

_KNOWN: Final = frozenset((known.operation, known.path) for known in KNOWN_INFIDELITIES)


def unknown(found: Iterable[Infidelity]) -> tuple[Infidelity, ...]:
    """Return the infidelities that are not in the table."""
    return tuple(each for each in found if (each.operation, each.path) not in _KNOWN)
