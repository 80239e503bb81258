"""PaymentLambda: a Lambda function with package, role, logs, alias, dead-letter queue, limits and alarms."""

from __future__ import annotations

from constructs_lib.constructs.payment_lambda.arguments import Canary, Unreserved
from constructs_lib.constructs.payment_lambda.function import PaymentLambda
from constructs_lib.constructs.payment_lambda.url import FunctionUrl

LambdaFunction = PaymentLambda

__all__ = ["Canary", "FunctionUrl", "LambdaFunction", "PaymentLambda", "Unreserved"]
