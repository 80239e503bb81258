"""What the plugin says at the end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "constructs_lib.testing.plugin")

SUITE = """
import pytest
pytestmark = pytest.mark.terraform

def test_passes(): pass
def test_fails(): assert False
@pytest.mark.parametrize("n", [1, 2])
def test_skips(n): pytest.skip("the real Terraform: none")
@pytest.mark.skip(reason="no network")
def test_is_skipped(): pass
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other pytests find the library."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def lines(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    pytester.makeini("[pytest]\nmarkers = terraform: runs the real Terraform")
    output: list[str] = pytester.runpytest_subprocess(*PLUGIN, *arguments).outlines
    return [line for line in output if line]


def test_it_says_how_many_marked_tests_ran_and_why_others_did_not(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    said = lines(pytester)
    expected = "marked terraform: 2 ran, 3 skipped (2: the real Terraform: none; 1: no network)"
    assert expected in said
    assert said[-1].strip("= ").startswith("1 failed, 1 passed, 3 skipped in ")


def test_it_says_when_the_run_ended_before_all_of_them(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    said = lines(pytester, "-x")
    assert "marked terraform: 2 ran, 0 skipped, 3 not run" in said
    assert "1 failed, 1 passed" in said[-1]


def test_it_says_nothing_where_no_marked_test_was_asked_for(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("terraform")
    (folder / "test_other.py").write_text("def test_passes(): pass", encoding="utf-8")
    pytester.makepyfile(SUITE)
    said = lines(pytester, "-m", "not terraform")
    assert not any("real Terraform" in line for line in said)
    assert "1 passed, 5 deselected" in said[-1]


def test_it_shows_where_the_local_aws_of_applied_stacks_is_not_aws(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest
        from constructs_lib.testing import workspace

        @pytest.mark.terraform
        def test_applies():
            workspace.APPLIED.update(shop=frozenset({"aws_route53_zone"}), bar=frozenset({"aws_vpc"}))
    """)
    said = lines(pytester)
    first = said.index("applied to a local AWS, not to AWS: bar, shop; known differences:")
    assert said[first + 1] == (
        "  returned as it was sent: aws_route53_zone.vpc: moto returns the VPCs in elements that the provider does not read"
    )
    assert said[-1].strip("= ").startswith("1 passed in ")
    assert len(said) == first + 3


def test_it_says_the_same_when_tests_run_in_several_processes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        SUITE,
        test_other="""
            import pytest
            from constructs_lib.testing import workspace

            @pytest.mark.terraform
            def test_applies():
                workspace.APPLIED.update(shop=frozenset({"aws_vpc"}))
        """,
    )
    said = lines(pytester, "-p", "xdist", "-n", "2")
    assert "marked terraform: 3 ran, 3 skipped (2: the real Terraform: none; 1: no network)" in said
    assert "applied to a local AWS, not to AWS: shop; no known differences" in said
    assert said[-1].strip("= ").startswith("1 failed, 2 passed, 3 skipped in ")
