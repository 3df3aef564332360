"""Both sides of ``POST /images/variations``."""

import pytest

from dragoman.core import events as ev
from dragoman.core.errors import UnsupportedMediaType
from dragoman.core.ports import Limits
from dragoman.dialects.openai_images.variations import INBOUND, OUTBOUND


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name) == ("openai_image_variations", "openai_image_variations")
    assert (OUTBOUND.path, OUTBOUND.task) == (b"/images/variations", "image")


def test_an_answer_is_passed_on_as_it_came() -> None:
    burst = OUTBOUND.read_reply(b'{"data":[{"url":"https://x"}]}', ev.Start("", "m"))
    assert burst.dialect == "openai_image_variations"


def test_only_a_form_is_read() -> None:
    with pytest.raises(UnsupportedMediaType):
        INBOUND.read_call(b"{}", Limits())
    assert INBOUND.read_form is not None
