"""The lessons of the platform post-mortem: each mistake refused with its message, each right way passed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    AuroraProvisioned,
    ConfigurationError,
    FunctionUrl,
    GeneratedPassword,
    HardenedStack,
    InlineSource,
    Instance,
    MultiRegionKey,
    PaymentLambda,
    RegionalVpc,
    backend_from_environment,
)
from stacks.platform import PlatformStack
from stacks.state_backend import StateBackendStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

HANDLER = "def handler(event, context):\n    return {'statusCode': 200}\n"


def make_stack(folder: Path, environment: str = "dev") -> HardenedStack:
    return HardenedStack(App(outdir=str(folder)), "shop", environment=environment, owner="me")


def add_database(stack: HardenedStack, **changes: Any) -> AuroraProvisioned:
    region = stack.region("eu-west-1")
    key = MultiRegionKey(stack, "key", region=region)
    vpc = RegionalVpc(stack, "vpc", region=region, cidr="10.0.0.0/16", key=key)
    return AuroraProvisioned(stack, "db", region=region, vpc=vpc, key=key, **changes)


def add_url(stack: HardenedStack, **changes: Any) -> PaymentLambda:
    region = stack.region("eu-west-1")
    return PaymentLambda(
        stack,
        "fn",
        region=region,
        source=InlineSource(HANDLER),
        handler="index.handler",
        key=MultiRegionKey(stack, "key", region=region),
        reserved_concurrency=1,
        function_url=FunctionUrl(**changes),
    )


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


@pytest.fixture(scope="module")
def platform_in(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> Callable[[str], SynthesizedStack]:
    made: dict[str, SynthesizedStack] = {}

    def get(environment: str) -> SynthesizedStack:
        if environment not in made:
            made[environment] = synthesize(lambda app: PlatformStack(app, "platform", environment=environment))[
                "platform"
            ]
        return made[environment]

    return get


@pytest.fixture(params=["dev", "staging", "prod"])
def platform(request: pytest.FixtureRequest, platform_in: Callable[[str], SynthesizedStack]) -> SynthesizedStack:
    return platform_in(request.param)


# PLAT-1: serverless scaling and fixed classes together


@pytest.mark.parametrize(
    ("instance_class", "nearest"),
    [("db.t3.micro", "db.t4g.medium"), ("db.t3.small", "db.t4g.medium"), ("db.m5.large", "db.r7g.large")],
)
def test_plat_1_the_classes_of_the_post_mortem_are_refused_with_the_nearest_one(
    tmp_path: Path, instance_class: str, nearest: str
) -> None:
    instances = {"writer": Instance(instance_class)}
    assert refusal(lambda: add_database(make_stack(tmp_path), instances=instances)) == (
        f"shop/db: instances['writer'].instance_class={instance_class!r}: is not supported for aurora-postgresql; "
        f"the nearest class is {nearest!r}"
    )


def test_plat_1_no_argument_makes_a_cluster_serverless(tmp_path: Path) -> None:
    assert "serverless" not in " ".join(AuroraProvisioned.__init__.__annotations__)
    instances = {"writer": Instance("db.serverless")}
    assert refusal(lambda: add_database(make_stack(tmp_path), instances=instances)) == (
        "shop/db: instances['writer'].instance_class='db.serverless': is serverless, which a provisioned cluster "
        "cannot have; the nearest class is 'db.r7g.large'"
    )


def test_plat_1_an_override_that_makes_it_serverless_fails_synth(tmp_path: Path) -> None:
    stack = make_stack(tmp_path)
    add_database(stack).resource.add_override("serverlessv2_scaling_configuration", {"max_capacity": 1})
    with pytest.raises(RuntimeError, match="serverlessv2_scaling_configuration makes the cluster serverless"):
        App.of(stack).synth()


# PLAT-2, PLAT-11: a backend in the code, and undocumented choices


def test_plat_2_no_stack_names_a_bucket_and_variables_choose_one(
    platform: SynthesizedStack, synthesize: Callable[..., dict[str, SynthesizedStack]]
) -> None:
    environment = platform.outputs["deployment_summary"]["environment"]
    assert platform.document["terraform"]["backend"] == {
        "local": {"path": f"../../../terraform.platform-{environment}-platform.tfstate"}
    }
    chosen = backend_from_environment({"TERRAFORM_STATE_BUCKET": "acme-state", "TERRAFORM_STATE_REGION": "eu-west-1"})
    stack = synthesize(lambda app: PlatformStack(app, "platform", environment=environment, backend=chosen))["platform"]
    assert stack.document["terraform"]["backend"] == {
        "s3": {
            "bucket": "acme-state",
            "encrypt": True,
            "key": f"platform/{environment}/platform/terraform.tfstate",
            "region": "eu-west-1",
            "use_lockfile": True,
        }
    }


def test_plat_2_the_rest_of_a_partial_backend_is_left_to_a_file(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    partial = backend_from_environment({"TERRAFORM_STATE_PARTIAL": "1"})
    stack = synthesize(lambda app: PlatformStack(app, "platform", environment="dev", backend=partial))["platform"]
    backend = stack.document["terraform"]["backend"]["s3"]
    assert "bucket" not in backend
    assert "region" not in backend


def test_plat_11_half_a_choice_names_the_variables() -> None:
    assert refusal(lambda: backend_from_environment({"TERRAFORM_STATE_BUCKET": "acme-state"})) == (
        "backend: TERRAFORM_STATE_BUCKET set without TERRAFORM_STATE_REGION: set TERRAFORM_STATE_BUCKET and "
        "TERRAFORM_STATE_REGION for state in S3, TERRAFORM_STATE_PARTIAL=1 for terraform init -backend-config=FILE, or "
        "none of them for local state"
    )


# PLAT-3, PLAT-7: a package that nobody built, a script that needs zip


def test_plat_3_the_package_is_made_in_the_same_plan(platform: SynthesizedStack) -> None:
    function = platform.resource("aws_lambda_function")
    archive = "data.archive_file.status_package_us_east_1"
    assert function["filename"] == f"${{{archive}.output_path}}"
    assert function["source_code_hash"] == f"${{{archive}.output_base64sha256}}"
    assert platform.at(archive)["type"] == "zip"


def test_plat_7_nothing_runs_a_program_of_the_machine(platform: SynthesizedStack) -> None:
    text = json.dumps(platform.document)
    for word in ("local-exec", "null_resource", "data.external", "terraform_data"):
        assert word not in text


# PLAT-4: what synth writes is stable


def test_plat_4_the_same_input_gives_the_same_bytes(
    platform: SynthesizedStack, synthesize: Callable[..., dict[str, SynthesizedStack]]
) -> None:
    environment = platform.outputs["deployment_summary"]["environment"]
    again = synthesize(lambda app: PlatformStack(app, "platform", environment=environment))["platform"]
    assert (again.directory / "cdk.tf.json").read_bytes() == (platform.directory / "cdk.tf.json").read_bytes()


# PLAT-5, PLAT-6: what dev pays for


@pytest.mark.parametrize(("environment", "gateways", "instances"), [("dev", 1, 1), ("staging", 1, 2), ("prod", 3, 2)])
def test_plat_5_and_6_the_environment_decides_gateways_and_instances(
    platform_in: Callable[[str], SynthesizedStack], environment: str, gateways: int, instances: int
) -> None:
    stack = platform_in(environment)
    assert len(stack.resources("aws_nat_gateway")) == gateways
    assert len(stack.resources("aws_rds_cluster_instance")) == instances


def test_plat_6_one_instance_is_too_few_for_production(tmp_path: Path) -> None:
    instances = {"writer": Instance("db.r7g.large")}
    message = refusal(lambda: add_database(make_stack(tmp_path, "prod"), instances=instances))
    assert message == "shop/db: instances=['writer']: must have at least 2 in prod"


# PLAT-8: a bucket and a table made by hand


def test_plat_8_a_stack_makes_what_keeps_the_state(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    stack = synthesize(lambda app: StateBackendStack(app, "state-backend", environment="prod"))["state-backend"]
    assert stack.at("aws_s3_bucket_versioning.state_bucket_versioning_eu_west_1")["versioning_configuration"] == {
        "status": "Enabled"
    }
    config = stack.outputs["state_backend_config_eu_west_1"]
    for line in ("bucket ", "region ", "encrypt ", "kms_key_id ", "use_lockfile "):
        assert re.search(rf"^{line}+= ", config, re.MULTILINE), line


# PLAT-9: a role that may write to every log group


def test_plat_9_the_flow_log_role_writes_to_its_own_group(platform: SynthesizedStack) -> None:
    document = platform.at("data.aws_iam_policy_document.vpc_flow_log_role_policy_document_us_east_1")
    for statement in document["statement"]:
        if "*" in statement["resources"]:
            assert all(re.match(r"logs:Describe", action) for action in statement["actions"]), statement
        else:
            assert all("aws_cloudwatch_log_group.vpc_flow_log" in one for one in statement["resources"]), statement


# PLAT-10: a URL that anybody may call from anywhere


def test_plat_10_no_function_has_a_url_unless_it_is_asked_for(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        stack = HardenedStack(app, "shop", environment="dev", owner="me")
        region = stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=region)
        source = InlineSource(HANDLER)
        PaymentLambda(
            stack, "fn", region=region, source=source, handler="index.handler", key=key, reserved_concurrency=1
        )

    assert synthesize(build)["shop"].find("aws_lambda_function_url") == []


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_plat_10_an_unsigned_url_is_refused_outside_dev(tmp_path: Path, environment: str) -> None:
    stack = make_stack(tmp_path, environment)
    assert refusal(lambda: add_url(stack, authorization="NONE", reason="a public page for a demonstration")) == (
        "shop/fn: function_url.authorization='NONE': public URLs are allowed in dev only; expected AWS_IAM"
    )


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_plat_10_pages_of_every_origin_are_refused_outside_dev(tmp_path: Path, environment: str) -> None:
    message = refusal(lambda: add_url(make_stack(tmp_path, environment), origins=("*",)))
    assert message.startswith("shop/fn: function_url.origins='*': ")


def test_plat_10_named_origins_pass_in_production(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        add_url(HardenedStack(app, "shop", environment="prod", owner="me"), origins=("https://shop.example.com",))

    url = synthesize(build)["shop"].resource("aws_lambda_function_url")
    assert (url["authorization_type"], url["cors"]["allow_origins"]) == ("AWS_IAM", ["https://shop.example.com"])


# PLAT-12: workspace and environment


def test_plat_12_a_plan_in_another_workspace_fails(platform: SynthesizedStack) -> None:
    environment = platform.outputs["deployment_summary"]["environment"]
    assert platform.document["output"]["workspace"]["precondition"] == {
        "condition": f'${{contains(["default", "{environment}"], terraform.workspace)}}',
        "error_message": f"The stack platform is synthesized for {environment}: use the workspace default or "
        f"{environment}, or synthesize it for this workspace's environment.",
    }


# PLAT-13: a password with characters that break connection strings


def test_plat_13_rds_makes_and_keeps_the_password(platform: SynthesizedStack) -> None:
    cluster = platform.resource("aws_rds_cluster")
    assert cluster["manage_master_user_password"] is True
    assert cluster["master_user_secret_kms_key_id"] == "${aws_kms_key.key_us_east_1.arn}"
    assert "master_password" not in cluster


def test_plat_13_a_generated_one_has_only_characters_that_need_no_escape(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        add_database(HardenedStack(app, "shop", environment="dev", owner="me"), password=GeneratedPassword())

    password = synthesize(build)["shop"].resource("random_password")
    assert {key: value for key, value in password.config.items() if key != "provider"} == {
        "keepers": {"generation": "1"},
        "length": 32,
        "min_lower": 2,
        "min_numeric": 2,
        "min_special": 2,
        "min_upper": 2,
        "override_special": "_.",
        "special": True,
    }


def test_plat_13_a_password_itself_is_never_taken(tmp_path: Path) -> None:
    assert refusal(lambda: add_database(make_stack(tmp_path), password="p@ss/word")) == (
        "shop/db: password='...': must be GeneratedPassword(); passwords themselves are not accepted"
    )
