"""Both sides of ``POST /images/edits``."""

from dragoman.core import events as ev
from dragoman.dialects.openai_images.edits import INBOUND, OUTBOUND


def test_the_dialect_offers_both_sides() -> None:
    assert (INBOUND.name, OUTBOUND.name) == ("openai_image_edits", "openai_image_edits")
    assert (OUTBOUND.path, OUTBOUND.task) == (b"/images/edits", "image")


def test_an_answer_is_passed_on_as_it_came() -> None:
    burst = OUTBOUND.read_reply(b'{"data":[{"url":"https://x"}]}', ev.Start("", "m"))
    assert burst.dialect == "openai_image_edits"


def test_its_events_have_a_name_of_their_own() -> None:
    reader = OUTBOUND.reader(ev.Start("", "m"), 1)
    frame = b'event: image_edit.completed\ndata: {"type":"image_edit.completed","b64_json":"AAAA"}\n\n'
    burst = reader.feed(frame)
    assert burst is not None
    assert (burst.raw, reader.done) == (frame, True)
