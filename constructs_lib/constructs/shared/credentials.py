"""Passwords and tokens that Terraform generates, and their secrets in Secrets Manager."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from constructs_lib._engine import aws, random
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

SAFE_SPECIAL: Final = "_."
"""Special characters that need no escaping in URLs, shells, connection strings and JSON."""
MIN_LENGTH: Final = 16
MAX_LENGTH: Final = 41
"""The maximum of Aurora MySQL."""


@dataclass(frozen=True)
class GeneratedPassword:
    """A password or token that Terraform generates and stores in Secrets Manager. It is in the Terraform state too.

    It is not rotated: a change of `generation` generates a new one.

    Attributes:
        length: The number of characters, 16 to 41.
        generation: Any whole number. A change generates a new password.
    """

    length: int = 32
    generation: int = 1


def check_password(problems: Problems, password: object, argument: str = "password") -> None:
    """Report a value that is not a `GeneratedPassword`; passwords themselves are not accepted."""
    if password is None:
        return
    if not isinstance(password, GeneratedPassword):
        # The value may be a password.
        shown = password if is_token(password) else "..."
        problems.add(argument, shown, "must be GeneratedPassword(); passwords themselves are not accepted")
        return
    problems.check_whole(f"{argument}.length", password.length, MIN_LENGTH, MAX_LENGTH)
    problems.check(
        type(password.generation) is int, f"{argument}.generation", password.generation, "must be a whole number"
    )


class GeneratedCredentials(HardenedConstruct):
    """A generated password, and a secret with it and the connection details.

    Attributes:
        password: The `random_password`.
        resource: The `aws_secretsmanager_secret`.

    See https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        option: GeneratedPassword,
        whose: str = "Master user",
        special: str = SAFE_SPECIAL,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.password = self._create(
            random.password.Password,
            "password",
            length=option.length,
            special=True,
            override_special=special,
            min_lower=2,
            min_upper=2,
            min_numeric=2,
            min_special=2,
            keepers={"generation": str(option.generation)},
        )
        self.resource = self._create(
            aws.secretsmanager_secret.SecretsmanagerSecret,
            "Resource",
            name=self._name("secret"),
            description=f"{whose} of {scope.path}",
            kms_key_id=key.arn_for(self),
            recovery_window_in_days=region.profile.key_deletion_window_days,
        )

    @property
    def in_stack_password(self) -> str:
        """The password, for use inside the stack."""
        return self._ref(self.password, "result")

    @cached_property
    def arn(self) -> str:
        """The secret's ARN."""
        return self.resource.arn

    def write(self, **values: Any) -> None:  # noqa: ANN401  JSON values
        """Create the secret's value, with the password under `password`."""
        self._create(
            aws.secretsmanager_secret_version.SecretsmanagerSecretVersion,
            "value",
            secret_id=self._ref(self.resource, "id"),
            secret_string=json.dumps({**values, "password": self.in_stack_password}, sort_keys=True),
        )
