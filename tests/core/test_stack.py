from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib import (
    App,
    AwsProvider,
    ConfigurationError,
    Construct,
    Environment,
    HardenedStack,
    LogGroup,
    MultiRegionKey,
    PartialS3Backend,
    S3Backend,
    TerraformOutput,
    aws,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib.testing import SynthesizedStack


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(outdir=str(tmp_path / "cdktf.out"))


@pytest.fixture(scope="module")
def two_regions(synth_stack: Callable[..., SynthesizedStack]) -> SynthesizedStack:
    def fill(stack: HardenedStack) -> None:
        us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
        key = MultiRegionKey(stack, "key", region=us, replicas=[eu])
        LogGroup(stack, "audit-us-east-1", region=us, key=key)
        LogGroup(stack, "audit-eu-west-1", region=eu, key=key)

    return synth_stack(fill)


def test_each_region_has_its_own_provider_with_the_default_tags(two_regions: SynthesizedStack) -> None:
    tags = {
        "Environment": "dev",
        "ManagedBy": "terraform",
        "Owner": "team-shop",
        "Project": "shop",
        "Stack": "shop",
    }
    for alias, region in (("us_east_1", "us-east-1"), ("eu_west_1", "eu-west-1")):
        assert two_regions.provider(alias) == {"alias": alias, "region": region, "default_tags": [{"tags": tags}]}


def test_every_resource_has_the_provider_of_its_region(two_regions: SynthesizedStack) -> None:
    for block in two_regions.blocks:
        assert block["provider"] == f"aws.{block.address[-9:]}", block.address


def test_provider_versions_have_a_lower_and_an_upper_bound(two_regions: SynthesizedStack) -> None:
    assert two_regions.document["terraform"]["required_providers"] == {
        "archive": {"source": "hashicorp/archive", "version": ">= 2.4.0, < 3.0.0"},
        "aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"},
        "random": {"source": "hashicorp/random", "version": ">= 3.5.0, < 4.0.0"},
    }


def test_the_terraform_version_is_not_pinned_in_the_json(two_regions: SynthesizedStack) -> None:
    # checkov 3.3 crashes on it and then reports nothing at all.
    assert "required_version" not in two_regions.document["terraform"]


def test_the_account_id_is_read_once_per_region(two_regions: SynthesizedStack) -> None:
    assert [block.address for block in two_regions.resources("data.aws_caller_identity")] == [
        "data.aws_caller_identity.current_eu_west_1",
        "data.aws_caller_identity.current_us_east_1",
    ]


def test_state_is_local_by_default(two_regions: SynthesizedStack) -> None:
    assert two_regions.document["terraform"]["backend"] == {
        "local": {"path": "../../../terraform.shop-dev-shop.tfstate"}
    }


def test_outputs_are_flat_and_nested(two_regions: SynthesizedStack) -> None:
    arn = "${aws_kms_key.key_us_east_1.arn}"
    assert two_regions.outputs == {
        "key_arn_us_east_1": arn,
        "deployment_summary": {
            "environment": "dev",
            "project": "shop",
            "regions": {"us-east-1": {"key": {"arn": arn}}, "eu-west-1": {}},
        },
        "workspace": "${terraform.workspace}",
    }


@pytest.mark.parametrize("environment", list(Environment))
def test_a_workspace_of_another_environment_fails_the_plan(
    synth_stack: Callable[..., SynthesizedStack], environment: Environment
) -> None:
    stack = synth_stack(lambda stack: stack.region("eu-west-1"), environment)
    assert stack.document["output"]["workspace"] == {
        "value": "${terraform.workspace}",
        "description": "The Terraform workspace, which must agree with the environment",
        "precondition": {
            "condition": f'${{contains(["default", "{environment}"], terraform.workspace)}}',
            "error_message": f"The stack shop is synthesized for {environment}: use the workspace default or {environment}, "
            "or synthesize it for this workspace's environment.",
        },
    }


def test_allowed_account_ids_and_tags_apply_to_every_provider(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        stack = HardenedStack(
            app, "shop", environment="dev", owner="me", allowed_account_ids=["111122223333"], tags={"CostCenter": "7"}
        )
        stack.region("us-east-1")
        stack.region("eu-west-1")

    stack = synthesize(build)["shop"]
    for alias in ("us_east_1", "eu_west_1"):
        assert stack.provider(alias)["allowed_account_ids"] == ["111122223333"]
        assert stack.provider(alias)["default_tags"][0]["tags"]["CostCenter"] == "7"


def test_an_s3_backend_has_a_key_per_project_environment_and_stack(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        backend = S3Backend(bucket="state", region="eu-west-1")
        HardenedStack(app, "web", environment="prod", owner="me", project="shop", backend=backend)

    assert synthesize(build)["web"].document["terraform"]["backend"] == {
        "s3": {
            "bucket": "state",
            "encrypt": True,
            "key": "shop/prod/web/terraform.tfstate",
            "region": "eu-west-1",
            "use_lockfile": True,
        }
    }


def test_a_partial_backend_has_the_key_of_the_stack_and_no_bucket(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        HardenedStack(app, "web", environment="prod", owner="me", backend=PartialS3Backend())

    backend = synthesize(build)["web"].document["terraform"]["backend"]
    assert backend == {"s3": {"encrypt": True, "key": "web/prod/web/terraform.tfstate", "use_lockfile": True}}


def test_a_reference_between_stacks_reads_the_state_of_the_other(
    synthesize: Callable[..., dict[str, SynthesizedStack]],
) -> None:
    def build(app: App) -> None:
        one = HardenedStack(app, "one", environment="dev", owner="me", project="shop")
        key = MultiRegionKey(one, "key", region=one.region("eu-west-1"))
        two = HardenedStack(app, "two", environment="dev", owner="me", project="shop")
        LogGroup(two, "audit", region=two.region("eu-west-1"), key=key)

    stack = synthesize(build)["two"]
    group = stack.resource("aws_cloudwatch_log_group")
    assert group["kms_key_id"].startswith("${data.terraform_remote_state.cross_stack_reference_input_one.outputs.")
    state = stack.resource("data.terraform_remote_state")
    assert state["config"]["path"] == "../../../terraform.shop-dev-one.tfstate"


def test_a_region_accepts_an_existing_provider(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        provider = AwsProvider(stack, "own", alias="own", region="eu-west-1", profile="partner")
        region = stack.region("eu-west-1", provider=provider)
        assert stack.region("eu-west-1") is region
        MultiRegionKey(stack, "key", region=region)

    stack = synth_stack(fill)
    assert stack.document["provider"]["aws"] == [{"alias": "own", "region": "eu-west-1", "profile": "partner"}]
    assert stack.resource("aws_kms_key")["provider"] == "aws.own"


def test_raw_resources_are_named_from_their_path_without_a_hash(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        provider = stack.region("eu-west-1").provider
        cell = Construct(stack, "cell")
        aws.sqs_queue.SqsQueue(cell, "orderQueue", provider=provider)
        TerraformOutput(stack, "answer", value=42)

    stack = synth_stack(fill)
    assert stack.addresses == ["aws_sqs_queue.cell_order_queue"]
    assert stack.outputs["answer"] == 42


def test_constructs_nest_in_plain_constructs(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        cell = Construct(stack, "cell-eu-west-1")
        MultiRegionKey(cell, "key", region=stack.region("eu-west-1"))

    stack = synth_stack(fill)
    assert "aws_kms_key.cell_key_eu_west_1" in stack.addresses
    assert stack.resource("aws_kms_alias")["name"] == "alias/shop-dev-cell-key"


def test_two_runs_synthesize_the_same_bytes(synth_stack: Callable[..., SynthesizedStack]) -> None:
    def fill(stack: HardenedStack) -> None:
        us, eu = stack.region("us-east-1"), stack.region("eu-west-1")
        MultiRegionKey(stack, "key", region=us, replicas=[eu])

    assert synth_stack(fill).text == synth_stack(fill).text


def test_a_second_synth_changes_nothing(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stack = HardenedStack(app, "shop", environment="dev", owner="me")
    MultiRegionKey(stack, "key", region=stack.region("eu-west-1"))
    app.synth()
    first = (tmp_path / "stacks/shop/cdk.tf.json").read_text(encoding="utf-8")
    app.synth()
    assert (tmp_path / "stacks/shop/cdk.tf.json").read_text(encoding="utf-8") == first


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as error:
        call()
    return str(error.value)


def test_an_unknown_environment_is_refused(app: App) -> None:
    assert refusal(lambda: HardenedStack(app, "shop", environment="production", owner="me")) == (
        "shop: environment='production': must be one of dev, staging, prod"
    )


def test_a_stack_id_that_cannot_be_a_name_is_refused(app: App) -> None:
    assert refusal(lambda: HardenedStack(app, "My Shop", environment="dev", owner="me")) == (
        "My Shop: id_='My Shop': must be lower-case letters, digits and single hyphens, starting with a letter, because it "
        "becomes part of every AWS name"
    )


def test_a_second_stack_of_the_same_id_is_refused(app: App) -> None:
    HardenedStack(app, "shop", environment="dev", owner="me")
    assert refusal(lambda: HardenedStack(app, "shop", environment="dev", owner="me")) == (
        "shop: id_='shop': already used in this scope; choose another id"
    )


def test_a_stack_without_an_owner_is_refused(app: App) -> None:
    assert refusal(lambda: HardenedStack(app, "shop", environment="dev", owner="")) == (
        "shop: tags=['Environment', 'ManagedBy', 'Owner', 'Project', 'Stack']: the tag 'Owner' is required and must not be "
        "empty"
    )


def test_tags_that_the_stack_sets_are_refused(app: App) -> None:
    assert refusal(lambda: HardenedStack(app, "shop", environment="dev", owner="me", tags={"Environment": "prod"})) == (
        "shop: tags['Environment']='prod': is set by the stack; leave it out"
    )


def test_an_invalid_account_id_is_refused(app: App) -> None:
    assert refusal(lambda: HardenedStack(app, "shop", environment="dev", owner="me", allowed_account_ids=["1234"])) == (
        "shop: allowed_account_ids='1234': expected an account id, a string of 12 digits"
    )


def test_allowed_account_ids_must_be_a_list(app: App) -> None:
    text = "111122223333"
    assert refusal(lambda: HardenedStack(app, "shop", environment="dev", owner="me", allowed_account_ids=text)) == (
        "shop: allowed_account_ids='111122223333': expected a list of account ids"
    )


def test_an_unknown_region_is_refused(stack: HardenedStack) -> None:
    assert refusal(lambda: stack.region("eu-west-9")).startswith("shop: region='eu-west-9': is no AWS region known on ")


def test_a_later_call_without_a_limit_returns_the_same_region(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1", concurrency_limit=2000)
    assert stack.region("eu-west-1") is region
    assert region.concurrency.limit == 2000


def test_a_second_concurrency_limit_for_a_region_is_refused(stack: HardenedStack) -> None:
    stack.region("eu-west-1")
    assert refusal(lambda: stack.region("eu-west-1", concurrency_limit=2000)) == (
        "shop: region='eu-west-1': already exists with another provider or concurrency_limit; pass both in the first call"
    )


def test_a_duplicate_construct_name_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    MultiRegionKey(stack, "key", region=region)
    assert refusal(lambda: MultiRegionKey(stack, "key", region=region)) == (
        "shop/key: id_='key': already used in this scope; choose another id"
    )


def test_two_ids_with_the_same_terraform_name_are_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    MultiRegionKey(stack, "data-key", region=region)
    assert refusal(lambda: MultiRegionKey(stack, "data_key", region=region)) == (
        "shop/data_key: id_='data_key': results in the Terraform name 'data_key_eu_west_1', which shop/data-key has; "
        "choose another id"
    )


def test_the_name_of_a_region_instead_of_a_region_is_refused(stack: HardenedStack) -> None:
    assert refusal(lambda: MultiRegionKey(stack, "key", region="eu-west-1")) == (  # type: ignore[arg-type]
        "key: region='eu-west-1': expected a Region; pass stack.region('eu-west-1') instead of a name"
    )


def test_a_region_of_another_stack_is_refused(app: App) -> None:
    one = HardenedStack(app, "one", environment="dev", owner="me")
    two = HardenedStack(app, "two", environment="dev", owner="me")
    assert refusal(lambda: MultiRegionKey(two, "key", region=one.region("eu-west-1"))) == (
        "two/key: region='eu-west-1': is in another stack, one, than the scope"
    )


@pytest.mark.parametrize("id_", ["", "a/b", "${aws_vpc.x.id}"])
def test_ids_that_are_not_valid_in_addresses_are_refused(stack: HardenedStack, id_: str) -> None:
    assert refusal(lambda: MultiRegionKey(stack, id_, region=stack.region("eu-west-1"))) == (
        f"shop/{id_}: id_={id_!r}: expected a plain string without '/', since Terraform addresses are made of it"
    )


def test_the_lock_file_beside_cdktf_json_is_copied_into_the_folder_of_every_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = App(outdir=str(tmp_path / "cdktf.out"))
    for name in ("shop", "billing"):
        HardenedStack(app, name, environment="dev", owner="me")
    app.synth()
    copies = [tmp_path / f"cdktf.out/stacks/{name}/.terraform.lock.hcl" for name in ("shop", "billing")]
    assert [copy.exists() for copy in copies] == [False, False]
    Path(".terraform.lock.hcl").write_text("# locked\n", encoding="utf-8")
    app.synth()
    assert [copy.read_text(encoding="utf-8") for copy in copies] == ["# locked\n"] * 2
