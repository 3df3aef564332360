"""OpenAI's own Python SDK on all that is no conversation: vectors, verdicts, pictures and sounds."""

# pyright: reportDeprecated=false
# The SDK calls deprecated what its own vendor is ending; other servers go on serving it.

import base64
import io
import math
import wave

import pytest
from openai import APIError, BadRequestError, InternalServerError, NotFoundError, OpenAI
from PIL import Image

from tests.sdk.conftest import Check

EACH = pytest.mark.parametrize("model", ["sim/instant", "lab/instant"])
"""In the gateway's process; at an upstream of its own."""
TEXT = "Good morning. The train leaves at nine."


def distance(one: list[float], other: list[float]) -> float:
    return math.dist(one, other)


@EACH
def test_embeddings_are_the_same_whichever_way_they_come(client: OpenAI, check: Check, model: str) -> None:
    packed = client.embeddings.create(model=model, input=["red apple", "green apple", "a train"])
    plain = client.embeddings.create(model=model, input="red apple", encoding_format="float")
    check("CreateEmbeddingResponse", plain)
    assert [one.index for one in packed.data] == [0, 1, 2]
    apple, other, train = [one.embedding for one in packed.data]
    assert apple == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert math.hypot(*apple) == pytest.approx(1, abs=1e-6)
    assert distance(apple, other) < distance(apple, train)
    assert plain.usage.prompt_tokens == plain.usage.total_tokens == 2


@EACH
def test_embeddings_take_tokens_and_dimensions(client: OpenAI, model: str) -> None:
    answer = client.embeddings.create(model=model, input=[[1, 2, 3], [4]], dimensions=256)
    assert [len(one.embedding) for one in answer.data] == [256, 256]
    assert answer.usage.prompt_tokens == 4


@pytest.mark.parametrize(("given", "param"), [([], "input"), (["a"] * 2049, "input"), ([1, "a"], "input")])
def test_embeddings_refuse_what_is_no_text(client: OpenAI, given: list[str], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.embeddings.create(model="lab/instant", input=given)
    assert caught.value.param == param


@EACH
def test_moderations_judge_every_input(client: OpenAI, check: Check, model: str) -> None:
    answer = client.moderations.create(model=model, input=["Have a nice day", "I will kill you"])
    check("CreateModerationResponse", answer.model_dump(mode="json", by_alias=True))
    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.violence


def picture(data: str | None) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(data or "")))
    image.load()
    return image


@EACH
def test_a_picture_is_generated(client: OpenAI, check: Check, model: str) -> None:
    answer = client.images.generate(model=model, prompt="a red house", size="1536x1024", n=2)
    check("ImagesResponse", answer)
    first, second = [picture(one.b64_json) for one in answer.data or []]
    assert first.size == second.size == (1536, 1024)
    assert first.tobytes() != second.tobytes()
    assert answer.usage is not None
    assert answer.usage.input_tokens == 3


@EACH
def test_a_picture_is_streamed(client: OpenAI, check: Check, model: str) -> None:
    plain = client.images.generate(model=model, prompt="a red house")
    events = list(client.images.generate(model=model, prompt="a red house", stream=True, partial_images=2))
    for event in events:
        check("ImageGenStreamEvent", event)
    assert [event.type for event in events] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert plain.data is not None
    assert events[-1].b64_json == plain.data[0].b64_json


@EACH
def test_a_picture_is_edited(client: OpenAI, check: Check, model: str) -> None:
    generated = client.images.generate(model=model, prompt="a red house", size="256x256")
    assert generated.data is not None
    data = base64.b64decode(generated.data[0].b64_json or "")
    answer = client.images.edit(model=model, image=[("a.png", data), ("b.png", data)], prompt="a blue one", n=1)
    check("ImagesResponse", answer)
    again = client.images.edit(model=model, image=("a.png", data), prompt="a blue one")
    assert answer.data is not None
    assert again.data is not None
    assert answer.data[0].b64_json != again.data[0].b64_json  # it depends on the pictures
    events = list(client.images.edit(model=model, image=("a.png", data), prompt="a blue one", stream=True))
    for event in events:
        check("ImageEditStreamEvent", event)
    assert events[-1].type == "image_edit.completed"
    assert events[-1].b64_json == again.data[0].b64_json
    with pytest.warns(DeprecationWarning, match="deprecated"):
        varied = client.images.create_variation(model=model, image=("a.png", data))
    assert varied.data is not None
    assert picture(varied.data[0].b64_json).format == "PNG"


@EACH
@pytest.mark.parametrize("form", ["wav", "pcm"])
def test_a_text_is_spoken(client: OpenAI, model: str, form: str) -> None:
    spoken = client.audio.speech.create(model=model, voice="alloy", input=TEXT, response_format=form)  # type: ignore[arg-type]
    assert spoken.response.headers["content-type"] == f"audio/{form}"
    data = spoken.read()
    if form == "wav":
        with wave.open(io.BytesIO(data)) as sound:
            assert sound.getnframes() / sound.getframerate() == pytest.approx(0.06 * len(TEXT))
    else:
        assert len(data) == pytest.approx(0.06 * len(TEXT) * 48_000)


@EACH
def test_speech_is_streamed_as_events(client: OpenAI, check: Check, model: str) -> None:
    with client.audio.speech.with_streaming_response.create(
        model=model, voice="alloy", input=TEXT, response_format="pcm", stream_format="sse"
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert '"speech.audio.delta"' in lines[0]
    assert '"speech.audio.done"' in lines[-1]


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac"])
def test_a_format_that_is_not_there_is_refused_by_name(client: OpenAI, form: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.audio.speech.create(model="lab/instant", voice="alloy", input="Hi", response_format=form)  # type: ignore[arg-type]
    assert caught.value.param == "response_format"


@pytest.fixture(scope="module")
def recording(client: OpenAI) -> bytes:
    return client.audio.speech.create(model="lab/instant", voice="alloy", input=TEXT, response_format="wav").read()


@EACH
def test_what_was_spoken_is_understood(client: OpenAI, check: Check, recording: bytes, model: str) -> None:
    file = ("speech.wav", recording)
    plain = client.audio.transcriptions.create(model=model, file=file)
    check("CreateTranscriptionResponseJson", plain)
    assert plain.text == TEXT
    assert client.audio.transcriptions.create(model=model, file=file, response_format="text") == TEXT + "\n"
    subtitles = client.audio.transcriptions.create(model=model, file=file, response_format="srt")
    assert subtitles.startswith("1\n00:00:00,000 --> 00:00:00,780\nGood morning.\n\n2\n")
    assert client.audio.transcriptions.create(model=model, file=file, response_format="vtt").startswith("WEBVTT\n\n")
    verbose = client.audio.transcriptions.create(
        model=model, file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    check("CreateTranscriptionResponseVerboseJson", verbose)
    assert [word.word for word in verbose.words or []] == TEXT.split()
    assert len(verbose.segments or []) == 2
    with pytest.warns(DeprecationWarning, match="deprecated"):
        translated = client.audio.translations.create(model=model, file=file)
    assert translated.text == TEXT


@EACH
def test_a_transcript_is_streamed(client: OpenAI, check: Check, recording: bytes, model: str) -> None:
    events = list(client.audio.transcriptions.create(model=model, file=("a.wav", recording), stream=True))
    for event in events:
        check("CreateTranscriptionResponseStreamEvent", event)
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == TEXT
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert last.text == TEXT


def test_an_upstream_without_the_endpoint_says_so(client: OpenAI) -> None:
    with pytest.raises(NotFoundError):
        client.embeddings.create(model="text/instant", input="a")


@pytest.mark.parametrize("model", ["lab/cut", "lab/eof", "lab/error-midstream"])
def test_a_picture_that_breaks_off_raises(client: OpenAI, model: str) -> None:
    with pytest.raises(APIError):
        list(client.images.generate(model=model, prompt="a house", stream=True, partial_images=3))


def test_a_sound_that_breaks_off_raises(client: OpenAI) -> None:
    with pytest.raises(APIError):
        client.audio.speech.create(model="lab/cut", voice="alloy", input=TEXT * 9, response_format="wav")


@pytest.mark.parametrize("model", ["lab/cut", "lab/error-html", "lab/malformed", "lab/error-inband"])
def test_vectors_that_break_off_raise(client: OpenAI, model: str) -> None:
    with pytest.raises(InternalServerError):
        client.embeddings.create(model=model, input="a")


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_page_in_the_place_of_a_transcript_raises(client: OpenAI, recording: bytes, form: str) -> None:
    with pytest.raises(InternalServerError):
        client.audio.transcriptions.create(
            model="lab/error-html",
            file=("a.wav", recording),
            response_format=form,  # type: ignore[call-overload]
        )
