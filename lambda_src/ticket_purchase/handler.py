"""Sells tickets: never more than there are, and once for each idempotency key.

The function is the integration of a REST API method (Lambda proxy integration, payload format 1.0).

    POST /purchases
    Content-Type: application/json
    Idempotency-Key: 7b0d6f3e-8f0a-4a53-9f0e-2a1c55d0c9be

    {"event_id": "concert-42", "quantity": 2}

    201 {"purchase_id": "...", "event_id": "concert-42", "quantity": 2, "request_id": "..."}

A repeat with the same key gets the same response. Other status codes (see `ticket_api` for the body):

- 400, 405, 413, 415: an invalid request. 422: invalid fields, or a key that another purchase has used.
- 404: the event does not exist. 409 `sold_out`: fewer tickets are left than requested.
- 421 `wrong_region`: the event is sold in another region.
- 503 `busy` with Retry-After: too many buyers at once, or DynamoDB does not respond. The tickets may be sold: send the
  same request again, with the same key.
- 500: a fault.

`pk` is the table's only key. One transaction writes three items:

    {"pk": "EVENT#concert-42", "remaining": 98, "home_region": "eu-central-1"}
    {"pk": "SALE#<purchase_id>", "event_id": "concert-42", "quantity": 2, "home_region": "eu-central-1",
     "purchased_at": "..."}
    {"pk": "PURCHASE#eu-central-1#7b0d6f3e-...", "event_id": "concert-42", "quantity": 2, "purchase_id": "...",
     "purchased_at": "...", "expires_at": 1795339600}

- The event, on the condition that enough tickets are left.
- The sale, the record of what was sold, which does not expire. Its id is derived from the key, the event and the
  quantity, so that a repeat is recognized even after the idempotency record has expired.
- The idempotency record, which expires 30 days after the purchase (`expires_at` is the TTL attribute). Until then, a
  different purchase with the same key is refused.

Transactions are atomic in one region only, and replicas of a global table resolve conflicts by the last write. So an
event is sold in its `home_region` only, without one not at all, and idempotency records have the region in their key:
a key identifies a purchase within a region.

Limit: all purchases of an event update one item. A partition takes 1,000 write units a second, and a transactional
write of an item of up to 1 KB needs 2: one event sells at most 500 times a second, less with conflicts. To sell faster,
distribute `remaining` over several items. A purchase needs 8 write units of the table's maximum.

After a purchase the cached number is deleted; the cache may be away (see `ticket_cache`).

Environment variables: `TABLE_NAME`, `CACHE_ENDPOINT`, `CACHE_TLS`, `CACHE_USER`, `LOG_LEVEL`, `AWS_REGION`.
IAM: `dynamodb:UpdateItem`, `dynamodb:PutItem` and `dynamodb:ConditionCheckItem` on the table, with the permissions on
its key that the table's grant includes; with a user `elasticache:Connect` on the replication group and on the user.

See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html.
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
CONNECT_SECONDS = 1
READ_SECONDS = 3
CALL_MILLISECONDS = 1000 * (CONNECT_SECONDS + READ_SECONDS)
"""The longest that a transaction takes; the client does not retry it, `sell` does."""
RESERVE_MILLISECONDS = 3_000
"""Time for the cache and the response, before API Gateway's timeout of 29 seconds; the function's is 30."""
KEPT_SECONDS = 30 * 86_400

FIELDS = ("event_id", "quantity")
JSON_MEDIA_TYPE = re.compile(r'application/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?', re.IGNORECASE)
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
CONFLICTS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a canceled transaction that a retry cures."""
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
"""Errors after which it is not known whether the transaction was carried out."""
FAILED = "ConditionalCheckFailed"
NEW = "attribute_not_exists(pk)"


class TransactionError(Exception):
    """A transaction was canceled for reasons that a retry does not cure."""

    def __init__(self, codes: set[str]) -> None:
        super().__init__(", ".join(sorted(codes)))


@dataclass(frozen=True)
class Purchase:
    """A valid purchase."""

    key: str
    event_id: str
    quantity: int

    @property
    def id(self) -> str:
        """The same for every repeat; does not reveal the idempotency key."""
        digest = hashlib.sha256(f"{self.key}/{self.event_id}/{self.quantity}".encode()).digest()
        return base64.b32encode(digest[:15]).decode().lower()


def handler(event: object, context: object) -> Response:
    """Handle a request of API Gateway."""
    return serve(event, context, "ticket_purchase", "POST", lambda request: buy(read_purchase(request), context))


def buy(purchase: Purchase, context: object) -> Answer:
    """Buy the tickets, unless this purchase has been made before."""
    repeated = not sell(purchase, context)
    # If the cache is away, the cached number is wrong until it expires.
    with contextlib.suppress(CacheAwayError):
        cache_of_environment().delete(remaining_key(purchase.event_id))
    content = {"purchase_id": purchase.id, "event_id": purchase.event_id, "quantity": purchase.quantity}
    return Answer(201, content, {"purchase_id": purchase.id, "repeated": repeated})


def sell(purchase: Purchase, context: object) -> bool:
    """Write the purchase in one transaction; return whether it is new.

    Raises:
        RequestError: The purchase is refused, or its outcome is not known yet.
    """
    dynamodb = client()
    for attempt in range(ATTEMPTS):
        pause = random.random() * min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** (attempt - 1)) if attempt else 0.0
        if milliseconds_left(context) < CALL_MILLISECONDS + RESERVE_MILLISECONDS + 1000 * pause:
            break
        if pause:
            time.sleep(pause)
        try:
            dynamodb.transact_write_items(TransactItems=transaction(purchase))
        except dynamodb.exceptions.TransactionCanceledException as error:
            if is_repeat(purchase, error.response["CancellationReasons"]):
                return False
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNANSWERED:
                raise
        except (NoConnectionError, HTTPClientError):
            pass  # if the transaction was carried out, the next one finds the sale
        else:
            return True
    raise refusal(503, "busy", "not certain yet; send the same request again, with the same key", Retry_After="1")


def is_repeat(purchase: Purchase, reasons: list[dict[str, Any]]) -> bool:
    """Return whether a transaction was canceled because the purchase has been made; False if it can be retried.

    Raises:
        RequestError: The purchase is refused.
        TransactionError: The transaction was canceled for another reason.
    """
    event, sale, *records = reasons
    for record in records:
        if record["Code"] == FAILED:
            check_repeat(purchase, record["Item"])
            return True
    if sale["Code"] == FAILED:
        return True
    if event["Code"] == FAILED:
        raise why_not(event.get("Item"))
    codes = {reason["Code"] for reason in reasons}
    if not codes & CONFLICTS:
        raise TransactionError(codes)
    return False


def transaction(purchase: Purchase) -> list[dict[str, Any]]:
    """Return the writes of a purchase: the event, the sale and the idempotency record."""
    moment = datetime.now(UTC)
    region = os.environ["AWS_REGION"]
    of_both = {
        "event_id": {"S": purchase.event_id},
        "quantity": {"N": str(purchase.quantity)},
        "purchased_at": {"S": moment.isoformat(timespec="milliseconds")},
    }
    update = {
        "Key": {"pk": {"S": f"EVENT#{purchase.event_id}"}},
        "UpdateExpression": "SET remaining = remaining - :quantity",
        "ConditionExpression": "remaining >= :quantity AND home_region = :region",
        "ExpressionAttributeValues": {":quantity": {"N": str(purchase.quantity)}, ":region": {"S": region}},
    }
    sale = {
        "Item": {"pk": {"S": f"SALE#{purchase.id}"}, "home_region": {"S": region}, **of_both},
        "ConditionExpression": NEW,
    }
    record = {
        "Item": {
            "pk": {"S": f"PURCHASE#{region}#{purchase.key}"},
            "purchase_id": {"S": purchase.id},
            "expires_at": {"N": str(int(moment.timestamp()) + KEPT_SECONDS)},
            **of_both,
        },
        "ConditionExpression": NEW,
    }
    # Earlier versions wrote records without a region; they expire 30 days after the last of them was written.
    old_record = {"Key": {"pk": {"S": f"PURCHASE#{purchase.key}"}}, "ConditionExpression": NEW}
    always = {"TableName": os.environ["TABLE_NAME"], "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return [
        {"Update": update | always},
        {"Put": sale | always},
        {"Put": record | always},
        {"ConditionCheck": old_record | always},
    ]


def check_repeat(purchase: Purchase, item: dict[str, Any]) -> None:
    """Raise unless an idempotency record is of this purchase."""
    if (item["event_id"]["S"], int(item["quantity"]["N"])) != (purchase.event_id, purchase.quantity):
        message = "another purchase was made with this key; use a new one for each purchase"
        raise refusal(422, "key_in_use", message, "idempotency_key")


def why_not(item: dict[str, Any] | None) -> RequestError:
    """Return the refusal for the event in the table."""
    if not item or not {"remaining", "home_region"} <= item.keys():
        return refusal(404, "unknown_event", "there is no such event", "event_id")
    if item["home_region"] != {"S": os.environ["AWS_REGION"]}:
        return refusal(421, "wrong_region", "tickets of this event are sold in another region", "event_id")
    return refusal(409, "sold_out", "fewer tickets are left than are asked for", "quantity")


@cache
def client() -> Any:  # noqa: ANN401  boto3's clients have no types
    """Return the client of DynamoDB; created once per execution environment."""
    retries = {"mode": "standard", "total_max_attempts": 1}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    return boto3.client("dynamodb", region_name=os.environ["AWS_REGION"], config=config)


def milliseconds_left(context: object) -> float:
    """Return the time until Lambda ends the invocation."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return float(remaining()) if callable(remaining) else float("inf")


def read_purchase(request: dict[str, object]) -> Purchase:
    """Return the purchase of a request, or raise with all problems."""
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
        raise refusal(400, "invalid_encoding", "the body must be UTF-8, in base64 where the event says so") from None
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
