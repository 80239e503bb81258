"""SecretParameter: a SecureString parameter whose value is not written in code."""

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
"""Characters that need no escaping in URLs, shells, connection strings and JSON."""
MIN_LENGTH: Final = 16
MAX_LENGTH: Final = 128
MAX_NAME: Final = 1011
"""Characters of a parameter's name. See https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html."""
MAX_TEXT: Final = 1024
"""Characters of a description and of an allowed pattern."""
PLACEHOLDER: Final = re.compile(
    r"^\W*$|^(.)\1*$|replace|change.?(me|it|this)|to.?do\b|fixme|\btb[ad]\b|example|sample|dummy|placeholder|insert|"
    r"passw(or|0r)?d|passphrase|secret|your.|default|^(foo|bar|test|admin|none|null|1234\d*|abc\w*|qwerty\w*)$",
    re.IGNORECASE,
)
"""Values that are placeholders or common default passwords."""


@dataclass(frozen=True)
class GeneratedValue:
    """A random value that Terraform generates and stores in the state.

    Attributes:
        length: The number of characters, 16 to 128.
        symbols: Includes `_` and `.`; letters and digits only without.
        generation: A whole number, 1 or more. A change generates a new value.
    """

    length: int = 32
    symbols: bool = True
    generation: int = 1


@dataclass(frozen=True)
class WriteOnlyValue:
    """A random value that AWS generates during apply: a write-only argument, in neither plan nor state.

    Needs Terraform 1.11 or later, and the permission `secretsmanager:GetRandomPassword` for the role that deploys.

    Attributes:
        length: The number of characters, 16 to 128.
        symbols: Includes `_` and `.`; letters and digits only without.
        generation: A whole number, 1 or more. A change generates a new value.
    """

    length: int = 32
    symbols: bool = True
    generation: int = 1


@dataclass(frozen=True)
class ExternalValue:
    """A value that is set outside of Terraform: a random value at first, which Terraform never overwrites.

    It is a write-only argument, in neither plan nor state. Needs what `WriteOnlyValue` needs.
    """


Value = GeneratedValue | WriteOnlyValue | ExternalValue


class SecretParameter(HardenedConstruct):
    """A SecureString parameter in Parameter Store, encrypted with a customer managed key.

    The parameter's name is `/<environment>/<project>/<component>`. No argument takes the secret itself.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        key: The key that encrypts the value, with a replica in the region.
        value: Where the value comes from: `GeneratedValue`, `WriteOnlyValue` or `ExternalValue`; `GeneratedValue()` by
            default.
        description: The parameter's description, at most 1,024 characters; `Secret of` and the construct's path by
            default.
        tier: `Standard`, `Advanced` or `Intelligent-Tiering`. A change from `Advanced` to `Standard` replaces the
            parameter.
        allowed_pattern: A regular expression that values must match, at most 1,024 characters; none by default.

    Attributes:
        name: The parameter's name, the same in every region.
        resource: The `aws_ssm_parameter`.

    Raises:
        ConfigurationError: A value is given instead of its source, or an argument is invalid.

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
        """The parameter's ARN."""
        return self.resource.arn

    def grant_read(self, grantee: Grantee) -> None:
        """Grant a role permission to get this parameter, and to decrypt its value only.

        Args:
            grantee: A `ServiceRole` or a function in the same stack.

        Raises:
            ConfigurationError: The grantee is in another stack.
        """
        if grantee.region.stack is not self.region.stack:
            raise ConfigurationError(
                self.path,
                f"grantee={grantee.path!r}: is in another stack; add a statement for this parameter's arn there",
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
        if isinstance(source, GeneratedValue):
            return {"value": self._generated(source)}
        if isinstance(source, WriteOnlyValue):
            return {"value_wo": self._ephemeral(source.length, source.symbols), "value_wo_version": source.generation}
        return {
            "value_wo": self._ephemeral(WriteOnlyValue.length, WriteOnlyValue.symbols),
            "value_wo_version": WriteOnlyValue.generation,
            # Without value_wo, `ignore_changes` on `value` would keep the value but read it into the state.
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
        """Add an ephemeral block, which the engine does not support, and return a reference to its password."""
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
        problems.check(
            len(self.name) <= MAX_NAME,
            "id_",
            self.name,
            f"makes a name of more than {MAX_NAME} characters; choose a shorter id",
        )
        self._check_value(source)
        problems.check(
            description is None or (isinstance(description, str) and len(description) <= MAX_TEXT),
            "description",
            description,
            f"must be a string of at most {MAX_TEXT} characters",
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
                "is a placeholder; leave the argument out to generate a value, or use ExternalValue() and set the "
                "value outside of Terraform",
            )
        elif isinstance(source, ExternalValue):
            return
        elif not isinstance(source, GeneratedValue | WriteOnlyValue):
            # The given value may be a secret: it does not belong in the message.
            problems.add(
                "value",
                source if is_token(source) else "...",
                "must be GeneratedValue(), WriteOnlyValue() or ExternalValue(), not the secret itself, which would be "
                "in the code or in the state",
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
            f"must be a regular expression of 1 to {MAX_TEXT} characters without references",
        ):
            return
        try:
            compiled = re.compile(str(pattern))
        except re.error as error:
            problems.add("allowed_pattern", pattern, f"is not a valid regular expression: {error}")
            return
        if problems.found:
            return
        generated = source if isinstance(source, GeneratedValue | WriteOnlyValue) else WriteOnlyValue()
        for value in _samples(generated.length, generated.symbols):
            if not compiled.search(value):
                problems.add(
                    "allowed_pattern",
                    pattern,
                    f"does not match generated values such as {value!r}; widen the pattern, or change length and "
                    "symbols",
                )
                return


def _samples(length: int, symbols: bool) -> list[str]:  # noqa: FBT001  as in the option
    """Return possible generated values, one starting with each class of characters."""
    classes = ["q", "W", "7", *SAFE_SYMBOLS] if symbols else ["q", "W", "7"]
    return [("".join(classes[start:] + classes[:start]) * length)[:length] for start in range(len(classes))]
