"""Reading Terraform JSON: which files are a stack, how they are joined, and what is said of those that cannot be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.loading import Duplicate, Source, load
from constructs_lib.rules.estate.loading.folders import read
from constructs_lib.rules.estate.loading.merging import Merge
from constructs_lib.rules.estate.model import Estate

QUEUE = {"resource": {"aws_sqs_queue": {"jobs": {"name": "jobs"}}}}
SHOW = "pass the output of `terraform show -json` for a saved plan"


def write(folder: Path, **files: Any) -> Path:
    """Write files; `__` in a name stands for a slash, and `cdk` for `cdk.tf.json`."""
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ("" if "." in name else ".tf.json"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def names(*paths: Path) -> list[str]:
    return [stack.name for stack in load(paths).stacks]


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load([path])
    text = str(caught.value)
    assert "\n" not in text
    return text


def refused(tmp_path: Path, content: str | bytes, name: str = "main.tf.json") -> str:
    """What is said of a file with this content, after its name."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    text = refusal(file)
    assert text.startswith(f"{file}: ")
    return text.removeprefix(f"{file}: ")


def test_every_stack_of_a_synthesis_is_read_and_named_by_its_id(tmp_path: Path) -> None:
    write(tmp_path, stacks__shop__cdk=QUEUE, stacks__platform__cdk=QUEUE)
    write(tmp_path, **{"manifest.json": {}, "stacks/shop/assets/x.tf.json": {"odd": 1}})
    assert names(tmp_path) == ["platform", "shop"]
    assert names(tmp_path / "stacks" / "shop") == ["shop"]


def test_each_folder_below_that_holds_terraform_json_is_a_stack(tmp_path: Path) -> None:
    write(tmp_path, a__main=QUEUE, b__modules__net__main=QUEUE)
    write(tmp_path, **{".terraform/x.tf.json": "no", "node_modules/y.tf.json": "no", ".git/z.tf.json": "no"})
    write(tmp_path, **{"venv/pyvenv.cfg": "", "venv/y.tf.json": "no"})
    assert names(tmp_path) == ["a", "net"]


def test_a_file_that_terraform_would_read_and_cannot_be_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path, main=QUEUE)
    (tmp_path / ".#main.tf.json").symlink_to("user@host.1")  # as Emacs leaves it while a file is edited
    assert names(tmp_path) == [tmp_path.name]
    other = tmp_path / "other.tf.json"
    for target, reason in (
        ("nowhere", "cannot be read: No such file or directory"),
        (other.name, "cannot be read: Too many levels of symbolic links"),
    ):
        other.symlink_to(target)
        assert refusal(tmp_path) == f"{other}: {reason}"
        other.unlink()
    os.mkfifo(other)
    assert refusal(tmp_path) == f"{other}: not a regular file"


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, main=QUEUE, closed__main=QUEUE)
    closed, scandir = str(tmp_path / "closed"), os.scandir

    def refuse(path: Any) -> Any:  # the tests may run as an administrator, who can list everything
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert refusal(tmp_path) == f"{closed}: cannot be read: Permission denied"


def test_stacks_in_folders_of_the_same_name_are_told_apart_by_the_folders_above(tmp_path: Path) -> None:
    write(tmp_path, dev__network__main=QUEUE, prod__network__main=QUEUE, shop__main=QUEUE)
    assert names(tmp_path) == ["dev/network", "prod/network", "shop"]


def test_a_stack_that_is_given_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, shop__main=QUEUE)
    assert names(tmp_path, tmp_path / "shop", tmp_path / "shop" / ".." / "shop") == ["shop"]


def test_one_file_is_a_stack_without_the_files_beside_it(tmp_path: Path) -> None:
    write(tmp_path, shop__main=QUEUE, shop__other="not JSON")
    (stack,) = load([tmp_path / "shop" / "main.tf.json"]).stacks
    assert (stack.name, [block.address for block in stack.blocks if block.type != "terraform"]) == (
        "shop",
        ["aws_sqs_queue.jobs"],
    )


def test_the_files_of_a_folder_are_joined(tmp_path: Path) -> None:
    write(
        tmp_path,
        a={
            "terraform": {"backend": {"s3": {"bucket": "b"}}, "required_providers": {"aws": {"version": "~> 5"}}},
            "provider": {"aws": {"region": "eu-west-1"}},
            "locals": {"x": 1},
            "resource": [{"aws_sqs_queue": {"jobs": {"name": "jobs"}}}],
        },
        b={
            "terraform": [{"required_providers": {"random": {"version": "~> 3"}}}],
            "provider": {"aws": [{"alias": "us", "region": "us-east-1"}]},
            "locals": [{"y": 2}],
            "resource": {"aws_sqs_queue": [{"mails": [{"name": "mails"}]}]},
            "moved": [{"from": "a.b", "to": "a.c"}],
        },
    )
    assert read(tmp_path).document == {
        "terraform": {
            "backend": {"s3": {"bucket": "b"}},
            "required_providers": {"aws": {"version": "~> 5"}, "random": {"version": "~> 3"}},
        },
        "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "us-east-1"}]},
        "locals": {"x": 1, "y": 2},
        "resource": {"aws_sqs_queue": {"jobs": {"name": "jobs"}, "mails": {"name": "mails"}}},
        "moved": [{"from": "a.b", "to": "a.c"}],
    }


def test_override_files_replace_arguments_and_nested_blocks(tmp_path: Path) -> None:
    base = {"name": "jobs", "policy": {"a": 1, "b": 2}, "lifecycle": {"prevent_destroy": True}}
    change = {"policy": {"a": 3}, "lifecycle": [{"ignore_changes": "all"}]}
    write(
        tmp_path,
        main={
            "resource": {"aws_sqs_queue": {"jobs": base}},
            "terraform": {"backend": {"s3": {}}},
            "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "us-east-1"}]},
        },
        z_override={"resource": {"aws_sqs_queue": {"jobs": {"name": "last"}}}},
        a_override={
            "resource": {"aws_sqs_queue": {"jobs": change}},
            "terraform": {"backend": {"local": {}}},
            "provider": {"aws": {"alias": "us", "region": "us-west-2"}},
            "locals": {"x": 1},
        },
    )
    source = read(tmp_path)
    assert source.document == {
        "resource": {
            "aws_sqs_queue": {
                "jobs": {
                    "name": "last",
                    "policy": {"a": 3},
                    "lifecycle": {"prevent_destroy": True, "ignore_changes": "all"},
                }
            }
        },
        "terraform": {"backend": {"local": {}}},
        "provider": {"aws": [{"region": "eu-west-1"}, {"alias": "us", "region": "us-west-2"}]},
        "locals": {"x": 1},
    }
    assert source.duplicates == []


def test_an_override_of_something_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, main=QUEUE, override={"resource": {"aws_sqs_queue": {"mails": {}}}})
    assert refusal(tmp_path) == (
        f"{tmp_path / 'override.tf.json'}: overrides resource.aws_sqs_queue.mails, which is not declared in another file"
    )


def test_what_is_given_twice_in_one_file_is_noted(tmp_path: Path) -> None:
    text = """{
      "locals": {"x": 1, "x": 2},
      "resource": {"aws_sqs_queue": {"jobs": {"name": "a", "name": "b"}}, "aws_sqs_queue": {"mails": {}}},
      "resource": {"aws_sqs_queue": {"jobs": {"tags": {"Team": "x", "Team": "y"}}}}
    }"""
    write(tmp_path, main=text)
    source = read(tmp_path)
    one = ("main.tf.json",)
    assert source.duplicates == [
        Duplicate("locals.x", one),
        Duplicate("resource.aws_sqs_queue.jobs", one),
        Duplicate("resource.aws_sqs_queue.jobs.name", one),
        Duplicate("resource.aws_sqs_queue.jobs.tags.Team", one),
    ]
    assert source.document["resource"] == {"aws_sqs_queue": {"jobs": {"name": "b"}, "mails": {}}}


def test_what_two_files_give_is_noted_and_the_first_stays(tmp_path: Path) -> None:
    provider = {"aws": {"alias": "us"}}
    write(
        tmp_path,
        a={**QUEUE, "locals": {"x": 1}, "provider": provider},
        b={**QUEUE, "locals": {"x": 2}, "provider": provider, "output": {"jobs": {"value": 1}}},
    )
    source = read(tmp_path)
    both = ("a.tf.json", "b.tf.json")
    assert source.duplicates == [
        Duplicate("resource.aws_sqs_queue.jobs", both),
        Duplicate("locals.x", both),
        Duplicate("provider.aws.us", both),
    ]
    assert source.document["locals"] == {"x": 1}


def test_variable_files_set_defaults_and_the_last_one_wins(tmp_path: Path) -> None:
    write(
        tmp_path,
        main={"variable": {"a": {"default": 1}, "b": {}, "c": {"default": 3}, "d": None}},
        **{
            "terraform.tfvars.json": {"a": 10, "b": 20, "other": 1},
            "x.auto.tfvars.json": {"b": 30},
            "not-read.tfvars.json": {"c": 99},
        },
    )
    assert read(tmp_path).document["variable"] == {"a": {"default": 10}, "b": {"default": 30}, "c": {"default": 3}}


def test_files_in_hcl_that_belong_to_a_stack_are_named_as_not_read(tmp_path: Path) -> None:
    write(tmp_path, main=QUEUE, **{"extra.tf": "", "prod.tfvars": "", "notes.txt": ""})
    assert read(tmp_path).unread == ["extra.tf", "prod.tfvars"]


def test_the_notes_beside_a_stack_tell_the_line_that_made_a_construct(tmp_path: Path) -> None:
    callers = {"shop/queue": "shop.py:12", "shop/queue/Dead": "queue.py:3", "shop": "main.py:1"}
    write(tmp_path, main=QUEUE, **{"constructs.json": {"callers": callers, "opt_outs": [], "waivers": [{"rule": "x"}]}})
    source = read(tmp_path)
    paths = ("shop/queue/Resource", "shop/queue/Dead", "shop/queue-two", "other/queue", "")
    assert [source.caller(path) for path in paths] == ["shop.py:12", "queue.py:3", "main.py:1", "", ""]
    assert source.notes["waivers"] == [{"rule": "x"}]
    assert Source("x", tmp_path, {}).caller("shop") == ""


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ([], "must be an object"),
        ({"callers": []}, "callers: must be an object"),
        ({"waivers": {}}, "waivers: must be a list"),
        ({"callers": {"a": 1}}, "callers: must map each path to a string such as stacks/payments.py:62"),
    ],
)
def test_notes_of_another_shape_are_refused(tmp_path: Path, notes: object, said: str) -> None:
    write(tmp_path, main=QUEUE, **{"constructs.json": notes})
    assert refusal(tmp_path) == f"{tmp_path / 'constructs.json'}: {said}"


def test_places_without_terraform_json_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == f"{tmp_path / 'nowhere'}: file or folder not found"
    assert refusal(tmp_path) == (
        f"{tmp_path}: no *.tf.json files found; pass a cdktf.out folder, a folder of Terraform JSON, or a plan"
    )
    write(tmp_path, **{"net/main.tf": "", "net/.hidden.tf.json": "", "net/#main.tf.json": ""})
    assert refusal(tmp_path) == f"{tmp_path}: contains HCL (main.tf), which is not supported: {SHOW}"
    assert refusal(tmp_path / "net" / "main.tf") == f"{tmp_path / 'net' / 'main.tf'}: HCL is not supported: {SHOW}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "file is empty"),
        ("  \n", "file is empty"),
        ('{\n  "resource": {"aws_sqs', "line 2, column 16: not JSON: unexpected end of file"),
        ('{\n  "resource": {', "line 2, column 16: not JSON: unexpected end of file"),
        ('{"a": 1,}', "line 1, column 9: not JSON: expecting property name enclosed in double quotes"),
        ('{"resource": {}} x', "line 1, column 18: not JSON: extra data"),
        ('{"locals": {"a": NaN}}', "not JSON: NaN is not a JSON number"),
        ('{"locals": {"a": -Infinity}}', "not JSON: -Infinity is not a JSON number"),
        ('{"locals": {"a": 1e999}}', "not JSON: the number 1e999 is too large"),
        ('{"locals": {"a": ' + "9" * 5000 + "}}", "not JSON: a number has too many digits"),
        (r'{"locals": {"a": "\ud83d"}}', r"contains an unpaired surrogate between \ud800 and \udfff"),
        (b'{"locals":\n{"a": "\xff"}}', "line 2: not UTF-8: byte 0xff"),
        (
            b"\xef\xbb\xbf{}",
            "starts with a byte order mark, which Terraform rejects; save the file as UTF-8 without one",
        ),
        (b"PK\x03\x04x", "a saved plan is binary: pass the output of `terraform show -json`"),
        ('{"@level":"info"}\n{"@level":"info"}', f"this is the log of `terraform plan -json`; {SHOW}"),
        ("[" * 100_000 + "]" * 100_000, "nested more than 200 levels deep"),
        ('{"locals": {"a": ' + "[" * 300 + "]" * 300 + "}}", "nested more than 200 levels deep"),
        ("[]", "must be an object with blocks such as resource, not []"),
        ('"x"', 'must be an object with blocks such as resource, not "x"'),
        ("null", "must be an object with blocks such as resource, not null"),
        ('{"name": "x", "version": 1}', "not Terraform JSON: no top-level key is a Terraform block: 'name', 'version'"),
        ('{"locals": {}, "resources": {}}', "'resources' is not a Terraform block; expected resource"),
        ('{"resource": 3}', "resource: must be an object, not 3"),
        ('{"resource": {"aws_x": "y"}}', 'resource.aws_x: must be an object, not "y"'),
        ('{"resource": {"aws_x": {"y": [1]}}}', "resource.aws_x.y: must be an object, not 1"),
        ('{"locals": [3]}', "locals: must be an object, not 3"),
        ('{"variable": {"x": true}}', "variable.x: must be an object, not true"),
        ('{"moved": "x"}', 'moved: must be an object, not "x"'),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place_in_it(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert refused(tmp_path, content) == said


def test_files_that_are_no_configuration_are_refused(tmp_path: Path) -> None:
    state = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "resources": []}
    assert refused(tmp_path, json.dumps(state), "x.tfstate") == (
        f"a state file does not contain the configuration: {SHOW}"
    )
    shown = {"format_version": "1.0", "values": {"root_module": {}}}
    assert refused(tmp_path, json.dumps(shown), "state.json") == (
        f"no planned_values or no configuration: a state file or a part of a plan; {SHOW}"
    )
    assert refused(tmp_path, "x", "x.tfplan") == f"a saved plan is binary: {SHOW}"
    (tmp_path / "dir.tf.json").mkdir()
    assert refusal(tmp_path / "dir.tf.json").endswith(
        "no *.tf.json files found; pass a cdktf.out folder, a folder of Terraform JSON, or a plan"
    )


def test_variable_files_of_another_shape_are_refused(tmp_path: Path) -> None:
    write(tmp_path, main=QUEUE, **{"terraform.tfvars.json": "[]"})
    assert refusal(tmp_path).endswith("terraform.tfvars.json: must be an object that maps variable names to values")


def test_names_may_hold_every_character_that_terraform_allows(tmp_path: Path) -> None:
    names_ = ["a-b", "_x", "A9", "größe", "名前", "x--"]
    write(tmp_path, main={"resource": {"aws_sqs_queue": {name: {"name": "${local.a}"} for name in names_}}})
    found = load([tmp_path]).of("aws_sqs_queue")
    assert [block.address for block in found] == [f"aws_sqs_queue.{name}" for name in names_]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
BODIES = st.dictionaries(
    st.sampled_from(["for_each", "count", "provider", "region", "tags", "alias", "dynamic", "//", "default", "value"]),
    JSON | st.sampled_from(["${local.a}", "${aws_x.a.b}", "${each.key}", "${var.a}", "${", "aws.a", "${aws_x.a[*]}"]),
    max_size=4,
)
BLOCKS = st.dictionaries(st.sampled_from(["aws_x", "aws", "a"]), BODIES | st.dictionaries(st.just("a"), BODIES) | JSON)
WORDS = st.sampled_from(
    ["resource", "data", "provider", "locals", "terraform", "variable", "output", "module", "moved", "//"]
)


@given(content=st.dictionaries(WORDS, BLOCKS | JSON, max_size=4) | JSON)
def test_any_json_is_read_or_refused(content: Any) -> None:
    merged = Merge()
    try:
        merged.add(Path("main.tf.json"), content if isinstance(content, dict) else {})
    except ConfigurationError as error:
        assert str(error).startswith("main.tf.json: ")  # noqa: PT017  both ends are right
        return
    estate = load_document(merged.document)
    for block in estate.blocks:
        block.region, block.environment, block.tags, block.provider, block.edges  # noqa: B018
        for key in block.body:
            block.get(key)
    assert estate.incoming is not None


def load_document(document: dict[str, Any]) -> Any:
    return Estate([Source("x", Path("x"), document)])
