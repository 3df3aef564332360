import pytest

from dragoman.core.call import Task
from dragoman.core.ports import Inbound, Outbound
from dragoman.dialects import INBOUND, OUTBOUND, inbound, outbound

SSE = b"text/event-stream; charset=utf-8"
NDJSON = b"application/x-ndjson"


def test_every_dialect_of_a_client_has_its_side() -> None:
    for name in INBOUND:
        side = inbound(name)
        assert isinstance(side, Inbound)
        assert (side.name, side.stream_type) == (name, NDJSON if name.startswith("ollama_") else SSE)


def test_every_dialect_of_an_upstream_has_its_side() -> None:
    for name in OUTBOUND:
        side = outbound(name)
        assert isinstance(side, Outbound)
        assert side.name == name
        assert side.path.startswith(b"/")


def test_every_task_has_a_dialect_to_ask_for_it() -> None:
    tasks: set[Task] = {"chat", "embed", "image", "video", "speech", "transcription", "moderation"}
    assert {outbound(name).task for name in OUTBOUND} == tasks


def test_only_dialects_of_files_read_forms() -> None:
    forms = {name for name in INBOUND if inbound(name).read_form is not None}
    assert forms == {
        "openai_image_edits",
        "openai_image_variations",
        "openai_transcriptions",
        "openai_translations",
        "openai_videos",
    }


def test_only_clients_of_ollama_need_not_say_that_they_send_json() -> None:
    assert {name for name in INBOUND if inbound(name).any_type} == {
        name for name in INBOUND if name.startswith("ollama_")
    }


def test_a_dialect_nobody_has_registered_is_a_bug() -> None:
    with pytest.raises(KeyError):
        inbound("esperanto")
    with pytest.raises(KeyError):
        outbound("esperanto")
