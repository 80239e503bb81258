"""VPC endpoints: gateway endpoints for S3 and DynamoDB, interface endpoints for other services."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

from constructs_lib._engine import aws
from constructs_lib.constructs.security_group import SecurityGroup
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.protocols import Network
from constructs_lib.core.stack import Region

Service = Literal[
    "autoscaling",
    "cloudformation",
    "codedeploy",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "elasticache",
    "elasticloadbalancing",
    "events",
    "execute-api",
    "kinesis-streams",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "rds",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "states",
    "sts",
    "xray",
]
"""Services with interface endpoints, by their short names.

See https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html.
"""

SERVICES: Final[tuple[Service, ...]] = get_args(Service)
"""Every service that `interface_endpoints` accepts."""

LAMBDA_BASIC: Final[tuple[Service, ...]] = (
    "logs",
    "kms",
    "sqs",
    "secretsmanager",
    "ssm",
    "sts",
    "xray",
    "events",
)
"""The services that a `PaymentLambda` uses: logs, keys, queues, secrets, parameters, credentials, traces and events."""

HTTPS: Final = 443
_EVERYONE: Final = (("AWS", ("*",)),)


def service_name(region: Region, service: str) -> str:
    """Return the name of the endpoint service in a region."""
    return f"com.amazonaws.{region.name}.{service}"


def gateway_policy(region: Region, service: Literal["s3", "dynamodb"]) -> str:
    """Return the endpoint policy of a gateway endpoint: it allows principals of this account only.

    Data cannot be copied out of the VPC with credentials of another account. Two kinds of requests without credentials
    of this account may read: downloads of Amazon Linux packages, which are unsigned, and of container image layers,
    whose URLs are signed by Amazon ECR.

    See https://docs.aws.amazon.com/linux/al2023/ug/live-patching.html and
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html.
    """
    statements = [_own_account(region, f"{service}:*")]
    if service == "s3":
        buckets = (f"al2023-repos-{region.name}-de612dc2", f"prod-{region.name}-starport-layer-bucket")
        arns = tuple(f"arn:{region.partition}:s3:::{bucket}/*" for bucket in buckets)
        statements.append(Statement("AmazonPackages", ("s3:GetObject",), arns, _EVERYONE))
    return _document(statements)


def interface_policy(region: Region, service: Service) -> str:
    """Return the endpoint policy of an interface endpoint: it allows principals of this account only.

    Requests without an AWS signature have no account. They may invoke APIs of this account, whose methods authorize
    them, and exchange a token of an identity provider for a role of this account.

    See https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html and
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-vpc-endpoint-policies.html.
    """
    if service == "execute-api":
        apis = (region.arn("execute-api", "*"),)
        return _document([Statement("OwnApis", ("execute-api:Invoke",), apis, _EVERYONE)])
    statements = [_own_account(region, "*")]
    if service == "sts":
        roles = (f"arn:{region.partition}:iam::{region.account_id}:role/*",)
        actions = ("sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
        statements.append(Statement("OwnRoles", actions, roles, _EVERYONE))
    return _document(statements)


def _own_account(region: Region, action: str) -> Statement:
    own = Condition("StringEquals", "aws:PrincipalAccount", (region.account_id,))
    return Statement("OwnAccount", (action,), ("*",), _EVERYONE, (own,))


def _document(statements: Iterable[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement.as_json() for statement in statements]})


class InterfaceEndpoints(HardenedConstruct):
    """The interface endpoints of a VPC; they allow HTTPS from inside the VPC, and principals of this account only.

    Attributes:
        security_group: The endpoints' security group, for example for `function.allow_to(vpc.endpoints, 443)`.

    See https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        vpc: Network,
        services: Iterable[Service],
        subnet_ids: Sequence[str],
    ) -> None:
        region = vpc.region
        super().__init__(scope, id_, region=region)
        self.security_group = SecurityGroup(
            self,
            "security-group",
            region=region,
            vpc=vpc,
            description=f"Interface endpoints of {vpc.path}",
        )
        self.security_group.allow_from_cidr(vpc.cidr, HTTPS, "HTTPS from inside the VPC")
        for service in services:
            role = service.replace(".", "-")
            self._create(
                aws.vpc_endpoint.VpcEndpoint,
                role,
                vpc_id=vpc.id,
                service_name=service_name(region, service),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(subnet_ids),
                security_group_ids=[self._ref(self.security_group.resource, "id")],
                policy=interface_policy(region, service),
                tags={"Name": self._name("tag", role)},
            )
