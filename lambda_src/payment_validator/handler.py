"""Validates card payment requests, before they are sent to a payment provider.

The function is the integration of a REST API method (Lambda proxy integration, payload format 1.0) and needs only
Lambda's Python runtime.

    POST /payments/validate
    Content-Type: application/json
    Idempotency-Key: 7b0d6f3e-8f0a-4a53-9f0e-2a1c55d0c9be

    {"amount": 1234, "currency": "EUR", "card_number": "4111 1111 1111 1111"}

The idempotency key can be the field `idempotency_key` instead; if both are given, they must be equal.
A valid request gets 200:

    {"valid": true, "validation_id": "...", "idempotency_key": "...", "amount": 1234, "currency": "EUR",
     "amount_decimal": "12.34", "card": {"scheme": "visa", "last4": "1111"}, "request_id": "..."}

`validation_id` depends on the key, the amount, the currency and the response's `card` only, so that a repeat gets the
same one. The card number itself is not hashed into it: with the last four digits, an unkeyed hash reveals the number
(PCI DSS 4.0.1, requirement 3.5.1.1).

Every other response has this body. `details` lists all problems, at least one; `code`, `message` and `field` repeat the
first. `field` is null if no single field is wrong, or if its name is not shown:

    {"error": {"code": "out_of_range", "message": "...", "field": "amount",
               "details": [{"code": "out_of_range", "message": "...", "field": "amount"}]},
     "request_id": "..."}

400: invalid event, headers or body. 405, 413, 415: wrong method, size or media type. 422: invalid fields, all of them.
500: a fault, counted in the metric `Faults`.

Apart from those fields of a valid request, and the names without digits of unknown fields in a response, neither
responses nor logs repeat data of the caller. Logs are JSON lines on standard output. The levels are Lambda's: DEBUG,
INFO, WARN, ERROR and FATAL; Lambda treats a line with any other level as INFO. `Faults` is a metric in CloudWatch's
embedded metric format, in the namespace `Application` with the dimension `FunctionName`.

Environment variables: `LOG_LEVEL` (`TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`; INFO by default), `AWS_REGION`
and `AWS_LAMBDA_FUNCTION_NAME` (set by Lambda).

See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
"""

import base64
import hashlib
import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import PurePath
from typing import TypedDict

MAX_BODY_BYTES = 4096
MAX_AMOUNT = 99_999_999_999  # has eleven digits: no amount can be a card number in the wrong field

# ISO 4217, active currencies by number of decimals, as of January 2026; no funds, metals or test codes.
CURRENCY_DECIMALS = {
    code: decimals
    for decimals, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
        2: """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
            CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
            HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
            MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
            SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
            USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
        """,
        3: "BHD IQD JOD KWD LYD OMR TND",
    }.items()
    for code in codes.split()
}

# Scheme, first and last issuer prefix, lengths. A number that fits none of them has the scheme "unknown".
CARD_SCHEMES = (
    ("visa", "4", "4", (13, 16, 19)),
    ("mastercard", "51", "55", (16,)),
    ("mastercard", "2221", "2720", (16,)),
    ("amex", "34", "34", (15,)),
    ("amex", "37", "37", (15,)),
    ("discover", "6011", "6011", range(16, 20)),
    ("discover", "644", "659", range(16, 20)),
    ("diners", "300", "305", range(14, 20)),
    ("diners", "3095", "3095", range(14, 20)),
    ("diners", "36", "36", range(14, 20)),
    ("diners", "38", "39", range(14, 20)),
    ("jcb", "3528", "3589", range(16, 20)),
    ("unionpay", "62", "62", range(16, 20)),
)

JSON_MEDIA_TYPE = re.compile(r'application/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?', re.IGNORECASE)
CARD_NUMBER = re.compile(r"[0-9](?:[ -]?[0-9]){11,18}")
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
DIGITLESS = re.compile(r"[A-Za-z_-]{1,64}")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LONG_DIGIT_RUN = re.compile(r"\d(?:[^\dA-Za-z]{0,3}\d){11,}")

LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Lambda's names of Python's levels, where they differ."""
FAULTS_METRIC = {
    "Namespace": "Application",
    "Dimensions": [["FunctionName"]],
    "Metrics": [{"Name": "Faults", "Unit": "Count"}],
}

logger = logging.getLogger("payment_validator")


class Response(TypedDict):
    """The response of a Lambda proxy integration."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True)
class Problem:
    """A reason for a refusal; its message never contains a value of the request."""

    code: str
    message: str
    field: str | None = None


class RequestError(Exception):
    """The request is refused with a status and problems."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__(status, *problems)
        self.status = status
        self.problems = problems


def refusal(status: int, code: str, message: str, field: str | None = None) -> RequestError:
    """Return the refusal of a request for one problem."""
    return RequestError(status, Problem(code, message, field))


@dataclass(frozen=True)
class Payment:
    """A valid request."""

    amount: int
    currency: str
    card_number: str = field(repr=False)
    idempotency_key: str

    def answer(self) -> dict[str, object]:
        """Return the body of the response, the same for every repeat."""
        card = {"scheme": card_scheme(self.card_number), "last4": self.card_number[-4:]}
        content = json.dumps([self.idempotency_key, self.amount, self.currency, card])
        # Base 32 has few digits: an identifier in a log will not look like a card number.
        digest = base64.b32encode(hashlib.sha256(content.encode()).digest()[:20])
        return {
            "valid": True,
            "validation_id": digest.decode().lower(),
            "idempotency_key": self.idempotency_key,
            "amount": self.amount,
            "currency": self.currency,
            "amount_decimal": f"{Decimal(self.amount).scaleb(-CURRENCY_DECIMALS[self.currency]):f}",
            "card": card,
        }


def handler(event: object, context: object) -> Response:
    """Handle a request of API Gateway."""
    configure_logging()
    request = event if isinstance(event, dict) else {}
    request_id = correlation_id(request, context)
    try:
        answer = read_payment(request).answer()
        outcome = {"status": 200, "validation_id": answer["validation_id"]}
        logger.info("accepted", extra={"request_id": request_id, **outcome})
        return respond(200, {**answer, "request_id": request_id})
    except RequestError as error:
        status, problems = error.status, error.problems
        codes = sorted({problem.code for problem in problems})
        logger.warning("refused", extra={"request_id": request_id, "status": status, "problems": codes})
    except Exception:
        status, problems = 500, (Problem("internal_error", "the request could not be processed"),)
        logger.exception("failed", extra={"request_id": request_id, "status": status, "faults": 1})
    details = [asdict(problem) for problem in problems]
    return respond(status, {"error": {**details[0], "details": details}, "request_id": request_id})


def respond(status: int, content: dict[str, object]) -> Response:
    """Return a JSON response that is neither cached nor sniffed for another media type."""
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if status == 405:  # noqa: PLR2004 - method not allowed
        headers["Allow"] = "POST"
    return {"statusCode": status, "headers": headers, "body": json.dumps(content), "isBase64Encoded": False}


def correlation_id(request: dict[str, object], context: object) -> str:
    """Return the request id of API Gateway, or else of Lambda; a UUID or a string without digits."""
    gateway = request.get("requestContext")
    of_gateway = gateway.get("requestId") if isinstance(gateway, dict) else None
    for candidate in (of_gateway, getattr(context, "aws_request_id", None)):
        if isinstance(candidate, str) and (UUID.fullmatch(candidate) or DIGITLESS.fullmatch(candidate)):
            return candidate
    return "unknown"


def read_payment(request: dict[str, object]) -> Payment:
    """Return the payment of a request."""
    method = request.get("httpMethod")
    if not isinstance(method, str):
        raise refusal(400, "invalid_event", "not an event of an API Gateway REST API (payload format 1.0)")
    if method != "POST":
        raise refusal(405, "method_not_allowed", "the method must be POST")
    if not JSON_MEDIA_TYPE.fullmatch(header(request, "content-type") or ""):
        message = "Content-Type must be application/json, with no charset but utf-8"
        raise refusal(415, "unsupported_media_type", message)
    header_key = header(request, "idempotency-key")
    return parse_payment(read_fields(request), header_key)


def header(request: dict[str, object], name: str) -> str | None:
    """Return the value of a header, or None; its name is given in lower case."""
    values: set[str] = set()
    for group in (request.get("headers"), request.get("multiValueHeaders")):
        for key, value in group.items() if isinstance(group, dict) else ():
            if str(key).lower() == name:
                listed = value if isinstance(value, list) else [value]
                values.update(item.strip() for item in listed if isinstance(item, str))
    if len(values) > 1:
        raise refusal(400, "ambiguous_header", f"the header {name} has more than one value")
    return values.pop() if values else None


def read_fields(request: dict[str, object]) -> dict[str, object]:
    """Return the JSON object in the body."""
    body = request.get("body")
    if not isinstance(body, str) or not body:
        raise refusal(400, "missing_body", "the body must be a JSON object")
    try:
        content = base64.b64decode(body, validate=True) if request.get("isBase64Encoded") else body.encode()
        text = content.decode()
    except ValueError:
        message = "the body must be UTF-8, in base64 where the event says so"
        raise refusal(400, "invalid_encoding", message) from None
    if len(content) > MAX_BODY_BYTES:
        raise refusal(413, "body_too_large", f"the body may have {MAX_BODY_BYTES} bytes at most")
    try:
        # `json` also accepts NaN, Infinity and -Infinity; `int` refuses them with a ValueError.
        fields = json.loads(text, object_pairs_hook=object_of_unique_keys, parse_constant=int)
    except (ValueError, RecursionError):
        raise refusal(400, "invalid_json", "the body is not valid JSON") from None
    if not isinstance(fields, dict):
        raise refusal(400, "not_an_object", "the body must be a JSON object")
    return fields


def object_of_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; `json` would keep the last of duplicate keys."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise refusal(400, "duplicate_key", "a key of a JSON object occurs more than once")
    return fields


def parse_payment(fields: dict[str, object], header_key: str | None) -> Payment:
    """Return the payment in the fields of a body, or raise with all problems."""
    unknown = {name if DIGITLESS.fullmatch(name) else None for name in fields.keys() - PARSERS}
    message = "this field is not known"
    problems = [Problem("unknown_field", message, name) for name in sorted(unknown, key=str)]
    if header_key is not None:
        fields = {"idempotency_key": header_key, **fields}
        if fields["idempotency_key"] != header_key:
            message = "the header Idempotency-Key and the field idempotency_key must agree"
            problems.append(Problem("idempotency_key_mismatch", message, "idempotency_key"))
    for name, parse in PARSERS.items():
        try:
            if name not in fields:
                raise refusal(422, "missing_field", f"{name} is required", name)
            parse(fields[name])
        except RequestError as error:
            problems.extend(error.problems)
    if problems:
        raise RequestError(422, *problems)
    payment = Payment(
        parse_amount(fields["amount"]),
        parse_currency(fields["currency"]),
        parse_card_number(fields["card_number"]),
        parse_idempotency_key(fields["idempotency_key"]),
    )
    if payment.card_number in re.sub("[-_]", "", payment.idempotency_key):
        message = "idempotency_key must not contain the card number"
        raise refusal(422, "card_number_in_key", message, "idempotency_key")
    return payment


def parse_amount(value: object) -> int:
    """Return an amount in minor units."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusal(422, "invalid_type", "amount must be an integer number of minor units", "amount")
    if not 1 <= value <= MAX_AMOUNT:
        raise refusal(422, "out_of_range", f"amount must be from 1 to {MAX_AMOUNT}", "amount")
    return value


def parse_currency(value: object) -> str:
    """Return an ISO 4217 alphabetic code."""
    if not isinstance(value, str) or value not in CURRENCY_DECIMALS:
        message = "currency must be the ISO 4217 code of a currency in use, such as EUR"
        raise refusal(422, "unknown_currency", message, "currency")
    return value


def parse_card_number(value: object) -> str:
    """Return the digits of a card number."""
    if not isinstance(value, str) or not CARD_NUMBER.fullmatch(value):
        message = "card_number must be a string of 12 to 19 digits; a space or a hyphen may separate them"
        raise refusal(422, "invalid_format", message, "card_number")
    digits = re.sub("[ -]", "", value)
    if not passes_luhn(digits):
        raise refusal(422, "invalid_checksum", "card_number has a wrong check digit", "card_number")
    return digits


def parse_idempotency_key(value: object) -> str:
    """Return an idempotency key."""
    if not isinstance(value, str) or not IDEMPOTENCY_KEY.fullmatch(value):
        message = "idempotency_key must be a string of 16 to 64 letters, digits, hyphens and underscores"
        raise refusal(422, "invalid_format", message, "idempotency_key")
    return value


PARSERS: dict[str, Callable[[object], object]] = {
    "amount": parse_amount,
    "currency": parse_currency,
    "card_number": parse_card_number,
    "idempotency_key": parse_idempotency_key,
}


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1, Luhn)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def card_scheme(digits: str) -> str:
    """Return the card scheme that a number belongs to."""
    for scheme, first, last, lengths in CARD_SCHEMES:
        if first <= digits[: len(first)] <= last and len(digits) in lengths:
            return scheme
    return "unknown"


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON line that cannot contain a card number."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception is logged with its type and stack, without its text."""
        entry: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": LEVELS.get(record.levelname, record.levelname),
            "message": LONG_DIGIT_RUN.sub("[masked]", record.getMessage()),
            "service": record.name,
            "region": os.environ.get("AWS_REGION", "unknown"),
        }
        names = ("request_id", "status", "problems", "validation_id")
        entry |= {name: getattr(record, name) for name in names if hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            entry["stack"] = [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames]
        faults = getattr(record, "faults", None)
        if faults:
            entry["_aws"] = {"Timestamp": int(record.created * 1000), "CloudWatchMetrics": [FAULTS_METRIC]}
            entry["FunctionName"] = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
            entry["Faults"] = faults
        return json.dumps(entry)


def configure_logging() -> None:
    """Send log records to standard output only; Lambda's own handler would repeat them as text."""
    output = logging.StreamHandler(sys.stdout)  # created for each invocation: it may be redirected
    output.setFormatter(JsonFormatter())
    logger.handlers = [output]
    logger.propagate = False
    levels = logging.getLevelNamesMapping() | {"TRACE": logging.DEBUG}
    logger.setLevel(levels.get(os.environ.get("LOG_LEVEL", "").upper()) or logging.INFO)
