from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    ConfigurationError,
    HardenedStack,
    InlineSource,
    LambdaLayer,
    MultiRegionKey,
    PaymentLambda,
    Unreserved,
)
from constructs_lib.foundation.function_source import FunctionSource, read_source
from tests.constructs.other_stacks import read_from_another_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack
    from tests.constructs.other_stacks import Synthesize

LAYER = "${aws_lambda_layer_version.common_eu_west_1.arn}"
PYTHON = {"python/common/__init__.py": "", "python/common/retries.py": "RETRIES = 3\n"}


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def make(
    stack: HardenedStack, source: Path, id_: str = "common", region: str = "eu-west-1", **arguments: Any
) -> LambdaLayer:
    return LambdaLayer(stack, id_, region=stack.region(region), source=source, **arguments)


def make_function(stack: HardenedStack, layers: list[LambdaLayer | str], **arguments: Any) -> PaymentLambda:
    region = stack.region("eu-west-1")
    return PaymentLambda(
        stack,
        "pay-fn",
        region=region,
        source=InlineSource("def handler(event, context):\n    return {}\n"),
        handler="index.handler",
        key=MultiRegionKey(stack, "key", region=region),
        reserved_concurrency=Unreserved("the function is not invoked"),
        layers=layers,
        **arguments,
    )


def refused(make_it: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as error:
        make_it()
    return error.value.problems


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("layer"), PYTHON | {"etc/settings.json": "{}", "bin/tool.py": ""})


@pytest.fixture(scope="module")
def synthesized(synth_stack: Callable[..., SynthesizedStack], source: Path) -> SynthesizedStack:
    def build(stack: HardenedStack) -> None:
        layer = make(
            stack,
            source,
            description="Shared by all",
            license="MIT",
            organization="o-a1b2c3d4e5",
        )
        make_function(stack, [layer, "arn:aws:lambda:eu-west-1:123456789012:layer:tools:3"])

    return synth_stack(build)


def test_the_layer_version_uses_the_archive_of_the_same_plan(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_lambda_layer_version").assert_config(
        {
            "compatible_architectures": ["arm64"],
            "compatible_runtimes": ["python3.13"],
            "description": "Shared by all",
            "filename": "${data.archive_file.common_package_eu_west_1.output_path}",
            "layer_name": "shop-dev-common-eu-west-1",
            "license_info": "MIT",
            "lifecycle": {"create_before_destroy": True},
            "skip_destroy": False,
            "source_code_hash": "${data.archive_file.common_package_eu_west_1.output_base64sha256}",
        }
    )


def test_the_archive_contains_exactly_the_checked_files(synthesized: SynthesizedStack, source: Path) -> None:
    package = synthesized.resource("data.archive_file", "*/common/package")
    folder = package["source_dir"].removeprefix("${path.module}/")
    package.assert_config(
        {
            "output_file_mode": "0644",
            "output_path": "${path.module}/assets/common_eu_west_1.zip",
            "source_dir": f"${{path.module}}/{folder}",
            "type": "zip",
        }
    )
    packed = synthesized.directory / folder
    names = sorted(file.relative_to(packed).as_posix() for file in packed.rglob("*") if file.is_file())
    assert names == ["bin/tool.py", "etc/settings.json", "python/common/__init__.py", "python/common/retries.py"]
    assert str(source) not in synthesized.text


def test_a_function_accepts_layers_and_arns_of_layer_versions(synthesized: SynthesizedStack) -> None:
    layers = synthesized.resource("aws_lambda_function")["layers"]
    assert layers == [LAYER, "arn:aws:lambda:eu-west-1:123456789012:layer:tools:3"]


def test_another_account_may_get_the_layer_version_only(
    synth_stack: Callable[..., SynthesizedStack], source: Path
) -> None:
    stack = synth_stack(lambda s: make(s, source, account="210987654321"))
    stack.resource("aws_lambda_layer_version_permission").assert_config(
        {
            "action": "lambda:GetLayerVersion",
            "layer_name": "${aws_lambda_layer_version.common_eu_west_1.layer_arn}",
            "principal": "210987654321",
            "skip_destroy": False,
            "statement_id": "account",
            "version_number": "${aws_lambda_layer_version.common_eu_west_1.version}",
        }
    )


def test_a_permission_for_all_principals_is_restricted_to_the_organization(synthesized: SynthesizedStack) -> None:
    synthesized.resource("aws_lambda_layer_version_permission", "*/allow-organization").assert_config(
        {
            "action": "lambda:GetLayerVersion",
            "layer_name": "${aws_lambda_layer_version.common_eu_west_1.layer_arn}",
            "organization_id": "o-a1b2c3d4e5",
            "principal": "*",
            "skip_destroy": False,
            "statement_id": "organization",
            "version_number": "${aws_lambda_layer_version.common_eu_west_1.version}",
        }
    )


def test_the_output_is_the_arn_of_the_layer_version(synthesized: SynthesizedStack) -> None:
    assert synthesized.outputs["common_arn_eu_west_1"] == LAYER


def test_a_layer_is_private_by_default(synth_stack: Callable[..., SynthesizedStack], source: Path) -> None:
    stack = synth_stack(lambda s: make(s, source))
    assert stack.find("aws_lambda_layer_version_permission") == []


def test_an_account_may_be_a_reference(synth_stack: Callable[..., SynthesizedStack], source: Path) -> None:
    stack = synth_stack(lambda s: make(s, source, account="${var.partner}"))
    assert stack.resource("aws_lambda_layer_version_permission")["principal"] == "${var.partner}"


def test_keep_versions_keeps_versions_and_their_permissions(
    synth_stack: Callable[..., SynthesizedStack], source: Path
) -> None:
    stack = synth_stack(lambda s: make(s, source, keep_versions=True, account="210987654321"))
    assert stack.resource("aws_lambda_layer_version")["skip_destroy"] is True
    assert stack.resource("aws_lambda_layer_version_permission")["skip_destroy"] is True


def test_the_arn_works_in_other_stacks(synthesize: Synthesize, source: Path) -> None:
    assert read_from_another_stack(synthesize, lambda stack: {"arn": make(stack, source).arn}) == {"arn": LAYER}


def test_arn_in_is_the_deprecated_name_of_arn(stack: HardenedStack, source: Path) -> None:
    layer = make(stack, source)
    with pytest.deprecated_call(match=r"^LambdaLayer\.arn_in is deprecated .* use arn$"):
        assert layer.arn_in(stack) == LAYER


LAYOUT = (
    "has no files in python/ or python/lib/python3.13/site-packages/, from where python3.13 loads modules; move the modules "
    "there"
)
NODE_LAYOUT = (
    "has no files in nodejs/node_modules/ or nodejs/node22/node_modules/, from where nodejs22.x loads modules; move the "
    "modules there"
)


@pytest.mark.filterwarnings("ignore:.*nodejs22.x.*support ends on")
@pytest.mark.parametrize(
    ("files", "runtimes", "problems"),
    [
        (
            {"common.py": ""},
            ["python3.13"],
            [
                LAYOUT,
                "common.py: is outside of python/, where it cannot be imported; move it to python/common.py",
            ],
        ),
        (
            {**PYTHON, "src/a.py": "", "src/b.py": "", "z.py": ""},
            ["python3.13"],
            [
                (
                    "src/a.py: is outside of python/, where it cannot be imported; move it to python/src/a.py; 2 more "
                    "modules are outside of it"
                )
            ],
        ),
        ({"readme.txt": "x"}, ["python3.13"], [LAYOUT]),
        (
            {"python/lib/python3.12/site-packages/a.py": ""},
            ["python3.13"],
            [
                LAYOUT,
                (
                    "python/lib/python3.12/site-packages/a.py: is in a folder that python3.13 does not load modules from; "
                    "move it to python/ or python/lib/python3.13/site-packages/"
                ),
            ],
        ),
        ({"nodejs/common.js": ""}, ["nodejs22.x"], [NODE_LAYOUT]),
        (
            {"nodejs/node_modules/a/index.js": "", "nodejs/node20/node_modules/b.js": ""},
            ["nodejs22.x"],
            [
                (
                    "nodejs/node20/node_modules/b.js: is in a folder that nodejs22.x does not load modules from; move it to "
                    "nodejs/node_modules/ or nodejs/node22/node_modules/"
                )
            ],
        ),
        (
            {"nodejs/node_modules/a.js": "", "b.mjs": ""},
            ["nodejs22.x"],
            ["b.mjs: is outside of nodejs/, where it cannot be imported; move it to nodejs/node_modules/b.mjs"],
        ),
        ({"python/a.py": "def"}, ["python3.13"], ["python/a.py:1:4: not valid Python 3.11: invalid syntax"]),
        (
            {"python/a.py": b"\xff\xfex\x00"},
            ["python3.12"],
            [
                (
                    "python/a.py: byte 0 is the start of a UTF-16 LE byte-order mark (ff fe); save the file as UTF-8 without a "
                    "byte-order mark"
                )
            ],
        ),
        (
            {"python/a.zip": b"PK\x03\x04"},
            ["python3.13"],
            ["python/a.zip: is a zip archive; give the files instead, which archive_file packages"],
        ),
    ],
)
def test_a_folder_that_runtimes_cannot_load_modules_from_is_refused(
    stack: HardenedStack, tmp_path: Path, files: dict[str, Any], runtimes: list[str], problems: list[str]
) -> None:
    folder = write(tmp_path, files)
    found = refused(lambda: make(stack, folder, runtimes=runtimes))
    plain = tuple(problem.replace(" (checked with Python 3.11, which runs the synth)", "") for problem in found)
    assert [
        problem.removeprefix(f"source={str(folder)!r}: ").removeprefix(f"source={folder!r}: ") for problem in plain
    ] == problems


@pytest.mark.filterwarnings("ignore:.*nodejs22.x.*support ends on")
@pytest.mark.parametrize(
    ("files", "runtimes"),
    [
        ({"python/lib/python3.12/site-packages/a.py": ""}, ["python3.12"]),
        (
            {"python/lib/python3.12/site-packages/a.py": "", "python/lib/python3.13/site-packages/a.py": ""},
            ["python3.12", "python3.13"],
        ),
        ({"nodejs/node22/node_modules/a.js": "", "nodejs/package.json": "{}"}, ["nodejs22.x"]),
        ({"nodejs/node_modules/a.js": "", "python/a.py": ""}, ["python3.13", "nodejs22.x"]),
        ({"nodejs/node_modules/a.js": "", "tools/build.py": ""}, ["nodejs22.x"]),
    ],
)
def test_a_folder_that_runtimes_load_modules_from_is_accepted(
    stack: HardenedStack, tmp_path: Path, files: dict[str, Any], runtimes: list[str]
) -> None:
    assert make(stack, write(tmp_path, files), runtimes=runtimes).runtimes == tuple(runtimes)


ARCHITECTURES = "must be a list of at least one of arm64 and x86_64, without duplicates"
RUNTIMES = "must be a list of 1 to 15 runtimes without duplicates"
ACCOUNT = "must be an account id of 12 digits or a reference to one, not '*', which allows all AWS accounts"
ORGANIZATION = "must be the id of an organization, such as 'o-a1b2c3d4e5', or a reference to one"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"architectures": []}, f"architectures=[]: {ARCHITECTURES}"),
        ({"architectures": "arm64"}, f"architectures='arm64': {ARCHITECTURES}"),
        ({"architectures": ["riscv"]}, f"architectures=['riscv']: {ARCHITECTURES}"),
        ({"architectures": ["arm64", "arm64"]}, f"architectures=['arm64', 'arm64']: {ARCHITECTURES}"),
        ({"runtimes": []}, f"runtimes=[]: {RUNTIMES}"),
        ({"runtimes": "python3.13"}, f"runtimes='python3.13': {RUNTIMES}"),
        ({"runtimes": ["python3.13"] * 2}, f"runtimes=['python3.13', 'python3.13']: {RUNTIMES}"),
        ({"runtimes": ["python3.13"] * 16}, f"runtimes={['python3.13'] * 16!r}: {RUNTIMES}"),
        ({"account": "*"}, f"account='*': {ACCOUNT}"),
        ({"account": "21098765432"}, f"account='21098765432': {ACCOUNT}"),
        ({"account": 210987654321}, f"account=210987654321: {ACCOUNT}"),
        ({"organization": "*"}, f"organization='*': {ORGANIZATION}"),
        ({"organization": 7}, f"organization=7: {ORGANIZATION}"),
        (
            {"account": "210987654321", "organization": "o-a1b2c3d4e5"},
            (
                "account='210987654321': cannot be combined with organization: the AWS provider reads the first permission of "
                "a version for all of them, and would replace the second one in every plan; give one of them"
            ),
        ),
        (
            {"description": "x" * 257},
            f"description={'x' * 257!r}: must be a string of at most 256 characters without references",
        ),
        (
            {"license": "x" * 513},
            f"license={'x' * 513!r}: must be a string of at most 512 characters without references",
        ),
        ({"license": "${var.l}"}, "license='${var.l}': must be a string of at most 512 characters without references"),
    ],
    ids=str,
)
def test_an_invalid_argument_is_refused(
    stack: HardenedStack, source: Path, arguments: dict[str, Any], problem: str
) -> None:
    assert refused(lambda: make(stack, source, **arguments)) == (problem,)


def test_a_runtime_without_support_is_refused(stack: HardenedStack, source: Path) -> None:
    (problem,) = refused(lambda: make(stack, source, runtimes=["python3.9"]))
    assert problem.startswith("runtime='python3.9': is out of support since 2025-12-15; must be one of")


def test_a_missing_folder_is_refused(stack: HardenedStack, tmp_path: Path) -> None:
    (problem,) = refused(lambda: make(stack, tmp_path / "nothing"))
    assert problem.endswith(f"directory not found: {tmp_path / 'nothing'}")


def test_files_are_parsed_with_the_grammar_of_the_oldest_runtime(
    stack: HardenedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def read(path: str, source: Any, handler: str | None, runtime: str) -> FunctionSource:
        seen.append(runtime)
        return read_source(path, source, handler, runtime)

    monkeypatch.setattr("constructs_lib.constructs.lambda_layer.lambda_layer.read_source", read)
    make(stack, write(tmp_path, {**PYTHON}), runtimes=["python3.13", "python3.12"])
    assert seen == ["python3.12"]


def test_a_layer_in_another_region_is_refused(stack: HardenedStack, source: Path) -> None:
    layer = make(stack, source, region="us-east-1")
    assert refused(lambda: make_function(stack, [layer])) == (
        "layers='shop/common': is in another region; expected a layer in the function's region, eu-west-1",
    )


def test_a_layer_for_other_runtimes_is_refused(stack: HardenedStack, source: Path) -> None:
    layer = make(stack, source, runtimes=["python3.12"])
    assert refused(lambda: make_function(stack, [layer])) == (
        (
            "layers='shop/common': is compatible with python3.12, and the function's runtime is python3.13; add it to the "
            "layer's runtimes"
        ),
    )


def test_a_layer_for_another_architecture_is_refused(stack: HardenedStack, source: Path) -> None:
    layer = make(stack, source, architectures=["x86_64"])
    assert refused(lambda: make_function(stack, [layer])) == (
        (
            "layers='shop/common': is compatible with x86_64, and the function's architecture is arm64; add it to the "
            "layer's architectures"
        ),
    )


def test_a_function_and_its_layers_share_the_size_quota(
    stack: HardenedStack, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = make(stack, source)
    monkeypatch.setattr("constructs_lib.constructs.payment_lambda.arguments.MAX_SIZE_BYTES", layer.size + 42)
    assert refused(lambda: make_function(stack, [layer])) == (
        (
            f"layers='1 layers': have {layer.size + 43} bytes unzipped with the function's own 43; Lambda allows "
            f"{layer.size + 42}"
        ),
    )
    monkeypatch.setattr("constructs_lib.constructs.payment_lambda.arguments.MAX_SIZE_BYTES", layer.size + 43)
    stack2 = HardenedStack(stack.node.root, "other", environment="dev", owner="team-shop")  # type: ignore[arg-type]
    make_function(stack2, [layer])
