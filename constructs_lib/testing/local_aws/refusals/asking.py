"""What a refusal is: a function that looks at a request, and at what the local AWS already has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from moto import backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from constructs_lib.testing.local_aws.policies import Statement, statements
from constructs_lib.testing.local_aws.quotas import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs_lib.testing.local_aws.operations import Call


class RefusedError(Exception):
    """AWS refuses a request.

    Args:
        code: AWS's error code.
        message: AWS's message.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Asked:
    """A request to the local AWS.

    Attributes:
        call: The operation.
        parameters: Its parameters, as the model of the operation names them.
        quotas: Quotas that differ from AWS's defaults.
    """

    call: Call
    parameters: Mapping[str, Any]
    quotas: Mapping[str, int] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The account of the local AWS."""
        return DEFAULT_ACCOUNT_ID

    def quota(self, name: str) -> int:
        """Return a quota of the account."""
        return self.quotas.get(name, DEFAULTS[name])

    def backend(self, service: str, region: str = "") -> Any:  # noqa: ANN401  moto's
        """Return what moto has of a service, in the Region of the request or another."""
        return _backend(service)[DEFAULT_ACCOUNT_ID][region or self.call.region]

    def role(self, arn: str | None) -> Any:  # noqa: ANN401  moto's
        """Return a role by its ARN; None if it does not exist."""
        roles = _backend("iam")[DEFAULT_ACCOUNT_ID]["aws"].roles.values()
        return next((role for role in roles if role.arn == arn), None)

    def role_statements(self, arn: str | None) -> list[Statement] | None:
        """Return the statements of all policies of a role; None if it does not exist."""
        if (role := self.role(arn)) is None:
            return None
        managed = [policy.document for policy in role.managed_policies.values()]
        return [each for document in (*role.policies.values(), *managed) for each in statements(document)]


# Its type is one overload for each service.
_backend: Final[Callable[[str], Any]] = vars(backends)["get_backend"]

REFUSALS: Final[dict[str, list[Callable[[Asked], None]]]] = {}
"""The refusals of each operation."""


def refuses(*operations: str) -> Callable[[Callable[[Asked], None]], Callable[[Asked], None]]:
    """Register a function that raises `RefusedError` for requests of operations that AWS refuses."""

    def register(refusal: Callable[[Asked], None]) -> Callable[[Asked], None]:
        for operation in operations:
            REFUSALS.setdefault(operation, []).append(refusal)
        return refusal

    return register


def refusal_of(asked: Asked) -> RefusedError | None:
    """Return why AWS refuses a request; None if it accepts it."""
    for refusal in REFUSALS.get(asked.call.name, ()):
        try:
            refusal(asked)
        except RefusedError as refused:
            return refused
    return None
