"""Passwords and tokens that Terraform generates, and the secrets in which clients find them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from constructs_lib._engine import aws, random
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

SAFE_SPECIAL: Final = "_."
"""Characters that mean nothing to a URL, a shell, a connection string or JSON, wherever they stand."""
MIN_LENGTH: Final = 16
MAX_LENGTH: Final = 41
"""Aurora MySQL takes no longer one."""


@dataclass(frozen=True)
class GeneratedPassword:
    """A password or token that Terraform generates and keeps in a secret of its own; it is also in the state.

    For clients that cannot read the secret that RDS manages. Nothing rotates it: raise `generation` to get another.

    Attributes:
        length: Characters, 16 to 41.
        generation: Any number; another one makes another password.
    """

    length: int = 32
    generation: int = 1


def check_password(problems: Problems, password: object, argument: str = "password") -> None:
    """Note a password option that is none; there is no way to give a password itself."""
    if password is None:
        return
    if not isinstance(password, GeneratedPassword):
        # The value may be a password.
        shown = password if is_token(password) else "..."
        problems.add(argument, shown, "must be GeneratedPassword(); a password itself is never taken")
        return
    problems.check_whole(f"{argument}.length", password.length, MIN_LENGTH, MAX_LENGTH)
    problems.check(
        type(password.generation) is int, f"{argument}.generation", password.generation, "must be a whole number"
    )


class GeneratedCredentials(HardenedConstruct):
    """A generated password, and the secret in which clients find it with the rest of what they need.

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
        self.result = self._ref(self.password, "result")
        self.resource = self._create(
            aws.secretsmanager_secret.SecretsmanagerSecret,
            "Resource",
            name=self._name("secret"),
            description=f"{whose} of {scope.path}",
            kms_key_id=key.arn_for(self),
            recovery_window_in_days=region.profile.key_deletion_window_days,
        )
        self.arn = self._ref(self.resource, "arn")

    def write(self, **values: Any) -> None:  # noqa: ANN401  what JSON holds
        """Write the secret's value: what is given, and the password."""
        self._create(
            aws.secretsmanager_secret_version.SecretsmanagerSecretVersion,
            "value",
            secret_id=self._ref(self.resource, "id"),
            secret_string=json.dumps({**values, "password": self.result}, sort_keys=True),
        )
