"""What the remaining arguments of a table may be."""

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
"""The stream that replicas are fed from."""


def check_places(
    problems: Problems, home: Region, replicas: Sequence[Region], key: MultiRegionKey
) -> dict[str, Region]:
    """Return the regions by name, the table's own first, and note those that cannot have a replica."""
    if isinstance(replicas, (str, Region)):
        problems.stop("replicas", getattr(replicas, "name", replicas), "must be a list of regions")
    places = {home.name: home}
    for place in replicas:
        if not isinstance(place, Region):
            problems.add("replicas", place, "must be a Region: give stack.region('eu-west-1'), not a name")
            continue
        problems.check(
            place.name not in places, "replicas", place.name, "the region has the table already; name each one once"
        )
        problems.check(place.stack is home.stack, "replicas", place.name, "belongs to another stack than the table")
        problems.check(
            place.partition == home.partition,
            "replicas",
            place.name,
            f"is in the partition {place.partition} and the table in {home.partition}, from where nothing is copied",
        )
        places.setdefault(place.name, place)
    for name in places:
        problems.check(
            name in key.keys,
            "key",
            key.path,
            f"exists in {', '.join(key.keys)} and not in {name}, and a table cannot use a key of another region; add "
            f"{name} to the key's replicas",
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
    """Note a stream, a class or an attribute that DynamoDB refuses."""
    for argument, given, allowed in (
        ("stream_view", stream_view, get_args(StreamView)),
        ("table_class", table_class, get_args(TableClass)),
    ):
        problems.check(given in allowed, argument, given, f"must be one of {', '.join(allowed)}")
    problems.check(
        not replicated or stream_view == REPLICATED,
        "stream_view",
        stream_view,
        f"must be {REPLICATED} with replicas, which are fed from the stream",
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
        "is a key that is no number, so that no item would ever end; name an attribute with the second as a number",
    )
    problems.check(
        isinstance(contributor_insights, bool), "contributor_insights", contributor_insights, "must be True or False"
    )


def topics_by_region(
    problems: Problems, home: str, places: Collection[str], topics: Iterable[str] | Mapping[str, Iterable[str]]
) -> Mapping[str, Any]:
    """Return the topics by region; what belongs to none of them goes to the table's own, where it is refused."""
    found: dict[str, Any] = {name: [] for name in places}
    if isinstance(topics, str):
        return {**found, home: topics}
    if isinstance(topics, Mapping):
        for name in topics.keys() - places:
            problems.add("alarm_topics", name, f"must be a region of the table: {', '.join(places)}")
        return {**found, **{name: given for name, given in topics.items() if name in places}}
    for topic in topics:
        problems.check(
            len(places) == 1 or not is_token(topic),
            "alarm_topics",
            topic,
            f"does not say its region; give topics by region, such as {{{home!r}: [topic.arn]}}",
        )
        parts = str(topic).split(":")
        named = parts[3] if len(parts) > 3 else ""  # noqa: PLR2004  arn:partition:service:region
        found[named if named in found else home].append(topic)
    return found
