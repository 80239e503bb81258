"""Synthesizes two stacks of several resource types to the folder given, for comparison."""

from __future__ import annotations

import constructs_lib

# isort: split
import sys

import cdktf_cdktf_provider_aws as aws
from cdktf import App, Fn, TerraformOutput, TerraformStack

assert constructs_lib.__file__
app = App(outdir=sys.argv[1])

network = TerraformStack(app, "network")
aws.provider.AwsProvider(
    network,
    "aws",
    region="eu-west-1",
    default_tags=[aws.provider.AwsProviderDefaultTags(tags={"Owner": "platform"})],
)
zones = aws.data_aws_availability_zones.DataAwsAvailabilityZones(network, "zones", state="available")
vpc = aws.vpc.Vpc(network, "vpc", cidr_block="10.0.0.0/16", tags={"Name": "main"})
subnets = [
    aws.subnet.Subnet(
        network,
        f"subnet-{number}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.{number}.0/24",
        availability_zone=Fn.element(zones.names, number),
    )
    for number in range(3)
]
group = aws.security_group.SecurityGroup(
    network,
    "group",
    vpc_id=vpc.id,
    ingress=[
        aws.security_group.SecurityGroupIngress(
            from_port=443, to_port=443, protocol="tcp", cidr_blocks=[vpc.cidr_block]
        )
    ],
)
key = aws.kms_key.KmsKey(network, "key", enable_key_rotation=True, multi_region=True)
TerraformOutput(network, "key-arn", value=key.arn, sensitive=True)

service = TerraformStack(app, "service")
aws.provider.AwsProvider(service, "aws", region="eu-west-1")
document = aws.data_aws_iam_policy_document
assume = document.DataAwsIamPolicyDocument(
    service,
    "assume",
    statement=[
        document.DataAwsIamPolicyDocumentStatement(
            actions=["sts:AssumeRole"],
            principals=[
                document.DataAwsIamPolicyDocumentStatementPrincipals(
                    type="Service", identifiers=["lambda.amazonaws.com"]
                )
            ],
        )
    ],
)
role = aws.iam_role.IamRole(service, "role", assume_role_policy=assume.json)
log = aws.cloudwatch_log_group.CloudwatchLogGroup(service, "log", retention_in_days=30, kms_key_id=key.arn)
function = aws.lambda_function.LambdaFunction(
    service,
    "function",
    function_name="worker",
    role=role.arn,
    filename="worker.zip",
    handler="worker.handle",
    runtime="python3.12",
    depends_on=[log],
    vpc_config=aws.lambda_function.LambdaFunctionVpcConfig(
        subnet_ids=[subnet.id for subnet in subnets], security_group_ids=[group.id]
    ),
    environment=aws.lambda_function.LambdaFunctionEnvironment(variables={"KEY": key.arn}),
)
queue = aws.sqs_queue.SqsQueue(service, "queue", kms_master_key_id=key.id)
mapping = aws.lambda_event_source_mapping.LambdaEventSourceMapping(
    service,
    "mapping",
    event_source_arn=queue.arn,
    function_name=function.arn,
    filter_criteria=aws.lambda_event_source_mapping.LambdaEventSourceMappingFilterCriteria(
        filter=[
            aws.lambda_event_source_mapping.LambdaEventSourceMappingFilterCriteriaFilter(
                pattern='{"body": {"kind": ["paid"]}}'
            )
        ]
    ),
)
mapping.add_override("tags", {"Kind": "paid"})
app.synth()

submodules = [name for name in sys.modules if name.startswith("cdktf_cdktf_provider_aws.") and name.count(".") == 1]
sys.stdout.write(f"{len(submodules)}\n")
