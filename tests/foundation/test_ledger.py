from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.foundation.ledger import Excess, Ledger

ONE, TWO = ("111111111111",), ("222222222222",)


def ledger(*uses: tuple[str, str, tuple[str, ...], int, int | None]) -> Ledger:
    made = Ledger()
    for stack, environment, accounts, number, limit in uses:
        use = made.use("elastic-ip-addresses", "us-east-1", stack, environment, accounts)
        use.number, use.limit = number, limit
    return made


def text(limit: str, total: int, each: str, known: str) -> str:
    return (
        f"elastic_ip_limit={limit}: the stacks of one account create {total} Elastic IP addresses in us-east-1 ({each}), "
        f"and the {known}; request a higher quota with `aws service-quotas request-service-quota-increase "
        f"--service-code ec2 --quota-code L-0263D0A3 --desired-value {total} --region us-east-1` and give "
        f"region('us-east-1', elastic_ip_limit={total}), or deploy the stacks to several accounts with allowed_account_ids"
    )


def test_more_than_the_default_of_all_stacks_together_names_quota_command_and_argument() -> None:
    found = list(ledger(("a", "prod", (), 3, None), ("b", "prod", (), 3, None), ("c", "prod", (), 0, None)).excesses())
    assert found == [Excess("a", stated=False, message=text("None", 6, "a 3, b 3", "default quota L-0263D0A3 is 5"))]


def test_more_than_the_stated_quota_is_an_excess_that_is_stated() -> None:
    found = list(ledger(("a", "prod", (), 3, 7), ("b", "prod", (), 6, None)).excesses())
    assert found == [Excess("a", stated=True, message=text("7", 9, "a 3, b 6", "quota L-0263D0A3 is 7"))]


def test_a_stated_quota_holds_for_all_stacks_of_the_account_and_the_least_one_counts() -> None:
    assert list(ledger(("a", "prod", (), 3, 9), ("b", "prod", (), 6, None)).excesses()) == []
    (found,) = ledger(("a", "prod", (), 3, 9), ("b", "prod", (), 6, 8)).excesses()
    assert found.message.startswith("elastic_ip_limit=8: ")


def test_five_is_the_quota_of_a_new_account() -> None:
    assert list(ledger(("a", "prod", (), 5, None)).excesses()) == []
    assert len(list(ledger(("a", "prod", (), 6, None)).excesses())) == 1


def test_accounts_and_environments_are_counted_apart() -> None:
    assert list(ledger(("a", "prod", ONE, 4, None), ("b", "prod", TWO, 4, None)).excesses()) == []
    assert list(ledger(("a", "prod", (), 4, None), ("b", "dev", (), 4, None)).excesses()) == []


def test_a_stack_for_any_account_belongs_to_the_only_one_of_its_environment() -> None:
    assert len(list(ledger(("a", "prod", ONE, 4, None), ("b", "prod", (), 4, None)).excesses())) == 1
    several = ledger(("a", "prod", ONE, 4, None), ("b", "prod", (), 4, None), ("c", "prod", TWO, 4, None))
    assert list(several.excesses()) == []


def test_regions_and_kinds_are_counted_apart() -> None:
    made = Ledger()
    for region in ("us-east-1", "eu-west-1"):
        made.use("elastic-ip-addresses", region, "a", "prod", ()).number = 5
        made.use("vpcs", region, "a", "prod", ()).number = 5
    assert list(made.excesses()) == []
    made.use("vpcs", "eu-west-1", "b", "prod", ()).number = 1
    (found,) = made.excesses()
    assert found.message.startswith("vpc_limit=None: the stacks of one account create 6 VPCs in eu-west-1 (a 5, b 1), ")
    assert "--service-code vpc --quota-code L-F678F1CE --desired-value 6 --region eu-west-1" in found.message


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 40))
def test_there_is_an_excess_exactly_if_the_sum_is_above_the_limit(numbers: list[int], limit: int) -> None:
    uses = [(f"s{index}", "prod", ONE, number, limit) for index, number in enumerate(numbers)]
    assert bool(list(ledger(*uses).excesses())) is (sum(numbers) > limit)
