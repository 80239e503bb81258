"""SecretParameter: a SecureString parameter whose value is not written in code."""

from constructs_lib.constructs.secret_parameter.secret_parameter import (
    ExternalValue,
    GeneratedValue,
    SecretParameter,
    WriteOnlyValue,
)

__all__ = ["ExternalValue", "GeneratedValue", "SecretParameter", "WriteOnlyValue"]
