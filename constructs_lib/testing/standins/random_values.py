"""The resource types of hashicorp/random that stacks use: password, string, id, uuid, integer."""

from __future__ import annotations

import base64
import random
import secrets
import string
import uuid
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.standins.dependencies import require
from constructs_lib.testing.standins.schema import (
    UNKNOWN,
    Attribute,
    Problem,
    ResourceType,
    Values,
    computed,
    defaulted,
    optional,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASSES: Final = {
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}
_BCRYPT_BYTES: Final = 72  # bcrypt's maximum; the real provider truncates too
_BCRYPT_COST: Final = 10


def _keepers_differ(old: object, new: object) -> bool:
    """Return whether keepers require a replacement; a key with the value null counts as missing."""

    def known(keepers: object) -> object:
        return {key: value for key, value in keepers.items() if value is not None} if isinstance(keepers, dict) else {}

    return new is UNKNOWN or known(old) != known(new)


def _keepers() -> Attribute:
    return optional(("map", "string"), replaces=_keepers_differ)


def make_string(values: Values) -> str:
    """Return a random string with the given length, character classes and minimum number of each class.

    As in the real provider, `min_*` applies even if its class is disabled.
    """
    classes = _CLASSES | ({"special": values["override_special"]} if values["override_special"] else {})
    chosen = [secrets.choice(characters) for name, characters in classes.items() for _ in range(values[f"min_{name}"])]
    pool = "".join(characters for name, characters in classes.items() if values[name])
    chosen += [secrets.choice(pool) for _ in range(values["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def _check_string(config: Values) -> Iterator[Problem]:
    least = {f"min_{name}": config[f"min_{name}"] for name in _CLASSES}
    for name, value in least.items():
        if value not in (None, UNKNOWN) and value < 0:
            yield Problem("Invalid Attribute Value", f"{name} must be at least 0, got {value}.", name)
    if {config["number"], config["numeric"]} == {True, False}:
        yield Problem(
            "Number and numeric are both configured with different values",
            "number is deprecated; set only numeric.",
            "number",
        )
    length, total = config["length"], sum(value for value in least.values() if value not in (None, UNKNOWN))
    if length is UNKNOWN:
        return
    if length < 1:
        yield Problem("Invalid Attribute Value", f"length must be at least 1, got {length}.", "length")
    elif length < total:
        summands = " + ".join(least)
        yield Problem(
            "Invalid Attribute Value", f"length must be at least {summands} = {total}, got {length}.", "length"
        )
    elif length > total and UNKNOWN not in least.values() and not any(_is_on(config, name) for name in _CLASSES):
        yield Problem(
            "Invalid Attribute Combination",
            f"upper, lower, numeric and special are all false; enable one of them for the {length} characters.",
            "length",
        )


def _is_on(config: Values, name: str) -> bool:
    value = config["number"] if name == "numeric" and config["numeric"] is None else config[name]
    return value is not False


def _create_string(values: Values) -> Values:
    result = make_string(values)
    return values | {"id": result, "result": result}


def _create_password(values: Values) -> Values:
    result = make_string(values)
    bcrypt = require("bcrypt")
    salt = bcrypt.gensalt(_BCRYPT_COST, b"2a")
    digest = bcrypt.hashpw(result.encode()[:_BCRYPT_BYTES], salt)
    return values | {"id": "none", "result": result, "bcrypt_hash": digest.decode()}


def _create_id(values: Values) -> Values:
    data, prefix = secrets.token_bytes(values["byte_length"]), values["prefix"] or ""
    id_ = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    return values | {
        "id": id_,
        "b64_url": prefix + id_,
        "b64_std": prefix + base64.b64encode(data).decode(),
        "hex": prefix + data.hex(),
        "dec": prefix + str(int.from_bytes(data, "big")),
    }


def _check_id(config: Values) -> Iterator[Problem]:
    length = config["byte_length"]
    if length is not UNKNOWN and length < 1:
        yield Problem("Invalid Attribute Value", f"byte_length must be at least 1, got {length}.", "byte_length")


def _create_uuid(values: Values) -> Values:
    result = str(uuid.uuid4())
    return values | {"id": result, "result": result}


def _create_integer(values: Values) -> Values:
    source = random.Random(values["seed"]) if values["seed"] else secrets.SystemRandom()
    result = source.randint(values["min"], values["max"])
    return values | {"id": str(result), "result": result}


def _check_integer(config: Values) -> Iterator[Problem]:
    least, most = config["min"], config["max"]
    if UNKNOWN not in (least, most) and least > most:
        yield Problem(
            "Create Random Integer Error", f"min must not be greater than max, got {least} and {most}.", "min"
        )


def _either(name: str) -> Attribute:
    """Return `number` or `numeric`, two names of one setting; each defaults to the value of the other."""
    other = {"number": "numeric", "numeric": "number"}[name]
    return Attribute(
        "bool",
        "defaulted",
        default=lambda config: True if config[other] is None else config[other],
        deprecated=name == "number",
    )


def _string_attributes(*, sensitive: bool) -> dict[str, Attribute]:
    return {
        "id": computed("string"),
        "keepers": _keepers(),
        "length": required("number"),
        "special": defaulted("bool", default=True),
        "upper": defaulted("bool", default=True),
        "lower": defaulted("bool", default=True),
        "number": _either("number"),
        "numeric": _either("numeric"),
        "min_numeric": defaulted("number", 0),
        "min_upper": defaulted("number", 0),
        "min_lower": defaulted("number", 0),
        "min_special": defaulted("number", 0),
        "override_special": optional("string", replaces=lambda old, new: (old, new) != ("", None)),
        "result": computed("string", sensitive=sensitive),
    }


RANDOM_STRING: Final = ResourceType(
    attributes=_string_attributes(sensitive=False), check=_check_string, create=_create_string, version=2
)
RANDOM_PASSWORD: Final = ResourceType(
    attributes=_string_attributes(sensitive=True) | {"bcrypt_hash": computed("string", sensitive=True)},
    check=_check_string,
    create=_create_password,
    version=3,
)
RANDOM_ID: Final = ResourceType(
    attributes={
        "id": computed("string"),
        "keepers": _keepers(),
        "byte_length": required("number"),
        "prefix": optional("string"),
        "b64_url": computed("string"),
        "b64_std": computed("string"),
        "hex": computed("string"),
        "dec": computed("string"),
    },
    check=_check_id,
    create=_create_id,
)
RANDOM_UUID: Final = ResourceType(
    attributes={"id": computed("string"), "keepers": _keepers(), "result": computed("string")}, create=_create_uuid
)
RANDOM_INTEGER: Final = ResourceType(
    attributes={
        "id": computed("string"),
        "keepers": _keepers(),
        "min": required("number"),
        "max": required("number"),
        "seed": optional("string"),
        "result": computed("number"),
    },
    check=_check_integer,
    create=_create_integer,
)
