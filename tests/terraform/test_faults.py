"""Reference stacks whose calls to AWS fail once: applied again, they converge, and nothing is created twice.

By default every change loses its first answer, and one operation of each stack, chosen at random, is denied once. With
FAULTS=all every operation of every stack is denied once; FAULT_SEED chooses other operations.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import pytest

from constructs_lib import Environment
from constructs_lib.testing.errors import StepError
from constructs_lib.testing.local_aws import Failure, Fault, LocalAws
from constructs_lib.testing.local_aws.quotas import NEW_ACCOUNT
from constructs_lib.testing.terraform import Terraform, Workspace
from stacks.events import EventsStack
from stacks.payments import PaymentsStack
from stacks.platform import PlatformStack
from stacks.state_backend import StateBackendStack
from stacks.ticketing import TicketingStack
from stacks.trading import TradingStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_lib import App
    from constructs_lib.testing import SynthesizedStack

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

ATTEMPTS: Final = 4
SEED: Final = os.environ.get("FAULT_SEED", "1")
WHOLE: Final = os.environ.get("FAULTS") == "all"
READS: Final = ("Describe", "Get", "Head", "List", "Search", "Validate")
# The provider mostly waits; more at a time would only wait for the processor.
SIDE_BY_SIDE: Final = 3

DEV: Final = Environment.DEV
STACKS: Final[dict[str, Callable[[App], object]]] = {
    "events": lambda app: EventsStack(app, "events", environment=DEV),
    "payments": lambda app: PaymentsStack(app, "payments", environment=DEV),
    "platform": lambda app: PlatformStack(app, "platform", environment=DEV),
    "state-backend": lambda app: StateBackendStack(app, "state-backend", environment=DEV),
    "ticketing": lambda app: TicketingStack(app, "ticketing", environment=DEV),
    "trading": lambda app: TradingStack(app, "trading", environment=DEV, certificates=None),
}


def converge(stack: SynthesizedStack, terraform: Terraform, *faults: Fault) -> SimpleNamespace:
    """Apply a stack to a new account until an apply succeeds, and plan again."""
    with (
        LocalAws(faults=faults, quotas=NEW_ACCOUNT) as aws,
        Workspace(stack, aws=aws, terraform=terraform) as workspace,
    ):
        workspace.init()
        errors = []
        for _ in range(ATTEMPTS):
            workspace.plan()
            try:
                workspace.apply()
            except StepError as error:
                errors.append(str(error))
            else:
                break
        else:
            return SimpleNamespace(errors=errors, left=(), calls=Counter(), converged=False)
        drift = workspace.drift()
        return SimpleNamespace(errors=errors, left=drift.unexpected, calls=Counter(aws.calls), converged=True)


def kept(calls: Counter[str]) -> dict[str, int]:
    """Return how many things each operation created that were not deleted again."""
    found = {}
    for name, count in calls.items():
        service, operation = name.split(":")
        if operation.startswith("Create") and not operation.endswith("Tags"):
            thing = operation.removeprefix("Create")
            deletions = {
                f"Delete{thing}",
                f"Delete{thing}s",
                *(["ScheduleKeyDeletion"] if name == "kms:CreateKey" else []),
            }
            found[name] = count - sum(calls[f"{service}:{deletion}"] for deletion in deletions)
    return found


def test_what_was_deleted_again_does_not_count_as_created() -> None:
    calls = {"kms:CreateKey": 2, "kms:ScheduleKeyDeletion": 1, "ec2:CreateTags": 3, "ec2:CreateVpcEndpoint": 2}
    calls |= {"ec2:DeleteVpcEndpoints": 1, "sqs:CreateQueue": 2, "sns:DeleteQueue": 1}
    assert kept(Counter(calls)) == {"kms:CreateKey": 1, "ec2:CreateVpcEndpoint": 1, "sqs:CreateQueue": 2}


@pytest.fixture(scope="module")
def lost(
    synthesize: Callable[[Callable[[App], object]], dict[str, SynthesizedStack]], aws_provider: Terraform
) -> dict[str, SimpleNamespace]:
    """Each stack, applied while the first answer to each kind of change is lost."""
    stacks = {name: synthesize(build)[name] for name, build in STACKS.items()}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        outcomes = threads.map(lambda stack: converge(stack, aws_provider, Fault("*", Failure.LOST)), stacks.values())
        found = dict(zip(stacks, outcomes, strict=True))
    for name, outcome in found.items():
        outcome.stack = stacks[name]
    return found


def test_a_stack_converges_when_answers_are_lost(lost: dict[str, SimpleNamespace]) -> None:
    failed = {name: (one.errors, one.left) for name, one in lost.items() if not one.converged or one.left}
    assert failed == {}


def test_a_stack_converges_when_an_operation_is_denied_once(
    lost: dict[str, SimpleNamespace], aws_provider: Terraform
) -> None:
    chosen = [(name, operation) for name, one in lost.items() for operation in operations(name, one.calls)]

    def deny(case: tuple[str, str]) -> str:
        name, operation = case
        found = converge(lost[name].stack, aws_provider, Fault(operation, Failure.DENIED))
        if not found.converged:
            return f"{name}: {operation}: does not converge: {found.errors[-1]}"
        if found.left:
            return f"{name}: {operation}: the last plan is not empty: {found.left}"
        # Who reads the error as not found may create a thing that is there.
        twice = {each for each, count in kept(found.calls).items() if count > kept(lost[name].calls).get(each, 0)}
        return f"{name}: {operation}: created twice: {twice}" if twice else ""

    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        failed = [outcome for outcome in threads.map(deny, chosen) if outcome]
    assert failed == []


def operations(name: str, calls: Counter[str]) -> list[str]:
    """Return the operations of a stack to deny: all that change something, or one of them."""
    changes = sorted(each for each in calls if not each.split(":")[1].startswith(READS))
    return changes if WHOLE else [random.Random(f"{SEED} {name}").choice(changes)]
