"""Services of VPC endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Unknown
from constructs_lib.rules.facts.regions import NAME
from constructs_lib.rules.queries.common import AWS
from constructs_lib.rules.rule import REMOVED, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.rules.estate.model import Block
    from constructs_lib.rules.outcomes import Outcome


@rule(
    "REG-008",
    "VPC endpoint service is in the region of the endpoint",
    why="AWS rejects the endpoint at apply: the service does not exist in the region.",
    fix="Set service_name to the service in the region of the VPC; for another region, set service_region too.",
    page=f"{AWS}/vpc/latest/privatelink/aws-services-privatelink-support.html",
    types=["aws_vpc_endpoint"],
    lessons=["PAY-1"],
    good={
        "provider": {"aws": {"region": "eu-west-1"}},
        "resource": {
            "aws_vpc_endpoint": {
                "s3": {"vpc_id": "vpc-0123456789abcdef0", "service_name": "com.amazonaws.eu-west-1.s3"},
                "far": {
                    "vpc_id": "vpc-0123456789abcdef0",
                    "service_name": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
                    "service_region": "us-east-1",
                    "vpc_endpoint_type": "Interface",
                },
            }
        },
    },
    breaks=[
        {"resource.aws_vpc_endpoint.s3.service_name": "com.amazonaws.us-east-1.s3"},
        {"resource.aws_vpc_endpoint.far.service_region": REMOVED},
        {"provider.aws.region": "eu-west-2"},
    ],
)
def endpoint_is_of_the_region(endpoint: Block) -> Iterator[Outcome]:
    """Compare the region in the service name; the names of global services have none."""
    service, wanted = endpoint.get("service_name"), endpoint.get("service_region")
    wanted = endpoint.region if wanted is None else wanted
    named = NAME.findall(service) if isinstance(service, str) else []
    if isinstance(service, Unknown) and not isinstance(service, Computed):
        yield endpoint.undecided(service, "service_name")
    elif named and isinstance(wanted, Unknown):
        yield endpoint.undecided(wanted, "service_name")
    elif named and wanted not in named:
        yield endpoint.fail(f"must be a service in {wanted}", "service_name")
