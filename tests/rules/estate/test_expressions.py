from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.rules.estate.expressions import Reference, evaluate, follow, references
from constructs_lib.rules.estate.model import Computed
from constructs_lib.rules.estate.values import Invalid, Unknown
from constructs_lib.testing.errors import UnavailableError
from constructs_lib.testing.settings import Terraform

TABLE = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))
VALUES: dict[str, object] = {
    "local.name": "logs",
    "local.zones": ["a", "b"],
    "local.tags": {"owner": "me", "team": Unknown("no default", "${var.team}")},
    "local.flag": True,
    "local.count": 2,
}


def resolve(reference: Reference) -> object:
    if reference.block in VALUES:
        return follow(VALUES[reference.block], reference.path)
    return Unknown(f"{reference.block} is not known")


def value_of(expression: str) -> object:
    return evaluate(f"${{{expression}}}", resolve)


def in_types(value: object) -> str:
    """Return a text that tells 1, 1.0, "1" and true apart."""
    return json.dumps(value, sort_keys=True)


def test_every_template_comes_to_what_terraform_says() -> None:
    said = [(template, in_types(evaluate(template, resolve))) for template, _ in TABLE["evaluated"]]
    assert said == [(template, in_types(expected)) for template, expected in TABLE["evaluated"]]


def test_what_terraform_refuses_is_invalid() -> None:
    assert [template for template in TABLE["refused"] if not isinstance(evaluate(template, resolve), Invalid)] == []


@pytest.mark.terraform
def test_the_table_is_what_the_real_terraform_says(tmp_path: Path) -> None:
    try:
        terraform = Terraform.discover()
    except UnavailableError as error:
        pytest.skip(f"the real Terraform: {error}")
    locals_ = {"table": [template for template, _ in TABLE["evaluated"]]}
    (tmp_path / "main.tf.json").write_text(json.dumps({"locals": locals_}), encoding="utf-8")
    answer = subprocess.run(
        [terraform.binary, "console"],
        input="base64encode(jsonencode(local.table))",
        cwd=tmp_path,
        env={"PATH": terraform.variables.get("PATH", ""), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    said = json.loads(base64.b64decode(answer.strip().splitlines()[-1].strip('"')))
    different = [
        (template, expected, really)
        for (template, expected), really in zip(TABLE["evaluated"], said, strict=True)
        if in_types(expected) != in_types(really)
    ]
    assert different == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${aws_kms_key.k.arn}", [("resource", "aws_kms_key", "k", ("arn",))]),
        ("${aws_x.y}", [("resource", "aws_x", "y", ())]),
        ("${aws_x.y[0].z}", [("resource", "aws_x", "y", (0, "z"))]),
        ('${aws_x.y["a b"].z}', [("resource", "aws_x", "y", ("a b", "z"))]),
        ("${aws_x.y.0.z}", [("resource", "aws_x", "y", (0, "z"))]),
        ("${aws_x.y[*].z}", [("resource", "aws_x", "y", ("*", "z"))]),
        ("${aws_x.y.*.z[0]}", [("resource", "aws_x", "y", ("*", "z"))]),
        ("${resource.aws_x.y.z}", [("resource", "aws_x", "y", ("z",))]),
        ("${data.aws_x.y.z}", [("data", "aws_x", "y", ("z",))]),
        ("${local.a}", [("local", "", "a", ())]),
        ("${ var.b.c }", [("var", "", "b", ("c",))]),
        ("${module.m.out}", [("module", "", "m", ("out",))]),
        ("${each.value.x}", [("each", "", "value", ("x",))]),
        ("${count.index}", [("count", "", "index", ())]),
        ("${path.module}/x", [("path", "", "module", ())]),
        ("${terraform.workspace}", [("terraform", "", "workspace", ())]),
        ("${self.arn}", [("self", "", "", ("arn",))]),
        ("a-${var.b}-$${var.c}", [("var", "", "b", ())]),
        ("var.b", []),
        ("${true}", []),
    ],
)
def test_a_reference_says_what_it_means(text: str, expected: list[Any]) -> None:
    assert [(found.kind, found.type, found.name, found.path) for found in references(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${upper(var.a)}", ["var.a"]),
        ("${aws_x.y[count.index].z}", ["aws_x.y[count.index].z", "count.index"]),
        ('${aws_x.y["${var.k}"]}', ['aws_x.y["${var.k}"]', "var.k"]),
        ("${var.a ? var.b : local.c}", ["var.a", "var.b", "local.c"]),
        ('${{a = var.a, (var.b) = "x-${var.c}"}}', ["var.a", "var.b", "var.c"]),
        ("${[for v in var.l : v.id if v.x == local.y]}", ["var.l", "local.y"]),
        ("${{for var, v in var.m : var => v.a...}}", ["var.m"]),
        ("%{ for v in var.l }${v}-${var.a}%{ endfor }", ["var.l", "var.a"]),
        ("%{ if var.a }${var.b}%{ else }${var.c}%{ endif }", ["var.a", "var.b", "var.c"]),
        ("${<<-EOT\n  ${var.a}\n  EOT\n}", ["var.a"]),
        ("${f(var.a)[var.b].c[*].d}", ["var.a", "var.b"]),
        ("${-var.a + (!var.b ? 1 : 2)}", ["var.a", "var.b"]),
        ("${provider::aws::arn_parse(aws_x.y.arn)}", ["aws_x.y.arn"]),
        ("${upper(aws_x.y.arn}", ["aws_x.y.arn"]),
        ("${upper(data.aws_x.y.arn, local.a var.b[0] example.com}", ["data.aws_x.y.arn", "local.a", "var.b[0]"]),
    ],
)
def test_references_are_found_wherever_they_stand(text: str, expected: list[str]) -> None:
    assert [found.text for found in references(text)] == expected


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("${aws_kms_key.k.arn}", "aws_kms_key.k"),
        ("${data.aws_x.y.z}", "data.aws_x.y"),
        ("${local.a.b}", "local.a"),
        ("${module.m.out}", "module.m"),
        ("${self.arn}", "self"),
    ],
)
def test_a_reference_knows_the_address_of_its_block(text: str, block: str) -> None:
    assert references(text)[0].block == block


def test_an_index_that_is_an_expression_is_unknown_until_it_is_evaluated() -> None:
    (reference, _) = references("${aws_x.y[local.count].z}")
    assert isinstance(reference.path[0], Unknown)
    seen: list[Reference] = []

    def note(reference: Reference) -> object:
        seen.append(reference)
        return resolve(reference)

    evaluate("${aws_x.y[local.count].z}", note)
    assert seen[-1].path == (2, "z")


@pytest.mark.parametrize(
    ("text", "reason", "known"),
    [
        ("${var.a}", "var.a is not known", "${var.a}"),
        ("${local.name}-${var.a}-x", "var.a is not known", "logs-${var.a}-x"),
        ("$${a}-${var.a}", "var.a is not known", "$${a}-${var.a}"),
        ("x-${local.tags.team}", "no default", "x-${var.team}"),
        ("${upper(var.a)}", "var.a is not known", "${upper(var.a)}"),
        ("x-${var.a + 1}", "var.a is not known", "x-${var.a + 1}"),
        ("${local.tags.nothing}", "no attribute or key 'nothing'", "${local.tags.nothing}"),
        ("${timestamp()}", "function timestamp() is known after apply", "${timestamp()}"),
        ("${file(local.name)}", "function file() reads a file", "${file(local.name)}"),
        ("${provider::a::b(1)}", "function provider::a::b() belongs to a provider", "${provider::a::b(1)}"),
        ("${nonsense(1)}", "unknown function nonsense()", "${nonsense(1)}"),
        ("${1 +}", "cannot be read: a value expected instead of '}' after '${1 +'", "${1 +}"),
        ('${"a}', "cannot be read: string is not closed", '${"a}'),
        ("${range(1e9)}", "range(): more than 1024 numbers", "${range(1e9)}"),
        ("${1e9999999}", "cannot be read: too large a number", "${1e9999999}"),
    ],
)
def test_what_is_unknown_says_why_and_what_is_known_of_it(text: str, reason: str, known: str) -> None:
    value = evaluate(text, resolve)
    assert isinstance(value, Unknown)
    assert (value.reason, value.text) == (reason, known)


def test_a_reference_that_stands_alone_keeps_what_the_resolver_said() -> None:
    computed = Computed("set by AWS", "", None, "arn")
    value = evaluate("${aws_x.y.arn}", lambda _: computed)
    assert value == Computed("set by AWS", "${aws_x.y.arn}", None, "arn")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('local.flag ? "a" : var.x', "a"),
        ("local.flag || var.x", True),
        ("var.x || local.flag", True),
        ("!local.flag && var.x", False),
        ("var.x && false", False),
        ("[1, var.x] == [2, var.x]", False),
        ("[var.x, 5][1]", 5),
        ("{a = var.x, b = 2}.b", 2),
        ("[for z in local.zones : upper(z)]", ["A", "B"]),
        ("local.zones[*]", ["a", "b"]),
        ("[for k, v in local.tags : k]", ["owner", "team"]),
    ],
)
def test_what_is_unknown_does_not_spoil_what_is_decided_without_it(expression: str, expected: object) -> None:
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "var.x ? 1 : 2",
        "var.x && true",
        "[var.x] == [1]",
        "{(var.x) = 1}",
        "[for z in local.zones : z if var.x]",
        "-var.x",
    ],
)
def test_what_hangs_on_something_unknown_is_unknown(expression: str) -> None:
    value = value_of(expression)
    assert type(value) is Unknown
    assert value.reason == "var.x is not known"


def test_following_a_path_ends_where_the_structure_does() -> None:
    structure = {"a": [{"b": 1}, {"b": Unknown("why")}]}
    assert follow(structure, ("a", 0, "b")) == 1
    assert follow(structure, ("a", "*", "b")) == [1, Unknown("why")]
    assert follow(structure, ("a", 1, "b", "c")) == Unknown("why")
    assert follow(structure, ("a", Unknown("index"))) == Unknown("index")
    assert follow(structure, ("a", 2)) == Invalid("no element 2 in a list of 2")
    assert follow(structure, ("z",)) == Invalid("no attribute or key 'z'")


@pytest.mark.parametrize(
    "text",
    [
        "${" + "(" * 100_000,
        "${" + "[" * 50_000 + "]" * 50_000 + "}",
        "${" + "!" * 100_000 + "true}",
        "${" + "1+" * 200_000 + "1}",
        '${"' * 50_000,
        "$${" * 300_000 + "${var.a}",
        "${a." * 100_000,
        "${" + "a" * 1_000_000,
        "${var.a" + "[0]" * 200_000 + "}",
        "${f()" + "[0]" * 100_000 + "}",
        "${/*" * 200_000,
        "${<<A\n" * 50_000,
        "%{ if true }" * 50_000,
        "${~" + " " * 1_000_000,
        " " * 1_000_000 + "${~ 1 ~}" + " " * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_long_and_deep_texts_neither_raise_nor_hang(text: str) -> None:
    start = time.process_time()
    evaluate(text, resolve)
    references(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "expression",
    [
        "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]",
        'replace(replace(join("", [for a in range(1000) : "aaaaaaaaaa"]), "a", "aaaaaaaaaaaaaaaaaaaa"), "a", "aaaaaaaaaaaa")',
        "pow(10, 1000000000)",
        'format("%1000000000d", 1)',
        'indent(1000000000, "\\n")',
        "setproduct(range(1000), range(1000), range(1000))",
        'regex("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")',
        "9999999999999999999999999999 * 99999999999999999999999999999" + " * 99999999999999999999999999999" * 20,
    ],
)
def test_results_that_would_be_huge_are_unknown(expression: str) -> None:
    start = time.process_time()
    assert isinstance(value_of(expression), Unknown)
    assert time.process_time() - start < 5


@given(st.text())
def test_any_text_can_be_evaluated(text: str) -> None:
    for template in (text, f"${{{text}}}", f"${{{text}", f'${{"{text}"}}', f"%{{{text}}}"):
        first = evaluate(template, resolve)
        assert repr(first) == repr(evaluate(template, resolve))
        references(template)


PIECES = (
    *("${", "}", "%{ if ", "%{ else }", "%{ endif }", "%{ for v in ", "%{ endfor }", "~}", '"', "\\", "$${", "\n"),
    *("(", ")", "[", "]", "{", "}", ",", ".", "*", "[*]", "=", "=>", ":", "?", "...", "+", "-", "/", "%", "!", "&&"),
    *("==", "<", "var.a", "local.zones", "aws_x.y", "v", "for v in ", " if ", "in", "true", "null", "0", "1.5", "1e9"),
    *(
        "upper(",
        "join(",
        "format(",
        "range(",
        "try(",
        "jsonencode(",
        "regex(",
        "::",
        "<<A\n",
        "A\n",
        "/*",
        "#",
        " ",
        "é",
    ),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_text_of_the_grammars_pieces_can_be_evaluated(text: str) -> None:
    for template in (text, f"${{{text}}}"):
        first = evaluate(template, resolve)
        assert repr(first) == repr(evaluate(template, resolve))
        references(template)


def written(value: object) -> str:
    """Return a value as an expression."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return json.dumps(value)


texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.sampled_from('${}%{"\\\n\t'))
leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.sampled_from([0.5, -2.25, 1e-3]) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@settings(deadline=None)
@given(values)
def test_a_value_that_is_written_as_an_expression_comes_back(value: object) -> None:
    assert in_types(value_of(written(value))) == in_types(value)
