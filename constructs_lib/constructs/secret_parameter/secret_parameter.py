"""SecretParameter: a secret in Parameter Store that nobody writes into code, encrypted with the caller's key."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, get_args

from constructs_lib._engine import aws, core, random
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Condition, Statement
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.naming import terraform_name
from constructs_lib.foundation.regions import is_token

Tier = Literal["Standard", "Advanced", "Intelligent-Tiering"]

SAFE_SYMBOLS: Final = "_."
"""Characters that mean nothing to a URL, a shell, a connection string or JSON, wherever they stand."""
MIN_LENGTH: Final = 16
MAX_LENGTH: Final = 128
MAX_NAME: Final = 1011
"""Characters of a name. See https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html."""
MAX_TEXT: Final = 1024
"""Characters of a description and of an allowed pattern; from the same page."""
PLACEHOLDER: Final = re.compile(
    r"^\W*$|^(.)\1*$|replace|change.?(me|it|this)|to.?do\b|fixme|\btb[ad]\b|example|sample|dummy|placeholder|insert|"
    r"passw(or|0r)?d|passphrase|secret|your.|default|^(foo|bar|test|admin|none|null|1234\d*|abc\w*|qwerty\w*)$",
    re.IGNORECASE,
)
"""What stands where a secret should: words that ask for one, and what everybody tries first."""


@dataclass(frozen=True)
class GeneratedValue:
    """A value that Terraform generates; it is also in the state, which must be encrypted.

    Attributes:
        length: Characters, 16 to 128.
        symbols: Whether it holds `_` and `.` beside letters and digits.
        generation: A whole number of at least 1; another one makes another value.
    """

    length: int = 32
    symbols: bool = True
    generation: int = 1


@dataclass(frozen=True)
class WriteOnlyValue:
    """A value that AWS generates while Terraform runs, and that is in no plan and no state.

    Needs Terraform 1.11 or later, and `secretsmanager:GetRandomPassword` for whoever deploys.

    Attributes:
        length: Characters, 16 to 128.
        symbols: Whether it holds `_` and `.` beside letters and digits.
        generation: A whole number of at least 1; a greater one makes another value.
    """

    length: int = 32
    symbols: bool = True
    generation: int = 1


@dataclass(frozen=True)
class OutsideValue:
    """A value that somebody sets outside; until then it is a random one, and Terraform never writes it again.

    It is write-only too: `ignore_changes` alone would leave the value in place and still read it into the state.
    Needs what `WriteOnlyValue` needs.
    """


Value = GeneratedValue | WriteOnlyValue | OutsideValue


class SecretParameter(HardenedConstruct):
    """A SecureString under `/environment/project/component`, encrypted with a customer key.

    There is no argument that takes the value itself.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        key: Encrypts it; must exist in the region.
        value: `GeneratedValue` by default, `WriteOnlyValue` or `OutsideValue`.
        description: What the secret opens, at most 1,024 characters.
        tier: Standard by default, Advanced or Intelligent-Tiering; the way back from Advanced makes a new parameter.
        allowed_pattern: A regular expression that every value must match, at most 1,024 characters; none by default.

    Raises:
        ConfigurationError: A value in place of where it comes from, or an argument that Parameter Store refuses.

    See https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        value: Value | None = None,
        description: str | None = None,
        tier: Tier = "Standard",
        allowed_pattern: str | None = None,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._key = key
        self.name = f"/{region.environment.value}/{region.stack.project}/{self.component}"
        """The same in every region; a plain string."""
        source = GeneratedValue() if value is None else value
        self._check(source, description, tier, allowed_pattern)
        self.resource = self._create(
            aws.ssm_parameter.SsmParameter,
            "Resource",
            name=self.name,
            type="SecureString",
            key_id=key.arn_for(self),
            description=description or f"Secret of {self.path}",
            tier=tier,
            data_type="text",
            allowed_pattern=allowed_pattern,
            **self._value(source),
        )
        self._publish("name", self._ref(self.resource, "name"), f"Name of the secret {id_}; its value is no output")
        self._publish("arn", self._ref(self.resource, "arn"), f"ARN of the secret {id_}")

    @cached_property
    def arn(self) -> str:
        """The parameter's ARN, for other stacks."""
        return self.resource.arn

    def grant_read(self, grantee: Grantee) -> None:
        """Let a role read this parameter, and use the key for it and for nothing else.

        Args:
            grantee: A role or a function of the same stack.

        Raises:
            ConfigurationError: The grantee belongs to another stack.
        """
        if grantee.region.stack is not self.region.stack:
            raise ConfigurationError(
                self.path,
                f"grantee={grantee.path!r}: belongs to another stack; write its grant there, with the output arn",
            )
        name = terraform_name(self.components, self.region.name).title().replace("_", "")
        arn = self._ref(self.resource, "arn")
        grantee.grant(Statement(sid=f"Read{name}", actions=("ssm:GetParameter",), resources=(arn,)))
        grantee.grant(
            Statement(
                sid=f"Decrypt{name}",
                actions=("kms:Decrypt",),
                resources=(self._key.arn_for(self),),
                conditions=(Condition("StringEquals", "kms:EncryptionContext:PARAMETER_ARN", (arn,)),),
            )
        )

    def _value(self, source: Value) -> dict[str, Any]:
        """Return the arguments by which the parameter gets its value."""
        if isinstance(source, GeneratedValue):
            return {"value": self._generated(source)}
        if isinstance(source, WriteOnlyValue):
            return {"value_wo": self._ephemeral(source.length, source.symbols), "value_wo_version": source.generation}
        return {
            "value_wo": self._ephemeral(WriteOnlyValue.length, WriteOnlyValue.symbols),
            "value_wo_version": WriteOnlyValue.generation,
            "lifecycle": core.TerraformResourceLifecycle(ignore_changes=["value_wo_version"]),
        }

    def _generated(self, source: GeneratedValue) -> str:
        password = self._create(
            random.password.Password,
            "value",
            length=source.length,
            special=source.symbols,
            override_special=SAFE_SYMBOLS if source.symbols else None,
            min_lower=2,
            min_upper=2,
            min_numeric=2,
            min_special=2 if source.symbols else None,
            keepers={"generation": str(source.generation)},
        )
        return self._ref(password, "result")

    def _ephemeral(self, length: int, symbols: bool) -> str:  # noqa: FBT001  as in the option
        """Write an ephemeral block, which the engine does not know, and return the reference to its password."""
        name = terraform_name((*self.components, "value"), self.region.name)
        safe = SAFE_SYMBOLS if symbols else ""
        type_ = "aws_secretsmanager_random_password"
        self.region.stack.add_override(
            f"ephemeral.{type_}.{name}",
            {
                "provider": self.region.provider.fqn,
                "password_length": length,
                "exclude_characters": "".join(sign for sign in string.punctuation if sign not in safe),
                "require_each_included_type": True,
            },
        )
        return f"${{ephemeral.{type_}.{name}.random_password}}"

    def _check(self, source: object, description: str | None, tier: object, allowed_pattern: object) -> None:
        problems = self._problems
        problems.check(len(self.name) <= MAX_NAME, "id_", self.name, f"makes a name of more than {MAX_NAME} characters")
        self._check_value(source)
        problems.check(
            description is None or (isinstance(description, str) and len(description) <= MAX_TEXT),
            "description",
            description,
            f"must be a text of at most {MAX_TEXT} characters",
        )
        tiers = get_args(Tier)
        problems.check(tier in tiers, "tier", tier, f"must be one of {', '.join(tiers)}")
        if allowed_pattern is not None:
            self._check_pattern(allowed_pattern, source)
        problems.raise_if_any()

    def _check_value(self, source: object) -> None:
        problems = self._problems
        if isinstance(source, str) and not is_token(source) and PLACEHOLDER.search(source):
            problems.add(
                "value",
                source,
                "is a placeholder, and would be the secret until somebody notices; leave it out to have one "
                "generated, or give OutsideValue() and set it outside",
            )
        elif isinstance(source, OutsideValue):
            return
        elif not isinstance(source, GeneratedValue | WriteOnlyValue):
            # What was given may be a secret.
            problems.add(
                "value",
                source if is_token(source) else "...",
                "must be GeneratedValue(), WriteOnlyValue() or OutsideValue(); a value itself is never taken, because "
                "it would be in the code or in the state",
            )
        else:
            problems.check_whole("value.length", source.length, MIN_LENGTH, MAX_LENGTH)
            problems.check(isinstance(source.symbols, bool), "value.symbols", source.symbols, "must be True or False")
            problems.check(
                type(source.generation) is int and source.generation >= 1,
                "value.generation",
                source.generation,
                "must be a whole number of at least 1",
            )

    def _check_pattern(self, pattern: object, source: object) -> None:
        problems = self._problems
        if not problems.check(
            isinstance(pattern, str) and not is_token(pattern) and 0 < len(pattern) <= MAX_TEXT,
            "allowed_pattern",
            pattern,
            f"must be a plain regular expression of 1 to {MAX_TEXT} characters",
        ):
            return
        try:
            known = re.compile(str(pattern))
        except re.error as error:
            problems.add("allowed_pattern", pattern, f"is no regular expression: {error}")
            return
        if problems.found:
            return
        made = source if isinstance(source, GeneratedValue | WriteOnlyValue) else WriteOnlyValue()
        for value in _samples(made.length, made.symbols):
            if not known.search(value):
                problems.add(
                    "allowed_pattern",
                    pattern,
                    f"refuses what would be generated, such as {value!r}; widen it, or change length and symbols",
                )
                return


def _samples(length: int, symbols: bool) -> list[str]:  # noqa: FBT001  as in the option
    """Return values like those that are generated, one beginning with each class of characters."""
    classes = ["q", "W", "7", *SAFE_SYMBOLS] if symbols else ["q", "W", "7"]
    return [("".join(classes[start:] + classes[:start]) * length)[:length] for start in range(len(classes))]
