from __future__ import annotations

import pytest

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.tags import check_tags


def test_tags_come_back_sorted_by_key() -> None:
    assert list(check_tags("shop", {"b": "1", "a": "2"})) == ["a", "b"]


def test_a_value_known_only_at_apply_is_left_alone() -> None:
    tags = {"Vpc": "${aws_vpc.main.id}" + "x" * 300}
    assert check_tags("shop", tags) == tags


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"": "x"}, "tags['']='x': a tag's key must be 1 to 128 letters, digits, spaces or _.:/=+-@"),
        ({"k?": "x"}, "tags['k?']='x': a tag's key must be 1 to 128 letters, digits, spaces or _.:/=+-@"),
        ({"aws:x": "x"}, "tags['aws:x']='x': keys starting with aws: belong to AWS"),
        ({"AWS:x": "x"}, "tags['AWS:x']='x': keys starting with aws: belong to AWS"),
        ({"k": "é!"}, "tags['k']='é!': a tag's value must be at most 256 letters, digits, spaces or _.:/=+-@"),
        ({"k": 1}, "tags['k']=1: a tag's value must be a string"),
        ({"Team": "a", "team": "b"}, "tags['team']='b': differs from the key 'Team' in case only"),
    ],
)
def test_a_tag_that_aws_refuses_is_refused(tags: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_tags("shop", tags)
    assert str(error.value) == f"shop: {message}"


@pytest.mark.parametrize("value", ["x" * 257, "x" * 1000])
def test_a_value_that_is_too_long_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="a tag's value must be at most 256"):
        check_tags("shop", {"k": value})


def test_a_key_that_is_too_long_is_refused() -> None:
    assert check_tags("shop", {"k" * 128: ""})
    with pytest.raises(ConfigurationError, match="a tag's key must be 1 to 128"):
        check_tags("shop", {"k" * 129: ""})


def test_more_than_fifty_tags_are_refused() -> None:
    assert len(check_tags("shop", {f"k{i}": "" for i in range(50)})) == 50
    with pytest.raises(ConfigurationError) as error:
        check_tags("shop", {f"k{i}": "" for i in range(51)})
    assert str(error.value) == "shop: tags=51: AWS allows at most 50 tags on a resource"


@pytest.mark.parametrize("tags", [{}, {"Owner": ""}])
def test_a_required_tag_must_be_there_with_a_value(tags: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_tags("shop", tags, required=("Owner",))
    assert str(error.value) == f"shop: tags={sorted(tags)}: the tag 'Owner' is required and must not be empty"
