from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.testing.errors import LocalAwsError, UnavailableError
from constructs_lib.testing.local_aws import KNOWN_DIFFERENCES, Effect, LocalAws, process
from constructs_lib.testing.local_aws.differences import differences_for, not_applied, summary
from tests.testing.local_aws.execution_roles import make_role
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

EU, US = "eu-west-1", "us-east-1"
TABLE = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ROLE = "arn:aws:iam::123456789012:role/any"


# The process.


def test_it_listens_on_the_loopback_interface_alone(local_aws: LocalAws) -> None:
    assert local_aws.endpoint == f"http://127.0.0.1:{local_aws.port}"
    with socket.socket() as other:
        # Another address of this machine is still free.
        other.bind(("127.0.0.2", local_aws.port))


def test_a_port_that_is_taken_is_refused_and_named(local_aws: LocalAws) -> None:
    taken = rf"^port={local_aws.port}: 127\.0\.0\.1:{local_aws.port} is in use; choose another port, or omit it for any free port$"
    with pytest.raises(LocalAwsError, match=taken):
        LocalAws(port=local_aws.port)


def test_its_environment_keeps_the_callers_account_out_of_reach(local_aws: LocalAws) -> None:
    variables = local_aws.environment
    assert variables["AWS_ENDPOINT_URL"] == local_aws.endpoint
    assert {variables["AWS_CONFIG_FILE"], variables["AWS_SHARED_CREDENTIALS_FILE"]} == {os.devnull}
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"


def test_its_death_is_noticed_and_its_log_kept(descendants: Callable[[], list[str]]) -> None:
    aws = LocalAws()
    assert any("local_aws.server" in command for command in descendants())
    os.killpg(aws.pid, signal.SIGKILL)
    wait_for(lambda: aws._process.exit_code is not None and not descendants(), "the end of the server")
    with pytest.raises(LocalAwsError, match=r"^the local AWS ended unexpectedly with exit code -9:(.|\n)*\n"):
        aws.check()
    aws.stop()
    assert aws.log.is_file()
    shutil.rmtree(aws.log.parent)


def test_stopping_it_ends_its_processes_and_removes_its_log(descendants: Callable[[], list[str]]) -> None:
    with LocalAws() as aws:
        log = aws.log
        assert log.is_file()
    assert descendants() == []
    assert not log.exists()


def test_another_moto_than_the_one_that_is_patched_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOTO_VERSION", "9.9.9")
    with pytest.raises(
        UnavailableError,
        match=r"requires moto 9\.9\.9, and 5\.2\.5 is installed; install it with pip install 'constructs-lib\[",
    ):
        LocalAws()


# The table.


def test_every_fix_is_in_the_table_with_what_it_touches(local_aws: LocalAws) -> None:
    (line,) = [line for line in local_aws.log.read_text().splitlines() if line.startswith("fixes: ")]
    installed = line.removeprefix("fixes: ").split()
    listed = [row.fix for row in KNOWN_DIFFERENCES if row.effect is Effect.READS_BACK]
    assert list(dict.fromkeys(listed)) == installed


def test_types_that_moto_lacks_are_not_applied_and_only_few_differences_are_excused() -> None:
    lacking = ("cloudwatch_composite_alarm", "lambda_provisioned_concurrency_config")
    assert not_applied() == {f"aws_{type_}" for type_ in lacking}
    excused = {f"{row.type}.{row.attribute}" for row in KNOWN_DIFFERENCES if row.covers(row.type, row.attribute)}
    assert excused == {
        "aws_s3_bucket_intelligent_tiering_configuration.*",
        *(f"aws_vpc_peering_connection{end}.{tags}" for end in ("", "_accepter") for tags in ("tags", "tags_all")),
    }


def test_a_row_covers_what_is_below_its_attribute_and_nothing_beside_it() -> None:
    (row,) = [row for row in differences_for(frozenset({"aws_vpc_peering_connection"})) if row.attribute == "tags"]
    assert row.covers("aws_vpc_peering_connection", "tags.Owner")
    assert not row.covers("aws_vpc_peering_connection", "tags_all.Owner")
    assert not row.covers("aws_vpc", "tags.Owner")
    reason = "moto stores one set of tags per peering connection; AWS stores one per side"
    assert summary([row]) == [f"known difference on the second plan: aws_vpc_peering_connection.tags: {reason}"]


# The fixes, each as the AWS provider meets it.


def test_a_replica_key_has_its_own_alias_tags_and_policy_and_leaves_the_primary_alone(local_aws: LocalAws) -> None:
    primary, replica = local_aws.client("kms", EU), local_aws.client("kms", US)
    key = primary.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    tags = [{"TagKey": "Owner", "TagValue": "team"}]
    primary.replicate_key(KeyId=key, ReplicaRegion=US, Description="copy", Tags=tags, Policy=policy)
    for client in (primary, replica):
        client.create_alias(AliasName="alias/same", TargetKeyId=key)
    described = replica.describe_key(KeyId=key)["KeyMetadata"]
    assert described["Description"] == "copy"
    assert described["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    assert replica.list_resource_tags(KeyId=key)["Tags"] == tags
    assert replica.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == policy
    kept = primary.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
    assert (kept["MultiRegionKeyType"], kept["PrimaryKey"]["Region"]) == ("PRIMARY", EU)
    assert primary.list_resource_tags(KeyId=key)["Tags"] == []


def test_a_key_rotates_after_the_days_that_were_asked_for(local_aws: LocalAws) -> None:
    kms = local_aws.client("kms", EU)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 100


def test_a_secrets_replica_keeps_its_key(local_aws: LocalAws) -> None:
    secrets = local_aws.client("secretsmanager", EU)
    secrets.create_secret(Name="s", SecretString="x", AddReplicaRegions=[{"Region": US, "KmsKeyId": "alias/mine"}])
    (replica,) = secrets.describe_secret(SecretId="s")["ReplicationStatus"]
    assert replica["KmsKeyId"] == "alias/mine"


def test_a_queue_gives_its_redrive_policies_back(local_aws: LocalAws) -> None:
    sqs = local_aws.client("sqs", EU)
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    allow = json.dumps({"redrivePermission": "denyAll"})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": allow})
    redrive = f'{{"deadLetterTargetArn":"arn:aws:sqs:{EU}:123456789012:dead","maxReceiveCount":3}}'
    queue = sqs.create_queue(QueueName="queue", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    read = {url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in (dead, queue)}
    assert read[dead]["RedriveAllowPolicy"] == '{"redrivePermission":"denyAll"}'
    assert read[queue]["RedrivePolicy"] == redrive
    assert "RedriveAllowPolicy" not in read[queue]


def test_the_policy_of_an_api_comes_back_escaped(local_aws: LocalAws) -> None:
    policy = json.dumps({"Statement": []})
    api = local_aws.client("apigateway", EU).create_rest_api(name="api", policy=policy)
    assert api["policy"] == '{\\"Statement\\": []}'


def test_a_state_machine_is_checked_and_has_no_versions(local_aws: LocalAws) -> None:
    states = local_aws.client("stepfunctions", EU)
    assert states.validate_state_machine_definition(definition="{}")["result"] == "OK"
    arn = states.create_state_machine(name="m", definition="{}", roleArn=ROLE)["stateMachineArn"]
    assert states.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"] == []


def test_a_scalable_target_keeps_its_tags(local_aws: LocalAws) -> None:
    local_aws.client("dynamodb", EU).create_table(TableName="scaled", **TABLE)
    scaling = local_aws.client("application-autoscaling", EU)
    arn = scaling.register_scalable_target(
        ServiceNamespace="dynamodb",
        ResourceId="table/scaled",
        ScalableDimension="dynamodb:table:ReadCapacityUnits",
        MinCapacity=1,
        MaxCapacity=2,
        Tags={"a": "1", "b": "2"},
    )["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "3"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2", "c": "3"}


def test_a_network_acl_keeps_the_type_of_icmp(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", EU)
    vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"RuleNumber": 1, "Protocol": "1", "RuleAction": "allow", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    ec2.create_network_acl_entry(NetworkAclId=acl, IcmpTypeCode={"Type": 3, "Code": -1}, **entry)
    entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    assert [read["IcmpTypeCode"] for read in entries if read["RuleNumber"] == 1] == [{"Type": 3, "Code": -1}]


def test_a_launch_template_keeps_its_tags_from_its_instances(local_aws: LocalAws) -> None:
    ec2 = local_aws.client("ec2", EU)
    own, instance = (
        {"ResourceType": type_, "Tags": [{"Key": "Owner", "Value": "team"}]}
        for type_ in ("launch-template", "instance")
    )
    data = {"InstanceType": "t4g.micro", "TagSpecifications": [instance]}
    ec2.create_launch_template(LaunchTemplateName="template", TagSpecifications=[own], LaunchTemplateData=data)
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="template")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["TagSpecifications"] == [instance]


def test_a_scaling_policy_is_enabled_and_predicts_nothing(local_aws: LocalAws) -> None:
    scaling = local_aws.client("autoscaling", EU)
    scaling.create_launch_configuration(LaunchConfigurationName="l", ImageId="ami-1", InstanceType="t4g.micro")
    group = {"MinSize": 0, "MaxSize": 0, "AvailabilityZones": [f"{EU}a"]}
    scaling.create_auto_scaling_group(AutoScalingGroupName="g", LaunchConfigurationName="l", **group)
    scaling.put_scaling_policy(
        AutoScalingGroupName="g", PolicyName="p", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
    )
    (policy,) = scaling.describe_policies(AutoScalingGroupName="g")["ScalingPolicies"]
    assert policy["Enabled"] is True
    assert "PredictiveScalingConfiguration" not in policy


def test_a_zone_with_a_vpc_is_private_and_names_it(local_aws: LocalAws) -> None:
    vpc = local_aws.client("ec2", EU).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = local_aws.client("route53", EU)
    id_ = zones.create_hosted_zone(Name="in.test.", CallerReference="1", VPC={"VPCId": vpc, "VPCRegion": EU})
    zone = zones.get_hosted_zone(Id=id_["HostedZone"]["Id"])
    assert zone["VPCs"] == [{"VPCId": vpc, "VPCRegion": EU}]
    assert zone["HostedZone"]["Config"]["PrivateZone"] is True


def test_a_function_keeps_its_settings_and_knows_its_vpc(local_aws: LocalAws) -> None:
    make_role(local_aws, "any", actions=("ec2:CreateNetworkInterface", "sqs:SendMessage"))
    ec2 = local_aws.client("ec2", EU)
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"]
    functions = local_aws.client("lambda", EU)
    publisher = f"arn:aws:signer:{EU}:123456789012:/signing-profiles/p/v"
    signing = functions.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [publisher]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
        Tags={"Owner": "team"},
    )["CodeSigningConfig"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", "")
    functions.create_function(
        FunctionName="f",
        Role=ROLE,
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
        VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": ["sg-1"]},
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{EU}:123456789012:dead"},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/mine"},
        CodeSigningConfigArn=signing["CodeSigningConfigArn"],
    )
    functions.update_function_configuration(FunctionName="f", LoggingConfig={"LogFormat": "Text", "LogGroup": "/new"})
    read = functions.get_function_configuration(FunctionName="f")
    assert read["DeadLetterConfig"] == {"TargetArn": f"arn:aws:sqs:{EU}:123456789012:dead"}
    assert read["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/new"}
    assert read["VpcConfig"]["VpcId"] == vpc
    arn = signing["CodeSigningConfigArn"]
    assert functions.get_function_code_signing_config(FunctionName="f")["CodeSigningConfigArn"] == arn
    policies = functions.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]["CodeSigningPolicies"]
    assert policies == {"UntrustedArtifactOnDeployment": "Enforce"}
    assert functions.list_tags(Resource=arn)["Tags"] == {"Owner": "team"}
    functions.add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="123456789012"
    )
    (statement,) = json.loads(functions.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}


def test_a_cluster_keeps_its_insights_and_has_no_empty_scaling(local_aws: LocalAws) -> None:
    rds = local_aws.client("rds", EU)
    master = {"MasterUsername": "root", "MasterUserPassword": "long-enough"}
    insights = {"EnablePerformanceInsights": True, "PerformanceInsightsKMSKeyId": "alias/mine"}
    rds.create_db_cluster(DBClusterIdentifier="c", Engine="aurora-postgresql", **master, **insights)
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier="c")["DBClusters"]
    assert cluster["PerformanceInsightsEnabled"] is True
    assert cluster["PerformanceInsightsKMSKeyId"] == "alias/mine"
    assert cluster["PerformanceInsightsRetentionPeriod"] == 7
    assert "ScalingConfigurationInfo" not in cluster


def test_the_parameters_of_a_group_are_the_users(local_aws: LocalAws) -> None:
    rds = local_aws.client("rds", EU)
    rds.create_db_parameter_group(DBParameterGroupName="g", DBParameterGroupFamily="postgres17", Description="d")
    parameter = {"ParameterName": "log_statement", "ParameterValue": "ddl", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="g", Parameters=[parameter])
    assert rds.describe_db_parameters(DBParameterGroupName="g")["Parameters"] == [{**parameter, "Source": "user"}]


def test_an_engine_has_versions(local_aws: LocalAws) -> None:
    rds = local_aws.client("rds", EU)
    asked = {"Engine": "aurora-postgresql", "EngineVersion": "16.6"}
    (version,) = rds.describe_db_engine_versions(**asked)["DBEngineVersions"]
    assert version["DBParameterGroupFamily"] == "aurora-postgresql16"


def test_a_replica_of_a_table_is_a_table_of_its_region_until_it_is_deleted(local_aws: LocalAws) -> None:
    here, there = local_aws.client("dynamodb", EU), local_aws.client("dynamodb", US)
    encrypted = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:here"}
    here.create_table(TableName="global", SSESpecification=encrypted, **TABLE)
    create = {"Create": {"RegionName": US, "KMSMasterKeyId": "arn:there"}}
    here.update_table(TableName="global", ReplicaUpdates=[create])
    (replica,) = here.describe_table(TableName="global")["Table"]["Replicas"]
    assert replica == {"RegionName": US, "KMSMasterKeyId": "arn:there", "ReplicaStatus": "ACTIVE"}
    table = there.describe_table(TableName="global")["Table"]
    assert table["TableArn"] == f"arn:aws:dynamodb:{US}:123456789012:table/global"
    assert table["SSEDescription"]["KMSMasterKeyArn"] == "arn:there"
    assert [replica["RegionName"] for replica in table["Replicas"]] == [EU]
    here.put_item(TableName="global", Item={"id": {"S": "1"}})
    assert there.scan(TableName="global")["Count"] == 1
    here.update_table(TableName="global", ReplicaUpdates=[{"Delete": {"RegionName": US}}])
    assert there.list_tables()["TableNames"] == []


def test_members_of_a_replication_group_are_clusters_and_go_with_it(local_aws: LocalAws) -> None:
    cache = local_aws.client("elasticache", EU)
    cache.create_replication_group(
        ReplicationGroupId="rg",
        ReplicationGroupDescription="d",
        NumCacheClusters=2,
        CacheNodeType="cache.t4g.micro",
        EngineVersion="7.1",
        AtRestEncryptionEnabled=True,
        SecurityGroupIds=["sg-1"],
        PreferredMaintenanceWindow="mon:01:00-mon:02:00",
    )
    (group,) = cache.describe_replication_groups(ReplicationGroupId="rg")["ReplicationGroups"]
    assert group["MemberClusters"] == ["rg-001", "rg-002"]
    (member,) = cache.describe_cache_clusters(CacheClusterId="rg-002")["CacheClusters"]
    assert member["EngineVersion"] == "7.1.0"
    assert member["AtRestEncryptionEnabled"] is True
    assert member["SecurityGroups"] == [{"SecurityGroupId": "sg-1", "Status": "active"}]
    assert member["PreferredMaintenanceWindow"] == "mon:01:00-mon:02:00"
    cache.delete_replication_group(ReplicationGroupId="rg")
    assert cache.describe_cache_clusters()["CacheClusters"] == []
    assert cache.describe_replication_groups()["ReplicationGroups"] == []


def test_a_cache_cluster_has_a_full_version_and_is_gone_once_deleted(local_aws: LocalAws) -> None:
    cache = local_aws.client("elasticache", EU)
    node = {"CacheNodeType": "cache.t4g.micro", "NumCacheNodes": 1}
    cache.create_cache_cluster(CacheClusterId="c", Engine="memcached", **node)
    (cluster,) = cache.describe_cache_clusters(CacheClusterId="c")["CacheClusters"]
    assert (cluster["EngineVersion"], cluster["PreferredMaintenanceWindow"]) == ("1.6.22", "sun:05:00-sun:06:00")
    cache.delete_cache_cluster(CacheClusterId="c")
    with pytest.raises(cache.exceptions.CacheClusterNotFoundFault):
        cache.describe_cache_clusters(CacheClusterId="c")


def test_a_cache_subnet_group_can_be_deleted(local_aws: LocalAws) -> None:
    cache, ec2 = local_aws.client("elasticache", EU), local_aws.client("ec2", EU)
    (subnet, *_) = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
    cache.create_cache_subnet_group(CacheSubnetGroupName="s", CacheSubnetGroupDescription="d", SubnetIds=[subnet])
    cache.delete_cache_subnet_group(CacheSubnetGroupName="s")
    with pytest.raises(cache.exceptions.CacheSubnetGroupNotFoundFault):
        cache.describe_cache_subnet_groups(CacheSubnetGroupName="s")


def test_a_cache_parameter_group_keeps_its_parameters_and_tags(local_aws: LocalAws) -> None:
    cache = local_aws.client("elasticache", EU)
    tags = [{"Key": "Owner", "Value": "team"}]
    group = cache.create_cache_parameter_group(
        CacheParameterGroupName="p", CacheParameterGroupFamily="redis7", Description="d", Tags=tags
    )["CacheParameterGroup"]
    change = {"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}
    cache.modify_cache_parameter_group(CacheParameterGroupName="p", ParameterNameValues=[change])
    assert cache.describe_cache_parameters(CacheParameterGroupName="p")["Parameters"] == [{**change, "Source": "user"}]
    assert cache.list_tags_for_resource(ResourceName=group["ARN"])["TagList"] == tags
    cache.delete_cache_parameter_group(CacheParameterGroupName="p")
    with pytest.raises(cache.exceptions.CacheParameterGroupNotFoundFault):
        cache.describe_cache_parameter_groups(CacheParameterGroupName="p")


def test_a_bucket_gives_back_its_notification_to_eventbridge_and_its_replication_rules(local_aws: LocalAws) -> None:
    s3 = local_aws.client("s3", US)
    for bucket in ("from", "into"):
        s3.create_bucket(Bucket=f"bucket-{bucket}")
        s3.put_bucket_versioning(Bucket=f"bucket-{bucket}", VersioningConfiguration={"Status": "Enabled"})
    events: dict[str, Any] = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="bucket-from", NotificationConfiguration=events)
    assert s3.get_bucket_notification_configuration(Bucket="bucket-from")["EventBridgeConfiguration"] == {}
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="bucket-into")
    with pytest.raises(s3.exceptions.ClientError, match="ReplicationConfigurationNotFoundError"):
        s3.get_bucket_replication(Bucket="bucket-from")
    rule = {
        "ID": "all",
        "Priority": 1,
        "Status": "Enabled",
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Filter": {"Prefix": "logs/"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {"Bucket": "arn:aws:s3:::bucket-into"},
    }
    s3.put_bucket_replication(Bucket="bucket-from", ReplicationConfiguration={"Role": ROLE, "Rules": [rule]})
    assert s3.get_bucket_replication(Bucket="bucket-from")["ReplicationConfiguration"]["Rules"] == [rule]
