"""Both sides of ``POST /audio/translations``."""

import pytest

from dragoman.core.errors import UnsupportedMediaType
from dragoman.core.events import Start
from dragoman.core.ports import Limits
from dragoman.dialects.openai_audio.schema import TRANSLATIONS
from dragoman.dialects.openai_audio.translations import INBOUND, OUTBOUND
from tests.form import TYPE, form


def test_only_a_form_is_read() -> None:
    with pytest.raises(UnsupportedMediaType):
        INBOUND.read_call(b"{}", Limits())
    assert INBOUND.read_form is not None
    call = INBOUND.read_form(form(model="m", file=("a.wav", b"\0")), TYPE, Limits())
    assert call.dialect == INBOUND.name == OUTBOUND.name == TRANSLATIONS
    assert OUTBOUND.patch_request(call, "up") == form(model="up", file=("a.wav", b"\0"))


def test_an_answer_is_passed_on_as_it_came() -> None:
    burst = OUTBOUND.read_reply(b'{"text":"a"}', Start("", "m"))
    assert (burst.raw, burst.dialect) == (b'{"text":"a"}', TRANSLATIONS)
    assert (OUTBOUND.path, OUTBOUND.task) == (b"/audio/translations", "transcription")
