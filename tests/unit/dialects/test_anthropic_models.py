"""The list of models as Anthropic writes it."""

from collections.abc import Mapping

import msgspec
import pytest

from dragoman.core.capabilities import Capabilities, Entry
from dragoman.core.errors import BadRequest
from dragoman.dialects.anthropic_models import Model, Page, write_model, write_page

ENTRIES = [Entry(f"m{number}", "lab") for number in range(25)]


def page(query: Mapping[str, str], entries: list[Entry] = ENTRIES) -> Page:
    return msgspec.json.decode(write_page(entries, query), type=Page)


def test_a_model_has_all_that_its_clients_want() -> None:
    can = Capabilities(context=200_000, output=64_000)
    assert msgspec.json.decode(write_model(Entry("a", "lab", 1_767_225_600, can, "A"))) == {
        "type": "model",
        "id": "a",
        "display_name": "A",
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    }


def test_what_is_not_known_is_left_out() -> None:
    assert msgspec.json.decode(write_model(Entry("a", "lab")), type=Model) == Model("a", "a", "1970-01-01T00:00:00Z")
    assert b"max_" not in write_model(Entry("a", "lab"))


@pytest.mark.parametrize(
    ("query", "first", "last", "more"),
    [
        ({}, "m0", "m19", True),
        ({"limit": "25"}, "m0", "m24", False),
        ({"limit": "1000"}, "m0", "m24", False),
        ({"limit": "24"}, "m0", "m23", True),
        ({"limit": "2", "after_id": "m1"}, "m2", "m3", True),
        ({"after_id": "m19"}, "m20", "m24", False),
        ({"limit": "5", "after_id": "m19"}, "m20", "m24", False),
        ({"limit": "2", "before_id": "m5"}, "m3", "m4", True),
        ({"limit": "5", "before_id": "m5"}, "m0", "m4", False),
        ({"before_id": "m5"}, "m0", "m4", False),
        ({"limit": "", "after_id": "", "before_id": ""}, "m0", "m19", True),
        ({"beta": "true"}, "m0", "m19", True),
    ],
)
def test_a_page_is_a_part_of_the_list(query: Mapping[str, str], first: str, last: str, more: bool) -> None:
    told = page(query)
    assert (told.first_id, told.last_id, told.has_more) == (first, last, more)
    assert (told.data[0].id, told.data[-1].id) == (first, last)


@pytest.mark.parametrize("query", [{"after_id": "m24"}, {"before_id": "m0"}])
def test_a_page_may_be_empty(query: Mapping[str, str]) -> None:
    assert page(query) == Page([], has_more=False, first_id=None, last_id=None)
    assert page({}, []) == Page([], has_more=False, first_id=None, last_id=None)


def test_who_turns_the_pages_sees_every_model_once() -> None:
    seen: list[str] = []
    query = {"limit": "7"}
    while True:
        told = page(query)
        seen += [model.id for model in told.data]
        if not told.has_more:
            break
        query["after_id"] = str(told.last_id)
    assert seen == [entry.id for entry in ENTRIES]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"limit": "\u00b2"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"after_id": "nobody"}, "after_id"),
        ({"before_id": "nobody"}, "before_id"),
        ({"after_id": "m1", "before_id": "m5"}, "before_id"),
    ],
)
def test_a_wrong_question_names_the_field(query: Mapping[str, str], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        page(query)
    assert caught.value.param == param
