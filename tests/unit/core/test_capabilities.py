"""What is known of models, one by one and together."""

import pytest

from dragoman.core.capabilities import Capabilities, join_capabilities

ABLE, UNABLE, UNKNOWN = (Capabilities(tools=tools) for tools in (True, False, None))


def test_of_an_unknown_model_nothing_is_known() -> None:
    assert all(getattr(Capabilities(), name) is None for name in Capabilities.__struct_fields__)


@pytest.mark.parametrize(
    ("each", "tools"),
    [
        ([UNABLE], False),
        ([UNABLE, ABLE], True),
        ([UNKNOWN, ABLE], True),
        ([UNABLE, UNKNOWN], None),
        ([UNABLE, UNABLE], False),
        ([], None),
    ],
)
def test_together_models_can_what_one_of_them_can(each: list[Capabilities], tools: bool | None) -> None:
    assert join_capabilities(each).tools is tools


def test_together_models_are_as_large_as_the_smallest_that_is_known() -> None:
    joined = join_capabilities([Capabilities(context=9, output=2), Capabilities(context=7), Capabilities()])
    assert (joined.context, joined.output, joined.embedding_length) == (7, 2, None)


@pytest.mark.parametrize(
    ("kinds", "together"), [([True, True], True), ([False, False], False), ([True, False], None), ([True, None], None)]
)
def test_together_models_give_vectors_alone_if_each_does(kinds: list[bool | None], together: bool | None) -> None:
    assert join_capabilities([Capabilities(embedding=kind) for kind in kinds]).embedding is together
