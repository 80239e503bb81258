"""SecretParameter: a secret in Parameter Store that nobody writes into code, encrypted with the caller"s key."""

from constructs_lib.constructs.secret_parameter.secret_parameter import (
    GeneratedValue,
    OutsideValue,
    SecretParameter,
    WriteOnlyValue,
)

__all__ = ["GeneratedValue", "OutsideValue", "SecretParameter", "WriteOnlyValue"]
