from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import App, AwsProvider, Construct, HardenedStack, TerraformStack, acknowledge, attach, aws
from constructs_lib.cli import main
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.engine import fingerprint
from tests.rules.queues import RULES, broken

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
HERE = "tests/core/test_attach.py"
REASON = "The queue holds public prices only."
PRINT = fingerprint("OPS-901", "kms_master_key_id", None)
SOON = datetime.now(UTC).date() + timedelta(days=30)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "200")
    return App(outdir=str(tmp_path / "cdktf.out"))


def shop(app: App, environment: str = "prod") -> HardenedStack:
    return HardenedStack(app, "shop", environment=environment, owner="me")


def queue(stack: HardenedStack, id_: str = "jobs", key: str | None = None) -> aws.sqs_queue.SqsQueue:
    provider = stack.region("eu-west-1").provider
    return aws.sqs_queue.SqsQueue(stack, id_, provider=provider, name=f"shop-{id_}", kms_master_key_id=key)


def findings(app: App) -> list[str]:
    given: dict[str, Any] = json.loads((Path(app.outdir) / "findings.json").read_text(encoding="utf-8"))
    return [f"{finding['rule']} {finding['file']}" for finding in given["findings"]]


def failure(app: App) -> str:
    with pytest.raises(RuntimeError) as failed:
        app.synth()
    return str(failed.value).splitlines()[1].strip()


def test_an_error_fails_the_synthesis_after_the_findings_are_written(
    app: App, capfd: pytest.CaptureFixture[str]
) -> None:
    attach(app, rules=RULES)
    queue(shop(app))
    out = Path(app.outdir)
    assert failure(app) == (
        f"1 error; errors fail the synthesis: OPS-901. The report is above and in {out}/findings.json. Fix the "
        "findings, or accept them with acknowledge() or in waivers.toml."
    )
    assert findings(app) == [f"OPS-901 {HERE}"]
    assert json.loads((out / "findings.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    printed = capfd.readouterr().err
    assert printed.startswith(
        "1 ERROR\n  OPS-901  SQS queue is encrypted\n    shop:aws_sqs_queue.jobs  tests/core/test_attach.py:"
    )
    assert printed.endswith(f"\nDetails: constructs-lib check {out} --verbose\n")
    assert (out / "stacks/shop/cdk.tf.json").exists()
    assert not (out / "manifest.json").exists()


def test_a_clean_app_is_synthesized_and_nothing_is_printed(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    attach(app, rules=RULES)
    queue(shop(app), key="alias/shop")
    app.synth()
    assert findings(app) == []
    assert capfd.readouterr() == ("", "")
    assert (Path(app.outdir) / "manifest.json").exists()


def test_the_environment_of_the_stack_decides_the_weight(app: App) -> None:
    attach(app, rules=RULES)
    queue(shop(app, "dev"))
    app.synth()
    assert findings(app) == [f"OPS-901 {HERE}"]


def test_the_environment_and_the_level_may_be_given(app: App) -> None:
    attach(app, rules=RULES, environment="staging", fail_on="warning")
    queue(shop(app, "dev"))
    assert failure(app).startswith("1 warning; errors and warnings fail the synthesis: OPS-901.")


def test_with_never_the_findings_are_only_reported(app: App) -> None:
    attach(app, rules=RULES, fail_on="never")
    queue(shop(app))
    app.synth()
    assert findings(app) == [f"OPS-901 {HERE}"]


def test_an_acknowledged_finding_lets_the_synthesis_pass(app: App) -> None:
    attach(app, rules=RULES)
    accepted = queue(shop(app))
    acknowledge(accepted, "OPS-901", reason=REASON, owner="me", until=SOON, accepts=PRINT)
    app.synth()
    assert findings(app) == []


def test_a_subtree_is_acknowledged_with_its_root(app: App) -> None:
    attach(app, rules=RULES)
    stack = shop(app)
    group = Construct(stack, "group")
    provider = stack.region("eu-west-1").provider
    for name in ("a", "b"):
        aws.sqs_queue.SqsQueue(group, name, provider=provider, name=name)
    acknowledge(group, "OPS-901", reason=REASON, owner="me", until=SOON.isoformat(), accepts=[PRINT], subtree=True)
    app.synth()
    assert findings(app) == []


def test_what_is_acknowledged_holds_for_the_command_line_too(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = queue(shop(app))
    acknowledge(accepted, "MSG-001", reason=REASON, owner="me", until=SOON)
    app.synth()
    assert main(["check", app.outdir, "--rule", "MSG-001"]) == 0
    printed = capsys.readouterr().out
    assert f"waived MSG-001 shop:aws_sqs_queue.jobs, until {SOON} by me:\n  {REASON}\n" in printed


def test_a_plain_stack_is_looked_at_with_its_callers_and_waivers(app: App) -> None:
    attach(app, rules=RULES)
    stack = TerraformStack(app, "plain")
    AwsProvider(stack, "aws", region="eu-west-1")
    accepted = aws.sqs_queue.SqsQueue(stack, "accepted", name="a")
    aws.sqs_queue.SqsQueue(stack, "found", name="b")
    acknowledge(accepted, "OPS-901", reason=REASON, owner="me", until=SOON, accepts=PRINT)
    assert failure(app).startswith("1 error; errors fail the synthesis: OPS-901.")
    assert findings(app) == [f"OPS-901 {HERE}"]
    notes = json.loads((Path(app.outdir) / "stacks/plain/constructs.json").read_text(encoding="utf-8"))
    assert [waiver["scope"] for waiver in notes["waivers"]] == ["plain/accepted"]


def test_all_stacks_are_looked_at_together_and_left_overs_are_not(app: App) -> None:
    seen: list[list[str]] = []
    attach(app, rules=[spy(seen.append)])
    HardenedStack(app, "one", environment="dev", owner="me")
    HardenedStack(app, "two", environment="dev", owner="me")
    old = Path(app.outdir) / "stacks/old"
    old.mkdir(parents=True)
    (old / "cdk.tf.json").write_text('{"terraform": {}}', encoding="utf-8")
    app.synth()
    assert seen == [["one", "two"], ["one", "two"]]


def spy(tell: Callable[[list[str]], object]) -> Any:
    from dataclasses import replace  # noqa: PLC0415  only here

    def look(block: Any) -> list[Any]:
        tell([stack.name for stack in block.estate.stacks])
        return []

    return replace(RULES[0], id="OPS-904", types=("terraform",), check=look)


def test_settings_of_the_project_are_read(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.constructs-lib]\nfail-on = "info"\nskip = [{rule = "OPS-901", reason = "Not yet."}]', encoding="utf-8"
    )
    attach(app, rules=RULES)
    made = queue(shop(app, "dev"))
    app.synth()
    assert findings(app) == []
    assert capfd.readouterr().err.startswith("1 rule skipped by pyproject.toml.\nNo findings. 1 rule checked ")
    made.delay_seconds = 60
    assert failure(app).startswith("1 warning; all findings fail the synthesis: OPS-902.")


def test_the_argument_overrides_the_level_of_the_project(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.constructs-lib]\nfail-on = "info"', encoding="utf-8")
    attach(app, rules=RULES, fail_on="error")
    queue(shop(app, "dev"))
    app.synth()
    assert findings(app) != []


def test_notes_are_counted_unless_they_fail_the_synthesis(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    attach(app, rules=RULES)
    stack = shop(app, "dev")
    queue(stack)
    queue(stack, "more")
    app.synth()
    assert capfd.readouterr().err == (
        "2 NOTES\n  OPS-901  SQS queue is encrypted  \N{MULTIPLICATION SIGN}2\n\n"
        "2 notes. 2 rules checked 2 resources and data sources in 1 stack (dev).\n"
        f"Details: constructs-lib check {app.outdir} --verbose\n"
    )


def test_waivers_may_be_in_a_file(app: App, tmp_path: Path) -> None:
    file = tmp_path / "accepted.toml"
    file.write_text(
        f'[[waiver]]\nrule = "OPS-901"\nscope = "shop:aws_sqs_queue.jobs"\nreason = "{REASON}"\nowner = "me"\n'
        f'until = {SOON}\naccepts = ["{PRINT}"]\n',
        encoding="utf-8",
    )
    attach(app, rules=RULES, waivers=file)
    queue(shop(app))
    app.synth()
    assert findings(app) == []


def test_a_bad_file_of_waivers_fails_the_synthesis_with_its_message(app: App, tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text("[[waiver", encoding="utf-8")
    attach(app, rules=RULES, waivers=file)
    shop(app)
    assert failure(app).startswith(f"{file}: invalid TOML: ")


def test_a_mistake_in_a_rule_fails_the_synthesis_and_says_where(app: App) -> None:
    attach(app, rules=[broken])
    queue(shop(app))
    assert failure(app) == (
        "1 check failed with an error in the rule: OPS-903 at shop:aws_sqs_queue.jobs: KeyError: 'jobs'"
    )


def test_an_app_without_stacks_has_nothing_to_look_at(app: App) -> None:
    attach(app, rules=RULES)
    app.synth()
    assert sorted(file.name for file in Path(app.outdir).iterdir()) == ["manifest.json", "stacks"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"environment": "production"}, "environment='production': must be dev, staging or prod"),
        ({"fail_on": "errors"}, "fail_on='errors': must be one of error, warning, info, never"),
        ({"waivers": "none.toml"}, "waivers='none.toml': file not found"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(app: App, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        attach(app, **arguments)
    assert str(refused.value) == f"attach: {problem}"


def test_rules_are_attached_once(app: App) -> None:
    attach(app)
    with pytest.raises(ConfigurationError, match="attach: app='App': rules are attached already"):
        attach(app)


def test_an_app_that_skips_validations_is_refused(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), skip_validation=True)
    with pytest.raises(ConfigurationError) as refused:
        attach(app)
    assert str(refused.value) == (
        "attach: app='App': skip_validation is set, so that the rules would not run; remove it"
    )


def test_what_cannot_be_acknowledged_is_refused_with_every_problem(app: App) -> None:
    with pytest.raises(ConfigurationError) as refused:
        acknowledge(queue(shop(app)), "NET-3", reason="because", owner="", until="soon", accepts="no")
    assert [problem.split("=")[0] for problem in refused.value.problems] == [
        *("rules", "reason", "owner", "until", "accepts"),
    ]
    assert refused.value.path == "shop/jobs"


def test_an_app_cannot_be_acknowledged(app: App) -> None:
    with pytest.raises(ConfigurationError) as refused:
        acknowledge(app, "OPS-901", reason=REASON, owner="me", until=date(2027, 1, 1))
    assert str(refused.value).endswith("construct='App': must be in a stack")


def test_the_rules_are_not_loaded_before_they_are_attached() -> None:
    script = "import sys, constructs_lib as lib; lib.attach; sys.exit('constructs_lib.rules.catalogue' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
