"""Sells tickets: never more than there are, and once for each idempotency key.

The function stands behind an API Gateway REST API (Lambda proxy integration, payload format 1.0).

    POST /purchases
    Content-Type: application/json
    Idempotency-Key: 7b0d6f3e-8f0a-4a53-9f0e-2a1c55d0c9be

    {"event_id": "concert-42", "quantity": 2}

    201 {"purchase_id": "...", "event_id": "concert-42", "quantity": 2, "request_id": "..."}

A repeat with the same key is answered as the first request was. Other answers (see `ticket_api`): 400, 405, 413, 415:
the form of the request. 404: there is no such event. 409 `sold_out`: fewer tickets are left than are asked for. 421
`wrong_region`: the event is sold in another region. 422: the fields, or a key that another purchase used. 503 `busy`
with Retry-After: too many buy at once, or DynamoDB does not answer; the tickets may be sold, so the same request is to
be sent again with the same key. 500: anything unexpected.

The table's only key is `pk`. One transaction takes the tickets from the event, on the condition that they are left, and
writes the purchase, on the condition that there is none under its key:

    {"pk": "EVENT#concert-42", "remaining": 100, "home_region": "eu-central-1"}
    {"pk": "PURCHASE#7b0d6f3e-...", "event_id": "concert-42", "quantity": 2, "purchase_id": "...",
     "purchased_at": "...", "expires_at": 1795339600}

Transactions hold within one region. In a global table two regions could sell the last ticket both, so that an event is
sold in its `home_region` alone; without that attribute it is not sold at all. `expires_at` is the attribute for
DynamoDB's time to live: until then, 30 days after the purchase, a repeat is recognised.

After a purchase the number in the cache is forgotten; the cache may be away (see `ticket_cache`).

Environment variables: `TABLE_NAME`, `CACHE_ENDPOINT`, `CACHE_TLS`, `CACHE_USER`, `LOG_LEVEL`, `AWS_REGION`.
IAM: `dynamodb:UpdateItem` and `dynamodb:PutItem` on the table, the permissions on its key that the table's grant gives;
with a user `elasticache:Connect` on the replication group and on the user.
"""

import base64
import contextlib
import hashlib
import json
import os
import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from ticket_api import EVENT_ID, Answer, Problem, RequestError, Response, refusal, serve
from ticket_cache import CacheAwayError, cache_of_environment, remaining_key

MAX_BODY_BYTES = 4096
MAX_QUANTITY = 10
ATTEMPTS = 20
BACKOFF_SECONDS = 0.02
MAX_BACKOFF_SECONDS = 1.0
RESERVE_MILLISECONDS = 15_000
"""Time that must be left to try once more: what the client's three attempts take when none of them is answered."""
KEPT_SECONDS = 30 * 86_400

FIELDS = ("event_id", "quantity")
JSON_MEDIA_TYPE = re.compile(r'application/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?', re.IGNORECASE)
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
CONFLICTS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Why one of the two writes was not possible, although it may be in a moment."""
UNANSWERED = frozenset(
    (
        *(
            "InternalServerError",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "ServiceUnavailable",
        ),
        *("ThrottlingException", "TransactionInProgressException"),
    )
)
"""Errors that do not tell whether the transaction, or one that was sent before it, was carried out."""
FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True)
class Purchase:
    """A purchase that passed every check."""

    key: str
    event_id: str
    quantity: int

    @property
    def id(self) -> str:
        """The same for every repeat; the key itself, with which others could repeat it, is not shown."""
        digest = hashlib.sha256(f"{self.key}/{self.event_id}/{self.quantity}".encode()).digest()
        return base64.b32encode(digest[:15]).decode().lower()


def handler(event: object, context: object) -> Response:
    """Answer one request of API Gateway."""
    return serve(event, context, "ticket_purchase", "POST", lambda request: buy(read_purchase(request), context))


def buy(purchase: Purchase, context: object) -> Answer:
    """Buy the tickets, or find that they have been bought."""
    repeated = not sell(purchase, context)
    # Without the cache its number is old for as long as it keeps it.
    with contextlib.suppress(CacheAwayError):
        cache_of_environment().delete(remaining_key(purchase.event_id))
    content = {"purchase_id": purchase.id, "event_id": purchase.event_id, "quantity": purchase.quantity}
    return Answer(201, content, {"purchase_id": purchase.id, "repeated": repeated})


def sell(purchase: Purchase, context: object) -> bool:
    """Write the purchase in one transaction; return whether it is new.

    Raises:
        RequestError: It is not possible, or not at the moment.
    """
    dynamodb = client()
    for attempt in range(ATTEMPTS):
        try:
            dynamodb.transact_write_items(TransactItems=transaction(purchase))
        except dynamodb.exceptions.TransactionCanceledException as error:
            of_event, of_purchase = error.response["CancellationReasons"]
            if of_purchase["Code"] == FAILED:
                check_repeat(purchase, of_purchase["Item"])
                return False
            if of_event["Code"] == FAILED:
                raise why_not(of_event.get("Item")) from None
            if not {of_event["Code"], of_purchase["Code"]} & CONFLICTS:
                raise
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNANSWERED:
                raise
        except (NoConnectionError, HTTPClientError):
            pass  # the same once more: if it was carried out, the purchase is there already
        else:
            return True
        if milliseconds_left(context) < RESERVE_MILLISECONDS:
            break
        time.sleep(random.random() * min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2**attempt))
    raise refusal(503, "busy", "not certain yet; send the same request again, with the same key", Retry_After="1")


def transaction(purchase: Purchase) -> list[dict[str, Any]]:
    """Return the two writes of a purchase."""
    table = os.environ["TABLE_NAME"]
    moment = datetime.now(UTC)
    update = {
        "TableName": table,
        "Key": {"pk": {"S": f"EVENT#{purchase.event_id}"}},
        "UpdateExpression": "SET remaining = remaining - :quantity",
        "ConditionExpression": "remaining >= :quantity AND home_region = :region",
        "ExpressionAttributeValues": {
            ":quantity": {"N": str(purchase.quantity)},
            ":region": {"S": os.environ["AWS_REGION"]},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    put = {
        "TableName": table,
        "Item": {
            "pk": {"S": f"PURCHASE#{purchase.key}"},
            "event_id": {"S": purchase.event_id},
            "quantity": {"N": str(purchase.quantity)},
            "purchase_id": {"S": purchase.id},
            "purchased_at": {"S": moment.isoformat(timespec="milliseconds")},
            "expires_at": {"N": str(int(moment.timestamp()) + KEPT_SECONDS)},
        },
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return [{"Update": update}, {"Put": put}]


def check_repeat(purchase: Purchase, item: dict[str, Any]) -> None:
    """Raise unless a purchase in the table is this one."""
    if (item["event_id"]["S"], int(item["quantity"]["N"])) != (purchase.event_id, purchase.quantity):
        message = "another purchase was made with this key; use a new one for each purchase"
        raise refusal(422, "key_in_use", message, "idempotency_key")


def why_not(item: dict[str, Any] | None) -> RequestError:
    """Return the refusal that fits the event in the table."""
    if not item or not {"remaining", "home_region"} <= item.keys():
        return refusal(404, "unknown_event", "there is no such event", "event_id")
    if item["home_region"] != {"S": os.environ["AWS_REGION"]}:
        return refusal(421, "wrong_region", "tickets of this event are sold in another region", "event_id")
    return refusal(409, "sold_out", "fewer tickets are left than are asked for", "quantity")


@cache
def client() -> Any:  # noqa: ANN401  boto3's clients have no types
    """Return the client of DynamoDB; it lives as long as the function's environment."""
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=config)


def milliseconds_left(context: object) -> float:
    """Return the time until Lambda ends the function, if the context knows it."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return float(remaining()) if callable(remaining) else float("inf")


def read_purchase(request: dict[str, object]) -> Purchase:
    """Return the purchase that a request asks for, or raise with every problem in it."""
    if not JSON_MEDIA_TYPE.fullmatch(header(request, "content-type") or ""):
        message = "Content-Type must be application/json, with no charset but utf-8"
        raise refusal(415, "unsupported_media_type", message)
    key = header(request, "idempotency-key")
    fields = read_fields(request)
    problems = [Problem("missing_field", f"{name} is required", name) for name in FIELDS if name not in fields]
    if fields.keys() - set(FIELDS):
        problems.append(Problem("unknown_field", f"a purchase has the fields {' and '.join(FIELDS)} and no others"))
    if key is None or not IDEMPOTENCY_KEY.fullmatch(key):
        message = "the header Idempotency-Key must have 16 to 64 letters, digits, hyphens and underscores"
        problems.append(Problem("invalid_format", message, "idempotency_key"))
    event_id, quantity = fields.get("event_id"), fields.get("quantity")
    if "event_id" in fields and not (isinstance(event_id, str) and EVENT_ID.fullmatch(event_id)):
        message = "event_id must be a string of 1 to 64 letters, digits, hyphens and underscores"
        problems.append(Problem("invalid_format", message, "event_id"))
    whole = isinstance(quantity, int) and not isinstance(quantity, bool)
    if "quantity" in fields and not (whole and isinstance(quantity, int) and 1 <= quantity <= MAX_QUANTITY):
        problems.append(Problem("out_of_range", f"quantity must be an integer from 1 to {MAX_QUANTITY}", "quantity"))
    if problems or not isinstance(quantity, int):
        raise RequestError(422, *problems)
    return Purchase(str(key), str(event_id), quantity)


def header(request: dict[str, object], name: str) -> str | None:
    """Return the one value of a header, given its name in lower case, or None where it is missing."""
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
        raise refusal(400, "invalid_encoding", "the body must be UTF-8, in base64 where the event says so") from None
    if len(content) > MAX_BODY_BYTES:
        raise refusal(413, "body_too_large", f"the body may have {MAX_BODY_BYTES} bytes at most")
    try:
        # Python also reads NaN, Infinity and -Infinity; as an `int` they are a ValueError.
        fields = json.loads(text, object_pairs_hook=object_of_unique_keys, parse_constant=int)
    except (ValueError, RecursionError):
        raise refusal(400, "invalid_json", "the body is not valid JSON") from None
    if not isinstance(fields, dict):
        raise refusal(400, "not_an_object", "the body must be a JSON object")
    return fields


def object_of_unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object, where Python alone would keep the last of several equal keys."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise refusal(400, "duplicate_key", "a key of a JSON object occurs more than once")
    return fields
