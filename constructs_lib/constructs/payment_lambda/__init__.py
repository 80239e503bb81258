"""PaymentLambda: a function that is packed, encrypted, logged, traced, limited and versioned."""

from __future__ import annotations

from constructs_lib.constructs.payment_lambda.arguments import Canary, Unreserved
from constructs_lib.constructs.payment_lambda.function import PaymentLambda
from constructs_lib.constructs.payment_lambda.url import FunctionUrl

__all__ = ["Canary", "FunctionUrl", "PaymentLambda", "Unreserved"]
