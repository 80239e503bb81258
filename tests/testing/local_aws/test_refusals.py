"""What AWS refuses, the local AWS refuses; one test for each refusal, named after it."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session

from constructs_lib.testing.errors import LocalAwsError
from constructs_lib.testing.local_aws import LocalAws
from constructs_lib.testing.local_aws.quotas import NEW_ACCOUNT
from constructs_lib.testing.local_aws.refusals import REFUSALS
from tests.testing.local_aws.execution_roles import EU, allow, document, make_function, make_role

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"


def refused(call: Callable[..., Any], /, **parameters: Any) -> str:
    """Return the error code of a call that must fail, and its message."""
    with pytest.raises(ClientError) as failed:
        call(**parameters)
    error = failed.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


# The list.


def test_every_refusal_names_a_page_of_aws_and_operations_that_exist_and_has_a_test() -> None:
    session = Session()
    tested = set(re.findall(r"^def test_(\w+)\(", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE))
    for operation, refusals in REFUSALS.items():
        service, name = operation.split(":")
        assert name in session.get_service_model(service).operation_names
        for refusal in refusals:
            assert re.search(r"\nSee: https://docs\.aws\.amazon\.com/\S+\.html$", inspect.getdoc(refusal) or "")
            assert any(refusal.__name__ in test for test in tested), refusal.__name__


# Policies.


def statement(number: int = 0, size: int = 0) -> dict[str, str]:
    return {
        "Sid": f"s{number}",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": "x" * size,
    }


def test_queue_policies(local_aws: LocalAws) -> None:
    sqs = local_aws.client("sqs", EU)
    url = sqs.create_queue(QueueName="policies")["QueueUrl"]

    def put(policy: str) -> Any:
        return sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    put(document(*map(statement, range(20))))
    many = document(*map(statement, range(21)))
    assert refused(put, policy=many) == "InvalidAttributeValue: Policy has 21 statements; the maximum is 20"
    long = document(statement(size=9000))
    bytes_ = f"InvalidAttributeValue: Policy has {len(long)} bytes; the maximum is 8192"
    assert refused(put, policy=long) == bytes_
    assert refused(sqs.create_queue, QueueName="other", Attributes={"Policy": long}) == bytes_


def test_topic_policies(local_aws: LocalAws) -> None:
    sns = local_aws.client("sns", EU)
    arn = sns.create_topic(Name="policies")["TopicArn"]
    long = document(statement(size=30_720))
    expected = f"InvalidParameter: Policy has {len(long)} bytes; the maximum is 30720"
    assert refused(sns.create_topic, Name="other", Attributes={"Policy": long}) == expected
    given = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": long}
    assert refused(sns.set_topic_attributes, **given) == expected
    sns.set_topic_attributes(**{**given, "AttributeValue": document(statement())})


def test_role_policies(local_aws: LocalAws) -> None:
    make_role(local_aws, "large")
    roles = local_aws.client("iam", EU)
    permission = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:*:*:{'x' * 4950}"}
    half = json.dumps(json.loads(document(permission)), indent=4)
    roles.put_role_policy(RoleName="large", PolicyName="one", PolicyDocument=half)
    roles.put_role_policy(RoleName="large", PolicyName="one", PolicyDocument=half)
    roles.put_role_policy(RoleName="large", PolicyName="two", PolicyDocument=half)
    third = refused(roles.put_role_policy, RoleName="large", PolicyName="three", PolicyDocument=half)
    assert third == "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role large"


def test_managed_policies(local_aws: LocalAws) -> None:
    roles = local_aws.client("iam", EU)
    long = document({"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:*:{'x' * 6144}"})
    expected = "LimitExceeded: Cannot exceed quota for PolicySize: 6144"
    assert refused(roles.create_policy, PolicyName="long", PolicyDocument=long) == expected


def test_trust_policies(local_aws: LocalAws) -> None:
    roles = local_aws.client("iam", EU)
    long = document({**statement(), "Sid": "s" * 2048})
    expected = "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048"
    assert refused(roles.create_role, RoleName="long", AssumeRolePolicyDocument=long) == expected
    make_role(local_aws, "short")
    assert refused(roles.update_assume_role_policy, RoleName="short", PolicyDocument=long) == expected


def test_function_policies(local_aws: LocalAws) -> None:
    make_function(local_aws, "permitted", make_role(local_aws, "permitted"))
    functions = local_aws.client("lambda", EU)

    def permit(number: int) -> str:
        try:
            functions.add_permission(
                FunctionName="permitted",
                StatementId=f"s{number}",
                Action="lambda:InvokeFunction",
                Principal="s3.amazonaws.com",
                SourceArn=f"arn:aws:s3:::bucket-{number}-{'x' * 1000}",
            )
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return ""

    answers = [permit(number) for number in range(20)]
    assert answers[:15] == [""] * 15
    assert re.fullmatch(r"The final policy size \(\d+\) is bigger than the limit \(20480\)\.", answers[-1])


def test_bucket_policies(local_aws: LocalAws) -> None:
    s3 = local_aws.client("s3", EU)
    s3.create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": EU})
    long = document(statement(size=20_480))
    assert refused(s3.put_bucket_policy, Bucket="policies", Policy=long).startswith("PolicyTooLarge: ")
    s3.put_bucket_policy(Bucket="policies", Policy=document(statement()))


def test_log_resource_policies(local_aws: LocalAws) -> None:
    logs = local_aws.client("logs", EU)
    policy = document({**statement(), "Action": "logs:PutLogEvents"})
    for number in range(10):
        logs.put_resource_policy(policyName=f"p{number}", policyDocument=policy)
    logs.put_resource_policy(policyName="p0", policyDocument=policy)
    eleventh = refused(logs.put_resource_policy, policyName="p10", policyDocument=policy)
    assert eleventh == "LimitExceededException: Resource limit exceeded."


# Keys.


def test_key_policies(local_aws: LocalAws) -> None:
    keys = local_aws.client("kms", EU)
    long = document(statement(size=32_768))
    assert refused(keys.create_key, Policy=long).startswith("LimitExceededException: ")


def test_keys_of_log_groups(local_aws: LocalAws) -> None:
    keys, logs = local_aws.client("kms", EU), local_aws.client("logs", EU)
    account = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    arn = keys.create_key(Policy=document(account))["KeyMetadata"]["Arn"]
    group = f"arn:aws:logs:{EU}:{ACCOUNT}:log-group:/app"
    expected = f"InvalidParameterException: The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
    assert refused(logs.create_log_group, logGroupName="/app", kmsKeyId=arn) == expected
    service = {
        **account,
        "Principal": {"Service": f"logs.{EU}.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{group}-other"}},
    }
    keys.put_key_policy(KeyId=arn, PolicyName="default", Policy=document(account, service))
    assert refused(logs.create_log_group, logGroupName="/app", kmsKeyId=arn) == expected
    service["Condition"] = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}}
    keys.put_key_policy(KeyId=arn, PolicyName="default", Policy=document(account, service))
    logs.create_log_group(logGroupName="/app", kmsKeyId=arn)


# Networks.


def test_elastic_ips() -> None:
    with LocalAws(quotas={"ec2-elastic-ips-per-region": 1}) as aws:
        aws.client("ec2", EU).allocate_address(Domain="vpc")
        second = refused(aws.client("ec2", EU).allocate_address, Domain="vpc")
        assert second == "AddressLimitExceeded: The maximum number of addresses has been reached."
        aws.client("ec2", "us-east-1").allocate_address(Domain="vpc")


def test_vpcs(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", "eu-north-1")
    for _ in range(4):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    fifth = refused(ec2.create_vpc, CidrBlock="10.0.0.0/16")
    assert fifth == "VpcLimitExceeded: The maximum number of VPCs has been reached."


def test_security_group_rules(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", EU)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]

    def permission(count: int, port: int) -> dict[str, Any]:
        ranges = [{"CidrIp": f"10.{number}.0.0/16"} for number in range(count)]
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}

    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission(60, 443)])
    expected = "RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached."
    assert refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission(1, 80)]) == expected
    assert refused(ec2.authorize_security_group_egress, GroupId=group, IpPermissions=[permission(60, 80)]) == expected
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[permission(59, 80)])


def test_network_acl_entries(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", EU)
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", "Egress": False}
    for number in range(1, 20):
        ec2.create_network_acl_entry(RuleNumber=number, **entry)
    last = refused(ec2.create_network_acl_entry, RuleNumber=20, **entry)
    assert last == "NetworkAclEntryLimitExceeded: The maximum number of network ACL entries has been reached."
    ec2.create_network_acl_entry(RuleNumber=20, **{**entry, "Egress": True})


def test_routes() -> None:
    with LocalAws(quotas={"vpc-routes-per-route-table": 2}) as aws:
        ec2 = aws.client("ec2", EU)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.1.0.0/16", GatewayId=gateway)
        third = refused(ec2.create_route, RouteTableId=table, DestinationCidrBlock="10.2.0.0/16", GatewayId=gateway)
        assert third == "RouteLimitExceeded: The maximum number of routes has been reached."


def test_listener_ports(local_aws: LocalAws) -> None:
    ec2, balancers = local_aws.client("ec2", EU), local_aws.client("elbv2", EU)
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=f"{EU}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    balancer = balancers.create_load_balancer(Name="b", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}

    def listen(port: int) -> str:
        given = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "DefaultActions": [answer]}
        arn: str = balancers.create_listener(Port=port, **given)["Listeners"][0]["ListenerArn"]
        return arn

    listen(80)
    other = listen(81)
    expected = "DuplicateListener: A listener already exists on this port for this load balancer"
    assert refused(listen, port=80).startswith("DuplicateListener: ")
    assert refused(balancers.modify_listener, ListenerArn=other, Port=80) == expected
    balancers.modify_listener(ListenerArn=other, Port=81)


# Roles.


def test_lambda_assumes_the_role(local_aws: LocalAws) -> None:
    role = make_role(local_aws, "not-lambda", "ec2.amazonaws.com")
    with pytest.raises(ClientError, match="The role defined for the function cannot be assumed by Lambda"):
        make_function(local_aws, "f", role)


def test_step_functions_assumes_the_role(local_aws: LocalAws) -> None:
    machines = local_aws.client("stepfunctions", EU)
    wrong, right = make_role(local_aws, "not-states"), make_role(local_aws, "states", f"states.{EU}.amazonaws.com")
    message = refused(machines.create_state_machine, name="m", definition="{}", roleArn=wrong)
    assert message.startswith("AccessDeniedException: Neither the global service principal states.amazonaws.com")
    machines.create_state_machine(name="m", definition="{}", roleArn=right)


def test_eventbridge_assumes_the_role(local_aws: LocalAws) -> None:
    events = local_aws.client("events", EU)
    events.put_rule(Name="r", ScheduleExpression="rate(1 minute)")
    wrong, right = make_role(local_aws, "not-events"), make_role(local_aws, "events", "events.amazonaws.com")
    target = {"Id": "t", "Arn": f"arn:aws:states:{EU}:{ACCOUNT}:stateMachine:m"}
    assert refused(events.put_targets, Rule="r", Targets=[{**target, "RoleArn": wrong}]) == (
        f"ValidationException: Provided role '{wrong}' cannot be assumed by principal 'events.amazonaws.com'."
    )
    events.put_targets(Rule="r", Targets=[{**target, "RoleArn": right}])


def test_scheduler_assumes_the_role(local_aws: LocalAws) -> None:
    schedules = local_aws.client("scheduler", EU)
    given = {"Name": "s", "ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    target = {"Arn": f"arn:aws:sqs:{EU}:{ACCOUNT}:q", "RoleArn": make_role(local_aws, "not-scheduler")}
    message = refused(schedules.create_schedule, Target=target, **given)
    assert message.startswith(
        "ValidationException: The execution role you provide must allow AWS EventBridge Scheduler"
    )


def test_rds_assumes_the_monitoring_role(local_aws: LocalAws) -> None:
    given = {"DBInstanceIdentifier": "d", "Engine": "mysql", "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}
    role = make_role(local_aws, "not-monitoring")
    message = refused(local_aws.client("rds", EU).create_db_instance, MonitoringRoleArn=role, **given)
    assert message.endswith("does not include the required permissions for: ENHANCED_MONITORING")


def test_flow_logs_assume_the_role(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", EU)
    role = make_role(local_aws, "not-flow-logs")
    given = {"ResourceIds": ["vpc-1"], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "g"}
    message = refused(ec2.create_flow_logs, DeliverLogsPermissionArn=role, **given)
    assert message == "InvalidParameter: Unable to assume given IAM role"


def test_api_gateway_assumes_the_logging_role(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)

    def use(role: str) -> None:
        apis.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])

    assert refused(use, role=make_role(local_aws, "not-apis")).startswith("BadRequestException: The role ARN does not")
    use(make_role(local_aws, "apis", "apigateway.amazonaws.com"))


# Functions.


def test_unreserved_concurrency(local_aws: LocalAws) -> None:
    role = make_role(local_aws, "reserving")
    functions = local_aws.client("lambda", EU)
    for name in ("first", "second"):
        make_function(local_aws, name, role)
    functions.put_function_concurrency(FunctionName="first", ReservedConcurrentExecutions=500)
    functions.put_function_concurrency(FunctionName="first", ReservedConcurrentExecutions=600)
    functions.put_function_concurrency(FunctionName="second", ReservedConcurrentExecutions=300)
    below = (
        "InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [{}]."
    )
    given = {"FunctionName": "second", "ReservedConcurrentExecutions": 301}
    assert refused(functions.put_function_concurrency, **given) == below.format(100)
    with LocalAws(quotas=NEW_ACCOUNT) as new:
        make_function(new, "f", make_role(new, "r"))
        given = {"FunctionName": "f", "ReservedConcurrentExecutions": 1}
        assert refused(new.client("lambda", EU).put_function_concurrency, **given) == below.format(10)


def test_execution_roles_of_functions(local_aws: LocalAws) -> None:
    role = make_role(local_aws, "lacking")
    dead = f"arn:aws:sqs:{EU}:{ACCOUNT}:dead"
    denied = "The provided execution role does not have permissions to call "
    with pytest.raises(ClientError, match=f"{denied}SendMessage on SQS"):
        make_function(local_aws, "lacking", role, DeadLetterConfig={"TargetArn": dead})
    make_function(local_aws, "lacking", role)
    functions = local_aws.client("lambda", EU)
    vpc = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    given = {"FunctionName": "lacking", "VpcConfig": vpc}
    assert refused(functions.update_function_configuration, **given).endswith(f"{denied}CreateNetworkInterface on EC2")
    allow(local_aws, "lacking", ("sqs:SendMessage",))
    functions.update_function_configuration(FunctionName="lacking", DeadLetterConfig={"TargetArn": dead})


def test_execution_roles_of_destinations(local_aws: LocalAws) -> None:
    make_function(local_aws, "sending", make_role(local_aws, "sending"))
    functions = local_aws.client("lambda", EU)
    config = {"OnFailure": {"Destination": f"arn:aws:sns:{EU}:{ACCOUNT}:t"}}
    given = {"FunctionName": "sending", "DestinationConfig": config}
    assert refused(functions.put_function_event_invoke_config, **given).endswith("permissions to call Publish on SNS")
    allow(local_aws, "sending", ("sns:Publish",))
    functions.put_function_event_invoke_config(**given)


def test_execution_roles_of_event_sources(local_aws: LocalAws) -> None:
    make_function(local_aws, "receiving", make_role(local_aws, "receiving"))
    url = local_aws.client("sqs", EU).create_queue(QueueName="received")["QueueUrl"]
    functions = local_aws.client("lambda", EU)
    given = {"FunctionName": "receiving", "EventSourceArn": f"arn:aws:sqs:{EU}:{ACCOUNT}:{url.rsplit('/')[-1]}"}
    assert refused(functions.create_event_source_mapping, **given).endswith("ReceiveMessage on SQS")
    allow(local_aws, "receiving", ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"))
    functions.create_event_source_mapping(**given)


# Caches.


@pytest.fixture(scope="module")
def caches(local_aws: LocalAws) -> Any:
    """ElastiCache with a user named default, one more, and one without a password."""
    client = local_aws.client("elasticache", EU)
    password = {"Type": "password", "Passwords": ["long-enough-for-redis"]}
    given = {"Engine": "valkey", "AccessString": "off"}
    for id_, name in (("d", "default"), ("d2", "default"), ("a", "app")):
        client.create_user(UserId=id_, UserName=name, AuthenticationMode=password, **given)
    client.create_user(UserId="n", UserName="none", AuthenticationMode={"Type": "no-password-required"}, **given)
    return client


def test_cache_users_return_the_authentication_of_the_api(caches: Any) -> None:
    types = {user["UserId"]: user["Authentication"]["Type"] for user in caches.describe_users()["Users"]}
    assert types == {"default": "no-password", "d": "password", "d2": "password", "a": "password", "n": "no-password"}


def test_members_of_user_groups(caches: Any) -> None:
    def make(*users: str, engine: str = "valkey") -> str:
        return refused(caches.create_user_group, UserGroupId="g", Engine=engine, UserIds=list(users))

    assert make("a") == "DefaultUserRequired: User group needs to contain a user with the user name default."
    assert make("d", "d2").startswith("DuplicateUserName: ")
    assert make("d", "gone") == "UserNotFound: User gone not found."
    assert make("d", "n").endswith("A Valkey user group cannot contain users without a password: n")
    caches.create_user_group(UserGroupId="redis", Engine="redis", UserIds=["d", "n"])
    caches.create_user_group(UserGroupId="g", Engine="valkey", UserIds=["d", "a"])
    change = {"UserGroupId": "g", "UserIdsToAdd": ["n"]}
    assert refused(caches.modify_user_group, **change).startswith("InvalidParameterValue: A Valkey user group")
    caches.delete_user(UserId="a")
    (group,) = caches.describe_user_groups(UserGroupId="g")["UserGroups"]
    assert group["UserIds"] == ["d"]
    late = refused(caches.modify_user_group, UserGroupId="g", UserIdsToRemove=["a"])
    assert late == "InvalidParameterValue: a is not a member of user group g."


def test_default_users_of_groups(caches: Any) -> None:
    caches.create_user_group(UserGroupId="kept", Engine="redis", UserIds=["d2"])
    assert refused(caches.delete_user, UserId="d2").startswith("DefaultUserAssociatedToUserGroup: ")
    caches.delete_user_group(UserGroupId="kept")
    caches.delete_user(UserId="d2")


def test_a_modified_cache_user_has_its_new_password_and_access(caches: Any) -> None:
    caches.modify_user(UserId="n", AuthenticationMode={"Type": "password", "Passwords": ["x" * 16, "y" * 16]})
    changed = caches.modify_user(UserId="n", AccessString="on ~* +@read")
    assert changed["Authentication"] == {"Type": "password", "PasswordCount": 2}
    assert changed["AccessString"] == "on ~* +@read"


def test_cluster_modes(caches: Any) -> None:
    given = {"Engine": "valkey", "CacheNodeType": "cache.t4g.micro", "ReplicationGroupDescription": "d"}
    caches.create_replication_group(ReplicationGroupId="r", NumCacheClusters=1, **given)

    def change(mode: str) -> None:
        caches.modify_replication_group(ReplicationGroupId="r", ClusterMode=mode)

    expected = "InvalidParameterCombination: Cluster mode cannot be changed from {} to {}."
    assert refused(change, mode="enabled") == expected.format("disabled", "enabled")
    change("compatible")
    change("enabled")
    assert refused(change, mode="disabled") == expected.format("enabled", "disabled")


# Names.


def test_permission_names(local_aws: LocalAws) -> None:
    make_function(local_aws, "named", make_role(local_aws, "named"))
    functions = local_aws.client("lambda", EU)
    version = functions.publish_version(FunctionName="named")["Version"]
    functions.create_alias(FunctionName="named", Name="live", FunctionVersion=version)
    given = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    functions.add_permission(FunctionName="named", **given)
    expected = "ResourceConflictException: The statement id (s) provided already exists."
    assert refused(functions.add_permission, FunctionName="named", **given) == expected
    functions.add_permission(FunctionName="named", Qualifier="live", **given)
    assert refused(functions.add_permission, FunctionName="named", Qualifier="live", **given) == expected


def test_function_urls(local_aws: LocalAws) -> None:
    make_function(local_aws, "address", make_role(local_aws, "address"))
    functions = local_aws.client("lambda", EU)
    made = functions.create_function_url_config(FunctionName="address", AuthType="AWS_IAM")
    assert made["InvokeMode"] == "BUFFERED"
    again = refused(functions.create_function_url_config, FunctionName="address", AuthType="AWS_IAM")
    assert again.startswith("ResourceConflictException: Failed to create function url config for ")


def test_api_paths_api_methods_and_authorizers(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)
    api = apis.create_rest_api(name="names")["id"]
    (root,) = apis.get_resources(restApiId=api)["items"]

    def twice(call: Callable[..., Any], **given: Any) -> str:
        call(restApiId=api, **given)
        return refused(call, restApiId=api, **given).removeprefix("ConflictException: ")

    path = {"parentId": root["id"], "pathPart": "p"}
    assert twice(apis.create_resource, **path) == "Another resource with the same parent already has this name: p"
    method = {"resourceId": root["id"], "httpMethod": "GET", "authorizationType": "NONE"}
    assert twice(apis.put_method, **method) == "Method already exists for this resource"
    authorizer = {"name": "n", "type": "TOKEN", "authorizerUri": "arn"}
    unique = "Authorizer name must be unique. Authorizer n already exists in this RestApi."
    assert twice(apis.create_authorizer, **authorizer) == unique


def test_domain_names(local_aws: LocalAws) -> None:
    apis = local_aws.client("apigateway", EU)
    given = {"domainName": "api.example.com", "regionalCertificateArn": "arn"}
    apis.create_domain_name(**given)
    assert (
        refused(apis.create_domain_name, **given) == "ConflictException: The domain name you provided already exists."
    )


def test_auto_scaling_groups(local_aws: LocalAws) -> None:
    scaling = local_aws.client("autoscaling", EU)
    scaling.create_launch_configuration(LaunchConfigurationName="l", ImageId="ami-1", InstanceType="t4g.micro")
    given = {"AutoScalingGroupName": "g", "LaunchConfigurationName": "l", "MinSize": 0, "MaxSize": 0}
    scaling.create_auto_scaling_group(AvailabilityZones=[f"{EU}a"], **given)
    again = refused(scaling.create_auto_scaling_group, AvailabilityZones=[f"{EU}a"], **given)
    assert again == "AlreadyExists: AutoScalingGroup by this name already exists - g"


def test_database_subnet_groups(local_aws: LocalAws) -> None:
    ec2, databases = local_aws.client("ec2", EU), local_aws.client("rds", EU)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    given = {"DBSubnetGroupName": "s", "DBSubnetGroupDescription": "d", "SubnetIds": [s["SubnetId"] for s in subnets]}
    databases.create_db_subnet_group(**given)
    again = refused(databases.create_db_subnet_group, **given)
    assert again == "DBSubnetGroupAlreadyExists: The DB subnet group 's' already exists."


def test_cache_parameter_groups(caches: Any) -> None:
    given = {"CacheParameterGroupName": "p", "CacheParameterGroupFamily": "valkey8", "Description": "d"}
    caches.create_cache_parameter_group(**given)
    again = refused(caches.create_cache_parameter_group, **given)
    assert again == "CacheParameterGroupAlreadyExists: Cache parameter group p already exists."


def test_cache_user_groups(caches: Any) -> None:
    given = {"UserGroupId": "twice", "Engine": "valkey", "UserIds": ["d"]}
    caches.create_user_group(**given)
    assert refused(caches.create_user_group, **given) == "UserGroupAlreadyExists: User Group twice already exists."


# Quotas.


def test_a_quota_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        LocalAwsError, match=r"^quotas=\['networks'\]: unknown names; expected acm-names-per-certificate, "
    ):
        LocalAws(quotas={"networks": 1})
