"""The upstream side of ``POST /audio/transcriptions`` where text is asked for."""

from dragoman.core.events import Start
from dragoman.core.ports import Limits
from dragoman.dialects.openai_audio.schema import TRANSCRIPTION_TEXT
from dragoman.dialects.openai_audio.transcription_text import OUTBOUND
from dragoman.dialects.openai_audio.transcriptions import INBOUND
from tests.form import TYPE, form


def test_a_client_that_asks_for_text_speaks_this_dialect() -> None:
    assert INBOUND.read_form is not None
    body = form(model="m", file=("a.wav", b"\0"), response_format="srt")
    assert INBOUND.read_form(body, TYPE, Limits()).dialect == OUTBOUND.name == TRANSCRIPTION_TEXT


def test_text_is_passed_on_as_it_came() -> None:
    burst = OUTBOUND.read_reply(b"1\n", Start("", "m"))
    assert (burst.raw, burst.dialect) == (b"1\n", TRANSCRIPTION_TEXT)
    assert (OUTBOUND.path, OUTBOUND.stream_type) == (b"/audio/transcriptions", "")
