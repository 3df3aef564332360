"""Where the server of a model differs from the dialect it speaks."""

import pytest
from msgspec import structs

from dragoman.core.ports import Limits
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import inbound
from dragoman.dialects.openai_chat.outbound import OUTBOUND, TERMS, fitted


def test_a_model_without_quirks_is_asked_as_its_dialect_is_written() -> None:
    side = fitted(NO_QUIRKS)
    call = inbound("openai_chat").read_call(
        b'{"model":"m", "messages":[{"role":"developer","content":"Hi"}]}', Limits()
    )
    assert side.patch_request(call, "m") == call.body
    assert (side.terms, side.always_streams) == (TERMS, False)
    assert structs.asdict(side).keys() == structs.asdict(OUTBOUND).keys()


def test_quirks_are_compared_by_what_they_say_and_never_change() -> None:
    assert Quirks(sampling={"top_k": "top_k"}) == Quirks(sampling={"top_k": "top_k"}) != NO_QUIRKS
    with pytest.raises(AttributeError):
        setattr(NO_QUIRKS, "plain", True)  # noqa: B010 — for the type checkers, who know that it cannot be done
