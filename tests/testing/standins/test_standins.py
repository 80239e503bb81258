"""The stand-ins for Terraform providers: their values, the protocol, and the real Terraform running them."""

from __future__ import annotations

import base64
import hashlib
import os
import string
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import constructs_lib
from constructs_lib.testing.standins import dependencies, server
from constructs_lib.testing.standins.archive import ARCHIVE_FILE
from constructs_lib.testing.standins.providers import PROVIDERS
from constructs_lib.testing.standins.random_values import (
    RANDOM_ID,
    RANDOM_INTEGER,
    RANDOM_PASSWORD,
    RANDOM_STRING,
)
from constructs_lib.testing.standins.schema import UNKNOWN, RefusedError, ResourceType, Values
from constructs_lib.testing.standins.service import Service
from constructs_lib.testing.standins.wire import dump, load

bcrypt = dependencies.require("bcrypt")
grpc = dependencies.require("grpc")

ROOT = Path(constructs_lib.__file__).parents[1]
LABEL = "[stand-in for hashicorp/random 3.7.2] "
TYPE_REFUSED = 'type: type must be "zip", got "tar.gz"; this stand-in does not support tar.gz.'
LENGTH_REFUSED = "length: length must be at least min_upper + min_lower + min_numeric + min_special = 4, got 3."
STRING_CLASSES = {
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}


def config_of(kind: ResourceType, **given: Any) -> Values:
    """Return a configuration as Terraform sends it: every attribute, null where it is not given."""
    return dict.fromkeys(kind.attributes) | {name: [] for name in kind.blocks} | given


def created(kind: ResourceType, **given: Any) -> Values:
    config = config_of(kind, **given)
    kind.refuse_bad(config)
    return kind.create(kind.plan(None, config, config)[0])


def refusals(kind: ResourceType, **given: Any) -> list[str]:
    """Return the argument and the sentence of each thing that is wrong with a configuration; empty if nothing is."""
    try:
        created(kind, **given)
    except RefusedError as error:
        return [f"{problem.attribute}: {problem.detail}" for problem in error.problems]
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with files, a nested folder, and links to a file and to a folder outside."""
    source = tmp_path / "source"
    for name in ("handler.py", "notes.md", "lib/util.py", "lib/deep/util_test.py", "lib/deep/data.json"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(f"# {name}\n")
        (source / name).chmod(0o640)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "common.py").write_text("# shared\n")
    (source / "linked").symlink_to(tmp_path / "shared", target_is_directory=True)
    (source / "alias.py").symlink_to(source / "handler.py")
    return source


def zipped(folder: Path, **given: Any) -> tuple[Values, zipfile.ZipFile]:
    state = created(
        ARCHIVE_FILE, type="zip", source_dir=str(folder), output_path=str(folder.parent / "out" / "a.zip"), **given
    )
    return state, zipfile.ZipFile(state["output_path"])


def test_hashes_are_those_of_the_file_that_is_written_and_its_folder_is_made(folder: Path) -> None:
    state, archive = zipped(folder)
    data = Path(state["output_path"]).read_bytes()
    assert {name: state[name] for name in ARCHIVE_FILE.computed} == {
        "id": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        "output_size": len(data),
        "output_md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "output_sha": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        "output_sha256": hashlib.sha256(data).hexdigest(),
        "output_base64sha256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
        "output_sha512": hashlib.sha512(data).hexdigest(),
        "output_base64sha512": base64.b64encode(hashlib.sha512(data).digest()).decode(),
    }
    with archive:
        assert archive.testzip() is None
        assert archive.read("lib/util.py") == b"# lib/util.py\n"


def test_archive_depends_on_names_contents_and_modes_but_not_on_times(folder: Path) -> None:
    first, archive = zipped(folder)
    with archive:
        entries = [(entry.filename, entry.date_time, oct(entry.external_attr >> 16)) for entry in archive.infolist()]
    assert entries == [
        (name, (2049, 1, 1, 0, 0, 0), "0o100644" if name == "linked/common.py" else "0o100640")
        for name in sorted(name for name, *_ in entries)
    ]
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    assert zipped(folder)[0] == first
    (folder / "notes.md").chmod(0o600)
    changed = zipped(folder)[0]
    assert changed["output_sha256"] != first["output_sha256"]
    fixed, archive = zipped(folder, output_file_mode="0755")
    with archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100755}
    assert fixed["output_sha256"] != changed["output_sha256"]


@pytest.mark.parametrize(
    ("excludes", "missing"),
    [
        (["notes.md", "nothing-like-it"], {"notes.md"}),
        (["lib"], {"lib/util.py", "lib/deep/util_test.py", "lib/deep/data.json"}),
        (["lib/**"], {"lib/util.py", "lib/deep/util_test.py", "lib/deep/data.json"}),
        (["*.py"], {"handler.py", "alias.py"}),
        (["**/*.py"], {"handler.py", "alias.py", "lib/util.py", "lib/deep/util_test.py", "linked/common.py"}),
        (["**/deep/*.{json,md}", "**/*_test.p?"], {"lib/deep/data.json", "lib/deep/util_test.py"}),
        (["linked"], {"linked/common.py"}),
    ],
)
def test_excludes_match_paths_in_the_folder(folder: Path, excludes: list[str], missing: set[str]) -> None:
    with zipped(folder)[1] as everything, zipped(folder, excludes=excludes)[1] as rest:
        assert set(everything.namelist()) - set(rest.namelist()) == missing


def test_links_to_folders_are_left_out_on_demand_and_may_not_lead_in_a_circle(folder: Path) -> None:
    with zipped(folder)[1] as everything, zipped(folder, exclude_symlink_directories=True)[1] as rest:
        assert set(everything.namelist()) - set(rest.namelist()) == {"linked/common.py"}
        assert rest.read("alias.py") == b"# handler.py\n"
    (folder / "lib" / "up").symlink_to(folder, target_is_directory=True)
    with pytest.raises(RefusedError, match="symbolic links form a loop"):
        zipped(folder)


def test_archive_of_given_content_holds_just_that(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    blocks = [{"filename": "b", "content": "2"}, {"filename": "a", "content": "1"}]
    for source, contents in (
        ({"source_content": "hé", "source_content_filename": "a/b.txt"}, {"a/b.txt": "hé"}),
        ({"source": blocks}, {"a": "1", "b": "2"}),
        ({"source_file": str(ROOT / "pyproject.toml")}, {"pyproject.toml": (ROOT / "pyproject.toml").read_text()}),
    ):
        created(ARCHIVE_FILE, type="zip", output_path=str(path), **source)
        with zipfile.ZipFile(path) as archive:
            assert {name: archive.read(name).decode() for name in archive.namelist()} == contents


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ({}, "None: exactly one of source, source_content, source_file and source_dir must be set; none is."),
        ({"source_file": "f", "source": [{}]}, "source_file: source_file cannot be combined with source."),
        ({"source_content": "c"}, "source_content: source_content requires source_content_filename."),
        ({"source_file": "f", "excludes": []}, "excludes: excludes cannot be combined with source_file."),
        ({"source_file": "f", "type": "tar.gz"}, TYPE_REFUSED),
        (
            {"source_file": "f", "output_file_mode": "644"},
            'output_file_mode: output_file_mode must be octal and begin with 0, such as "0644", got "644".',
        ),
        ({"source_dir": "none"}, "source_dir: could not archive missing directory: none"),
        ({"source_file": "none"}, "source_file: could not archive missing file: none"),
        ({"source_file": str(ROOT)}, f"source_file: cannot read {ROOT}: Is a directory"),
        ({"source_dir": __file__}, f"source_dir: could not archive directory that is a file: {__file__}"),
        (
            {"source_dir": str(ROOT), "excludes": ["**"]},
            f"source_dir: archive has not been created as it would be empty: {ROOT}",
        ),
        ({"source_content_filename": "f"}, "output_path: cannot write /dev/null/a.zip: File exists"),
    ],
)
def test_archive_names_the_argument_that_is_wrong(config: Values, refused: str) -> None:
    assert refusals(ARCHIVE_FILE, **({"type": "zip", "output_path": "/dev/null/a.zip"} | config)) == [refused]


@given(
    length=st.integers(1, 40),
    least=st.fixed_dictionaries({f"min_{name}": st.integers(0, 6) for name in STRING_CLASSES}),
    switches=st.fixed_dictionaries({name: st.booleans() for name in STRING_CLASSES}),
    override=st.none() | st.text("/_.~aZ9", min_size=1, max_size=7),
)
def test_random_strings_have_the_length_and_the_characters_asked_for(
    length: int, least: dict[str, int], switches: dict[str, bool], override: str | None
) -> None:
    given = {"length": length, "override_special": override, **least, **switches}
    total = sum(least.values())
    if length < total or (length > total and not any(switches.values())):
        assert [refused.partition(":")[0] for refused in refusals(RANDOM_STRING, **given)] == ["length"]
        return
    state = created(RANDOM_STRING, **given)
    classes = STRING_CLASSES | ({"special": override} if override else {})
    allowed = "".join(classes[name] for name in classes if switches[name] or least[f"min_{name}"])
    assert len(state["result"]) == length
    assert set(state["result"]) <= set(allowed)
    for name, characters in classes.items():
        assert sum(character in characters for character in state["result"]) >= least[f"min_{name}"]
    assert state["id"] == state["result"]


@pytest.mark.parametrize("length", [16, 100])
def test_password_comes_with_its_real_bcrypt_hash_of_at_most_72_bytes(length: int) -> None:
    state = created(RANDOM_PASSWORD, length=length)
    assert state["id"] == "none"
    assert state["bcrypt_hash"].startswith("$2a$10$")
    assert bcrypt.checkpw(state["result"].encode()[:72], state["bcrypt_hash"].encode())
    assert created(RANDOM_PASSWORD, length=length)["result"] != state["result"]


def test_id_shows_one_number_in_each_encoding_with_the_prefix() -> None:
    state = created(RANDOM_ID, byte_length=5, prefix="app-")
    data = bytes.fromhex(state["hex"].removeprefix("app-"))
    assert len(data) == 5
    assert {name: state[name] for name in RANDOM_ID.computed} == {
        "id": base64.urlsafe_b64encode(data).decode().rstrip("="),
        "b64_url": "app-" + base64.urlsafe_b64encode(data).decode().rstrip("="),
        "b64_std": "app-" + base64.b64encode(data).decode(),
        "hex": "app-" + data.hex(),
        "dec": f"app-{int.from_bytes(data, 'big')}",
    }


def test_integers_stay_in_their_bounds_and_a_seed_repeats_them() -> None:
    assert {created(RANDOM_INTEGER, min=-1, max=1)["result"] for _ in range(200)} == {-1, 0, 1}
    seeded = [created(RANDOM_INTEGER, min=0, max=10**12, seed="a") for _ in range(2)]
    assert seeded[0] == seeded[1]
    assert seeded[0]["id"] == str(seeded[0]["result"])
    assert created(RANDOM_INTEGER, min=0, max=10**12, seed="b")["result"] != seeded[0]["result"]


@pytest.mark.parametrize(
    ("kind", "config", "refused"),
    [
        (RANDOM_STRING, {"length": 0}, ["length: length must be at least 1, got 0."]),
        (RANDOM_PASSWORD, {"length": 3, "min_upper": 2, "min_special": 2}, [LENGTH_REFUSED]),
        (RANDOM_STRING, {"length": 3, "min_upper": -1}, ["min_upper: min_upper must be at least 0, got -1."]),
        (
            RANDOM_STRING,
            {"length": 3, "upper": False, "lower": False, "number": False, "special": False},
            ["length: upper, lower, numeric and special are all false; enable one of them for the 3 characters."],
        ),
        (
            RANDOM_STRING,
            {"length": 3, "number": True, "numeric": False},
            ["number: number is deprecated; set only numeric."],
        ),
        (RANDOM_ID, {"byte_length": 0}, ["byte_length: byte_length must be at least 1, got 0."]),
        (RANDOM_INTEGER, {"min": 2, "max": 1}, ["min: min must not be greater than max, got 2 and 1."]),
        (RANDOM_INTEGER, {"min": 0.5, "max": 1}, ["min: min must be a 64-bit integer, got 0.5."]),
        (RANDOM_INTEGER, {"min": 1, "max": 2**63}, [f"max: max must be a 64-bit integer, got {2**63}."]),
    ],
)
def test_random_names_the_argument_that_is_wrong(kind: ResourceType, config: Values, refused: list[str]) -> None:
    assert refusals(kind, **config) == refused


def test_what_is_not_known_yet_is_not_refused() -> None:
    for kind in (*PROVIDERS["random"].resources.values(), ARCHIVE_FILE):
        unknown = dict.fromkeys((*kind.attributes, *kind.blocks), UNKNOWN)
        kind.refuse_bad(unknown)
        assert set(kind.plan(None, unknown, unknown)[0].values()) == {UNKNOWN}


def test_plan_fills_in_the_documented_defaults() -> None:
    config = config_of(RANDOM_PASSWORD, length=9, number=False)
    switches = dict.fromkeys(("special", "upper", "lower"), True) | {"numeric": False}
    least = dict.fromkeys((f"min_{name}" for name in STRING_CLASSES), 0)
    results = dict.fromkeys(("id", "result", "bcrypt_hash"), UNKNOWN)
    assert RANDOM_PASSWORD.plan(None, config, config) == (config | switches | least | results, [])


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        ({"length": 9}, {"length": 9}, []),
        ({"length": 9}, {"length": 10}, ["length"]),
        ({"length": 9, "special": False}, {"length": 9}, ["special"]),
        ({"length": 9}, {"length": 9, "numeric": False}, ["number", "numeric"]),
        ({"length": 9}, {"length": 9, "override_special": "_"}, ["override_special"]),
        ({"length": 9, "override_special": ""}, {"length": 9}, []),
        ({"length": 9, "keepers": {"a": "1"}}, {"length": 9, "keepers": {"a": "2"}}, ["keepers"]),
        ({"length": 9, "keepers": {"a": "1"}}, {"length": 9, "keepers": UNKNOWN}, ["keepers"]),
        ({"length": 9, "keepers": {"a": "1"}}, {"length": 9}, ["keepers"]),
        ({"length": 9}, {"length": 9, "keepers": {"a": None}}, []),
    ],
)
def test_only_changes_that_need_it_replace_a_random_value(before: Values, after: Values, replaced: list[str]) -> None:
    prior, config = created(RANDOM_STRING, **before), config_of(RANDOM_STRING, **after)
    planned, needed = RANDOM_STRING.plan(prior, config, config)
    assert sorted(needed) == replaced
    assert planned["result"] is UNKNOWN if replaced else planned["result"] == prior["result"]


def test_archive_resource_is_made_again_by_changes_and_by_a_refresh(folder: Path) -> None:
    prior, archive = zipped(folder)
    archive.close()
    config = prior | dict.fromkeys(ARCHIVE_FILE.computed) | {"exclude_symlink_directories": True}
    planned, replaced = ARCHIVE_FILE.plan(prior, config, config)
    assert (replaced, planned["output_sha256"]) == ([], UNKNOWN)
    (folder / "handler.py").write_text("# new\n")
    assert ARCHIVE_FILE.refresh(prior)["output_sha256"] != prior["output_sha256"]


def ask(provider: str, method: str, **fields: Any) -> Any:
    request, answer = Service(PROVIDERS[provider]).methods()[method]
    return answer(request(**fields), None)


def test_schema_marks_secrets_as_sensitive_and_nothing_else() -> None:
    schemas = {entry.key: entry.value for entry in ask("random", "GetSchema").resource_schemas}
    assert {name: schema.version for name, schema in schemas.items()} == {
        "random_id": 0,
        "random_integer": 0,
        "random_password": 3,
        "random_string": 2,
        "random_uuid": 0,
    }
    sensitive = {(name, a.name) for name, schema in schemas.items() for a in schema.block.attributes if a.sensitive}
    assert sensitive == {("random_password", "result"), ("random_password", "bcrypt_hash")}


def test_apply_that_fails_says_why_and_leaves_the_state_as_it_was() -> None:
    config = config_of(RANDOM_INTEGER, min=2, max=1) | {"id": UNKNOWN, "result": UNKNOWN}
    assert load(dump(config)) == config
    answer = ask(
        "random", "ApplyResourceChange", type_name="random_integer", prior_state=dump(None), planned_state=dump(config)
    )
    (diagnostic,) = answer.diagnostics
    assert diagnostic.summary == "Create Random Integer Error"
    assert [step.attribute_name for step in diagnostic.attribute.steps] == ["min"]
    assert load(answer.new_state) is None


@pytest.mark.parametrize(
    ("method", "fields", "sentence"),
    [
        ("ImportResourceState", {"type_name": "random_uuid"}, "import of random_uuid is not supported."),
        (
            "UpgradeResourceState",
            {"type_name": "random_string", "version": 1},
            "the state of random_string has schema version 1; only version 2 is supported.",
        ),
        (
            "ReadDataSource",
            {"type_name": "random_pet"},
            "data source 'random_pet' is not supported; supported: none.",
        ),
    ],
)
def test_what_the_stand_in_cannot_do_is_said_under_its_label(
    method: str, fields: dict[str, Any], sentence: str
) -> None:
    (diagnostic,) = ask("random", method, **fields).diagnostics
    assert diagnostic.detail == LABEL + sentence


def test_fault_in_the_stand_in_reaches_terraform_and_the_labelled_log(caplog: pytest.LogCaptureFixture) -> None:
    fields = {"type_name": "random_string", "proposed_new_state": dump({})}
    (diagnostic,) = ask("random", "PlanResourceChange", **fields).diagnostics
    assert (diagnostic.summary, diagnostic.detail) == ("Error in the stand-in", "KeyError: 'special'")
    lines = server.LabelFormatter(LABEL.strip()).format(caplog.records[0]).splitlines()
    assert (lines[0], lines[-1]) == (LABEL + "PlanResourceChange failed", LABEL + "KeyError: 'special'")
    assert all(line.startswith(LABEL) for line in lines)
