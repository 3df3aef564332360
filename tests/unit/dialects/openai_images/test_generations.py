"""Both sides of ``POST /images/generations``."""

from dragoman.core import events as ev
from dragoman.dialects.openai_images.generations import INBOUND, OUTBOUND


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name) == ("openai_images", "openai_images")
    assert (OUTBOUND.path, OUTBOUND.task) == (b"/images/generations", "image")


def test_an_answer_is_passed_on_as_it_came() -> None:
    burst = OUTBOUND.read_reply(b'{"data":[{"url":"https://x"}]}', ev.Start("", "m"))
    assert burst.dialect == "openai_images"


def test_a_form_is_not_read() -> None:
    assert INBOUND.read_form is None
