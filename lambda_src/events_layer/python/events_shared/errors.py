"""Errors of AWS calls: transient ones, which a retry cures, and faults, which somebody must mend.

Transient: throttling, errors of the service itself, and connections that fail or time out. Everything else is a fault,
such as a missing permission, table or environment variable. Handlers count faults in the metric `Faults`.
"""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

TRANSIENT = frozenset(
    (
        *("InternalError", "InternalException", "InternalFailure", "InternalServerError"),
        *("KMS.ThrottlingException", "KmsThrottled", "ProvisionedThroughputExceededException"),
        *("RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "RequestTimeout"),
        *("ServiceUnavailable", "ServiceUnavailableException"),
        *("Throttling", "ThrottlingException", "TooManyRequestsException"),
    )
)
_SERVER_ERROR = 500


def error_code(error: BaseException) -> str | None:
    """Return the error code that AWS returned, such as ThrottlingException."""
    response = getattr(error, "response", None)
    details = response.get("Error") if isinstance(response, dict) else None
    code = details.get("Code") if isinstance(details, dict) else None
    return code if isinstance(code, str) else None


def is_transient(error: BaseException) -> bool:
    """Return whether a retry of the call may succeed without anybody's help."""
    if isinstance(error, (HTTPClientError, NoConnectionError)):
        return True
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_code(error) in TRANSIENT or status >= _SERVER_ERROR
