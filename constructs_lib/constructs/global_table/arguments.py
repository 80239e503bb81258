"""Checks of a table's arguments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, get_args

from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

StreamView = Literal["KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE"]
TableClass = Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"]
REPLICATED: Final = "NEW_AND_OLD_IMAGES"
"""The stream view type that replication requires."""


def check_places(
    problems: Problems, home: Region, replicas: Sequence[Region], key: MultiRegionKey
) -> dict[str, Region]:
    """Return the regions by name, the table's own first, and report those that cannot have a replica."""
    if isinstance(replicas, (str, Region)):
        problems.stop("replicas", getattr(replicas, "name", replicas), "must be a list of regions")
    places = {home.name: home}
    for place in replicas:
        if not isinstance(place, Region):
            problems.add("replicas", place, "must be a Region: give stack.region('eu-west-1'), not a name")
            continue
        problems.check(
            place.name not in places,
            "replicas",
            place.name,
            "is a duplicate; give each region once, without the table's own",
        )
        problems.check(
            place.stack is home.stack,
            "replicas",
            place.name,
            "is in another stack; expected a region of the same stack",
        )
        problems.check(
            place.partition == home.partition,
            "replicas",
            place.name,
            f"is in the partition {place.partition}; DynamoDB does not replicate to it from {home.partition}",
        )
        places.setdefault(place.name, place)
    for name in places:
        problems.check(
            name in key.keys,
            "key",
            key.path,
            f"has no replica in {name}, where a replica of the table needs it; add the region to the key's replicas",
        )
    return places


def check_choices(
    problems: Problems,
    *,
    stream_view: object,
    table_class: object,
    ttl_attribute: object,
    keys: Mapping[str, object],
    contributor_insights: object,
    replicated: bool,
) -> None:
    """Report a stream view, a table class or a TTL attribute that DynamoDB refuses."""
    for argument, given, allowed in (
        ("stream_view", stream_view, get_args(StreamView)),
        ("table_class", table_class, get_args(TableClass)),
    ):
        problems.check(given in allowed, argument, given, f"must be one of {', '.join(allowed)}")
    problems.check(
        not replicated or stream_view == REPLICATED,
        "stream_view",
        stream_view,
        f"must be {REPLICATED} with replicas",
    )
    problems.check(
        ttl_attribute is None or (isinstance(ttl_attribute, str) and ttl_attribute),
        "ttl_attribute",
        ttl_attribute,
        "must be the name of an attribute",
    )
    problems.check(
        not isinstance(ttl_attribute, str) or keys.get(ttl_attribute, "N") == "N",
        "ttl_attribute",
        ttl_attribute,
        "is a key attribute of another type than N, so that items would never expire; expected a number attribute",
    )
    problems.check(
        isinstance(contributor_insights, bool), "contributor_insights", contributor_insights, "must be True or False"
    )


def topics_by_region(
    problems: Problems, home: str, places: Collection[str], topics: Iterable[str] | Mapping[str, Iterable[str]]
) -> Mapping[str, Any]:
    """Return the topics by region; those of other regions go to the table's own, where they are refused."""
    found: dict[str, Any] = {name: [] for name in places}
    if isinstance(topics, str):
        return {**found, home: topics}
    if isinstance(topics, Mapping):
        for name in topics.keys() - places:
            problems.add("alarm_topics", name, f"is not a region of the table; expected one of {', '.join(places)}")
        return {**found, **{name: given for name, given in topics.items() if name in places}}
    for topic in topics:
        problems.check(
            len(places) == 1 or not is_token(topic),
            "alarm_topics",
            topic,
            f"is a reference without a known region; give topics by region, such as {{{home!r}: [topic.arn]}}",
        )
        parts = str(topic).split(":")
        named = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004  arn:partition:service:region
        found[named if named in found else home].append(topic)
    return found
