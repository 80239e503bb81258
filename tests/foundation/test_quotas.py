from __future__ import annotations

import pytest

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.quotas import QUOTAS, ConcurrencyBudget


def test_a_hundred_executions_stay_unreserved() -> None:
    budget = ConcurrencyBudget()
    assert budget.available == 900
    budget.reserve("shop/a", 900, "eu-west-1")
    assert budget.available == 0


def test_going_over_the_budget_is_refused_with_the_table_of_who_reserves_what() -> None:
    budget = ConcurrencyBudget()
    budget.reserve("shop/a", 500, "eu-west-1")
    budget.reserve("shop/b", 300, "eu-west-1")
    with pytest.raises(ConfigurationError) as error:
        budget.reserve("shop/c", 101, "eu-west-1")
    assert str(error.value) == (
        "shop/c: reserved_concurrency=101: only 100 of the 1000 concurrent executions in eu-west-1 are left (100 stay "
        "unreserved; reserved by shop/a 500, shop/b 300): reserve less, or raise the account's quota and give "
        "region(..., concurrency_limit=). Request the increase in Service Quotas, of Lambda's "
        "Concurrent executions (L-B99A9384)"
    )
    budget.reserve("shop/c", 100, "eu-west-1")


def test_a_raised_quota_gives_more_to_reserve() -> None:
    assert ConcurrencyBudget(3000).available == 2900


@pytest.mark.parametrize("limit", [10, 50, 100])
def test_an_account_with_the_quota_of_a_new_one_has_nothing_to_reserve(limit: int) -> None:
    budget = ConcurrencyBudget(limit)
    with pytest.raises(ConfigurationError) as error:
        budget.reserve("shop/a", 1, "eu-west-1")
    assert str(error.value) == (
        f"shop/a: reserved_concurrency=1: only 0 of the {limit} concurrent executions in eu-west-1 are left ({limit} "
        "stay unreserved; reserved by nobody): reserve less, or raise the account's quota and give region(..., "
        "concurrency_limit=). Request the increase in Service Quotas, of Lambda's Concurrent executions (L-B99A9384)"
    )


def test_every_quota_names_its_page_and_day() -> None:
    for quota in QUOTAS.values():
        assert quota.source.startswith("https://docs.aws.amazon.com/")
        assert quota.read_on.year >= 2026
