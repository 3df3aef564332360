"""What a simulated model makes when it is not asked to talk."""

from base64 import b64decode, b64encode
from io import BytesIO

import msgspec
import pytest
from msgspec import Raw, structs
from PIL import Image

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.call import Task
from dragoman.core.errors import BadRequest
from dragoman.core.legal import breaches
from dragoman.dialects.openai_audio.schema import SEGMENT, WORD, Span
from dragoman.dialects.openai_images.answer import PARTIAL
from dragoman.testing.simulator.sound import LETTER, speak
from dragoman.testing.simulator.studio import MAX_SIDE, perform, read_size
from dragoman.wire.json import encode

TEXT = "Good morning. The train leaves at nine."


def request(*parts: msg.Part, n: int = 1, stream: bool = False, **extra: object) -> msg.Request:
    fields = {name: Raw(encode(value)) for name, value in extra.items()}
    return msg.Request("m", [msg.Message("user", list(parts))], n=n, stream=stream, extra=fields)


def make(task: Task, asked: msg.Request) -> list[ev.Event]:
    events = perform(task, [asked], 0)
    assert breaches(events) == []
    assert isinstance(events[0], ev.Start)
    assert events == perform(task, [asked], 0)
    return events[1:]


def usage(events: list[ev.Event]) -> tuple[int, int]:
    last = events[-1]
    assert isinstance(last, ev.Usage)
    return last.prompt, last.completion


def test_a_question_is_answered_in_words() -> None:
    assert any(isinstance(event, ev.Text) for event in make("chat", request(msg.Text("Hi"))))


def test_each_input_has_a_vector() -> None:
    events = make("embed", msg.Request("m", [], inputs=["a red apple", [1, 2]], dimensions=7))
    vectors = [event for event in events if isinstance(event, ev.Vector)]
    assert [vector.index for vector in vectors] == [0, 1]
    assert [len(msgspec.json.decode(vector.values, type=list[float])) for vector in vectors] == [7, 7]
    assert usage(events) == (5, 0)
    usual = make("embed", msg.Request("m", [], inputs=["a"]))[0]
    assert isinstance(usual, ev.Vector)
    assert len(msgspec.json.decode(usual.values, type=list[float])) == 64


def test_each_message_is_judged() -> None:
    turns = [msg.Message("user", [msg.Text("kill"), msg.Image("https://x")]), msg.Message("user", [msg.Text("hi")])]
    notes = [event for event in make("moderation", msg.Request("m", turns)) if isinstance(event, ev.Note)]
    assert ['"flagged":true' in note.text for note in notes] == [True, False]
    assert '"image"' in notes[0].text


def test_pictures_are_painted() -> None:
    events = make("image", request(msg.Text("a red house"), n=2, size="64x32"))
    pictures = [event for event in events if isinstance(event, ev.Media)]
    assert len({picture.data for picture in pictures}) == 2
    with Image.open(BytesIO(b64decode(pictures[0].data))) as image:
        assert image.size == (64, 32)
    assert usage(events) == (3, 4)


def test_a_picture_depends_on_what_it_is_made_from() -> None:
    made = {
        make("image", request(msg.Text("a"), *given, size="8x8"))[0]
        for given in ([], [msg.Image("data:,a")], [msg.Image("data:,b")])
    }
    assert len(made) == 3


@pytest.mark.parametrize(("asked", "told"), [(None, 0), (0, 0), (2, 2), (9, 3)])
def test_a_streamed_picture_is_shown_in_parts(asked: int | None, told: int) -> None:
    events = make("image", request(msg.Text("a"), stream=True, size="8x8", partial_images=asked))
    assert [isinstance(event, ev.Note) and event.kind == PARTIAL for event in events].count(True) == told


def test_a_text_is_spoken() -> None:
    events = make("speech", request(msg.Text(TEXT), response_format="wav", speed=2))
    sound = b"".join(b64decode(event.data) for event in events if isinstance(event, ev.Media))
    assert sound == b"".join(speak(TEXT, 2, wav=True))
    assert usage(events) == (9, round(len(TEXT) * LETTER / 2 * 20))


def test_what_was_spoken_is_heard_with_its_times() -> None:
    sound = b64encode(b"".join(speak(TEXT, 1, wav=True))).decode()
    events = make("transcription", request(msg.Audio(sound, "wav")))
    assert "".join(event.text for event in events if isinstance(event, ev.Text)) == TEXT
    spans = {
        kind: [
            msgspec.json.decode(event.text, type=Span)
            for event in events
            if isinstance(event, ev.Note) and event.kind == kind
        ]
        for kind in (SEGMENT, WORD)
    }
    assert [span.text for span in spans[SEGMENT]] == ["Good morning.", "The train leaves at nine."]
    assert [span.text for span in spans[WORD]] == TEXT.split()
    assert spans[SEGMENT][-1].end == pytest.approx(len(TEXT) * LETTER)
    assert usage(events) == (round(len(TEXT) * LETTER * 20), 9)


def test_another_recording_says_something_of_its_own() -> None:
    said = {
        "".join(
            event.text for event in make("transcription", request(msg.Audio(sound, ""))) if isinstance(event, ev.Text)
        )
        for sound in ["", "no base64", *(b64encode(bytes([number])).decode() for number in range(30))]
    }
    assert 5 < len(said) < 32
    assert all(text.endswith(".") for text in said)


@pytest.mark.parametrize(
    ("task", "extra", "param"),
    [
        ("image", {"output_format": "webp"}, "output_format"),
        ("image", {"response_format": "url"}, "response_format"),
        ("image", {"size": "big"}, "size"),
        ("speech", {}, "response_format"),
        ("speech", {"response_format": "mp3"}, "response_format"),
        ("speech", {"response_format": "wav", "speed": 5}, "speed"),
        ("transcription", {"response_format": "diarized_json"}, "response_format"),
        ("image", {"size": 7}, None),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(task: Task, extra: dict[str, object], param: str | None) -> None:
    written = {name: Raw(encode(value)) for name, value in extra.items()}
    with pytest.raises(BadRequest) as caught:
        perform(task, [structs.replace(request(msg.Text("a")), extra=written)], 0)
    assert caught.value.param == param


@pytest.mark.parametrize("dimensions", [0, 5000])
def test_a_vector_has_limits(dimensions: int) -> None:
    with pytest.raises(BadRequest) as caught:
        perform("embed", [msg.Request("m", [], inputs=["a"], dimensions=dimensions)], 0)
    assert caught.value.param == "dimensions"


def test_a_size_is_read() -> None:
    assert read_size("7x9", "1x1") == (7, 9)
    assert read_size(None, "7x9") == read_size("auto", "7x9") == (7, 9)
    for wrong in ("", "7", "0x7", f"{MAX_SIDE + 1}x1", f"1x{MAX_SIDE + 1}"):
        with pytest.raises(BadRequest):
            read_size(wrong, "7x9")
