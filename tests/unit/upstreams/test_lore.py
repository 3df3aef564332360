"""What is known of a model: by the operator, by its upstream, by what is shipped."""

import pytest

from dragoman.core.capabilities import Capabilities, Prices
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.upstreams.catalogue import as_told
from dragoman.upstreams.listing import Model
from dragoman.upstreams.lore import (
    Lore,
    Preset,
    Told,
    find_beginning,
    find_family,
    know,
    lay_capabilities,
    lay_quirks,
    tell,
)

FAMILIES = {"gpt-4": Capabilities(tools=True, context=8), "gpt-4o": Capabilities(vision=True, context=128)}
SHIPPED = know(Preset(Quirks(developer_role=False), {"gpt-4o": Quirks(max_tokens="max_completion_tokens")}), FAMILIES)


def test_shipped_facts_fill_in_what_the_upstream_leaves_out() -> None:
    model = SHIPPED(Model("openai/GPT-4o-mini", 7, Capabilities(context=99), "Mini"))
    assert (model.id, model.created, model.name) == ("openai/GPT-4o-mini", 7, "Mini")
    assert model.can == Capabilities(vision=True, context=99)
    assert model.quirks == Quirks(developer_role=False, max_tokens="max_completion_tokens")


def test_of_an_unknown_family_nothing_is_known_but_its_server() -> None:
    assert SHIPPED(Model("other")) == Model("other", quirks=Quirks(developer_role=False))


def test_what_the_upstream_tells_of_its_quirks_counts_before_what_is_shipped() -> None:
    told = Quirks(max_tokens="max_tokens", switch="think")
    assert SHIPPED(Model("gpt-4o", quirks=told)).quirks == Quirks(
        developer_role=False, max_tokens="max_tokens", switch="think"
    )


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("gpt-4", 8),
        ("gpt-4-turbo", 8),
        ("gpt-4:free", 8),
        ("gpt-4o", 128),
        ("gpt-4o-mini", 128),
        ("gpt-4o@eu", 128),
        ("gpt-4.1", None),
        ("gpt-45", None),
        ("my-gpt-4", None),
        ("", None),
    ],
)
def test_a_family_is_known_by_how_a_name_begins(name: str, context: int | None) -> None:
    found = find_family(FAMILIES, name)
    assert (None if found is None else found.context) == context


def test_the_longest_beginning_counts() -> None:
    table = {"": 0, "gpt-": 1, "gpt-5": 2}
    assert [find_beginning(table, name) for name in ("gpt-5.6", "gpt-4", "o3", "")] == [2, 1, 0, 0]
    assert find_beginning({"gpt-": 1}, "o3") is None
    assert find_beginning({}, "o3") is None


def test_the_operator_has_the_last_word() -> None:
    about = {"gpt-4o": Told(Capabilities(vision=False, prices=Prices(output=3)), {"developer_role": True})}
    known = tell(SHIPPED, about, {"stream_usage": False})
    model = known(Model("gpt-4o", can=Capabilities(tools=True, vision=True, prices=Prices(input=1, output=2))))
    assert model.can == Capabilities(tools=True, vision=False, context=128, prices=Prices(input=1, output=3))
    assert model.quirks == Quirks(max_tokens="max_completion_tokens", stream_usage=False)


def test_of_what_the_operator_says_of_models_the_most_exact_counts_alone() -> None:
    about = {
        "*": Told(Capabilities(context=1), {"plain": True}),
        "GPT-*": Told(Capabilities(output=2)),
        "gpt-4*": Told(Capabilities(output=3), {"stream_usage": True}),
        "Gpt-4o": Told(Capabilities(tools=True)),
    }
    known = tell(as_told, about, {"stream_usage": False})
    models = [known(Model(name)) for name in ("gpt-4O", "GPT-4-mini", "gpt-5", "o3")]
    assert [model.can for model in models] == [
        Capabilities(tools=True),
        Capabilities(output=3),
        Capabilities(output=2),
        Capabilities(context=1),
    ]
    assert [model.quirks for model in models] == [
        Quirks(stream_usage=False),
        Quirks(),
        Quirks(stream_usage=False),
        Quirks(stream_usage=False, plain=True),
    ]


def test_who_says_nothing_changes_nothing() -> None:
    assert tell(SHIPPED, {}, {}) is SHIPPED
    known = tell(as_told, {"a": Told(Capabilities(tools=True))}, {})
    assert known(Model("b")).quirks is NO_QUIRKS
    assert Lore() == Lore(as_told, ())


def test_prices_are_laid_over_each_other_one_by_one() -> None:
    shipped = Capabilities(prices=Prices(input=1, cached=2))
    assert lay_capabilities(Capabilities(), shipped) == shipped
    assert lay_capabilities(shipped, Capabilities(tools=True)) == Capabilities(tools=True, prices=shipped.prices)
    said = Capabilities(prices=Prices(input=0))
    assert lay_capabilities(said, shipped).prices == Prices(input=0, cached=2)
    assert lay_capabilities(said, Capabilities()) is said


def test_quirks_that_need_no_joining_stay_the_same_object() -> None:
    quirks = Quirks(plain=True)
    assert lay_quirks(quirks, NO_QUIRKS) is quirks
    assert lay_quirks(NO_QUIRKS, quirks) is quirks
