"""What a simulated model makes when it is not asked to talk: vectors, verdicts, pictures, speech and transcripts."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Raw, Struct

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.call import Task
from dragoman.core.errors import BadRequest
from dragoman.dialects.openai_audio.schema import LANGUAGE, SEGMENT, WORD, Span
from dragoman.dialects.openai_images.answer import PARTIAL
from dragoman.dialects.openai_moderations import VERDICT
from dragoman.testing.simulator import png, sound
from dragoman.testing.simulator.brain import think_each
from dragoman.testing.simulator.chance import digest, pick
from dragoman.testing.simulator.tokens import count, cut
from dragoman.testing.simulator.vectors import DIMENSIONS, embed
from dragoman.testing.simulator.verdicts import judge_text
from dragoman.wire.json import encode

MAX_SIDE = 2048
"""Pixels; larger pictures are refused."""
MAX_DIMENSIONS = 4096
MAX_PARTIALS = 3
SECOND = 20
"""Tokens of a second of sound."""
_SIZE = re.compile(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})")
_SENTENCE = re.compile(r"\S[^.!?]*[.!?]*")
_SENTENCES = (
    "The recording begins with a short greeting.",
    "Somebody reads out a list of numbers.",
    "There is music in the background.",
    "Two people agree to meet again next week.",
    "The speaker thanks everybody for listening.",
    "A train passes while the question is repeated.",
)


class _Wishes(Struct):
    """What a request may say besides what the hub has words for."""

    size: str | None = None
    output_format: str | None = None
    response_format: str | None = None
    partial_images: int | None = None
    speed: float | None = None


def perform(task: Task, requests: Sequence[msg.Request], seed: int) -> list[ev.Event]:
    """Return the answer to the requests of one call; raises `BadRequest` for what is not simulated."""
    make = _MAKERS.get(task)
    if make is None:
        return think_each(requests, seed)
    request = requests[0]
    return [ev.Start("", request.model), *make(request, _wishes(request), seed)]


def read_size(text: str | None, default: str) -> tuple[int, int]:
    """Return width and height of a picture; raises `BadRequest`."""
    found = _SIZE.fullmatch(default if text in (None, "auto") else text)
    size = (int(found[1]), int(found[2])) if found is not None else (0, 0)
    if not 0 < max(size) <= MAX_SIDE:
        raise BadRequest(f"invalid 'size': expected 1x1 to {MAX_SIDE}x{MAX_SIDE}", param="size", code="invalid_value")
    return size


def _embed(request: msg.Request, wishes: _Wishes, seed: int) -> Iterator[ev.Event]:
    dimensions = DIMENSIONS if request.dimensions is None else request.dimensions
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        reason = f"invalid 'dimensions': expected 1 to {MAX_DIMENSIONS}"
        raise BadRequest(reason, param="dimensions", code="invalid_value")
    for number, text in enumerate(request.inputs):
        yield ev.Vector(number, Raw(encode(embed(text, dimensions, seed))))
    yield ev.Finish("stop")
    yield ev.Usage(sum(count(text) if isinstance(text, str) else len(text) for text in request.inputs), 0)


def _judge(request: msg.Request, wishes: _Wishes, seed: int) -> Iterator[ev.Event]:
    for turn in request.messages:
        text = " ".join([part.text for part in turn.parts if isinstance(part, msg.Text)])
        pictures = any(isinstance(part, msg.Image) for part in turn.parts)
        yield ev.Note(VERDICT, encode(judge_text(text, pictures=pictures)).decode())
    yield ev.Finish("stop")


def _paint(request: msg.Request, wishes: _Wishes, seed: int) -> Iterator[ev.Event]:
    if (wishes.output_format or "png") != "png":
        raise _not_simulated("output_format", "png")
    if wishes.response_format == "url":
        raise _not_simulated("response_format", "b64_json")
    width, height = read_size(wishes.size, "1024x1024")
    given = [part.url for part in _parts(request) if isinstance(part, msg.Image)]
    wanted = "\n".join([_words(request), *given])
    partials = min(wishes.partial_images or 0, MAX_PARTIALS) if request.stream else 0
    for number in range(partials):
        shown = (number + 1) / (partials + 1)
        yield ev.Note(PARTIAL, _base64(png.draw(seed, f"0 {wanted}", width, height, shown)))
    for number in range(request.n):
        yield ev.Media("image/png", _base64(png.draw(seed, f"{number} {wanted}", width, height)), choice=number)
    for number in range(request.n):
        yield ev.Finish("stop", number)
    tokens = -(-width * height // 1024)
    yield ev.Usage(count(_words(request)), request.n * tokens)


def _speak(request: msg.Request, wishes: _Wishes, seed: int) -> Iterator[ev.Event]:
    form = wishes.response_format or "mp3"
    if form not in ("wav", "pcm"):
        raise _not_simulated("response_format", "wav or pcm")
    speed = 1.0 if wishes.speed is None else wishes.speed
    if not 0.25 <= speed <= 4:
        raise BadRequest("invalid 'speed': expected 0.25 to 4", param="speed", code="invalid_value")
    text = _words(request)
    for piece in sound.speak(text, speed, wav=form == "wav"):
        yield ev.Media(f"audio/{form}", _base64(piece))
    yield ev.Finish("stop")
    yield ev.Usage(count(text), _sound_tokens(len(text) * sound.LETTER / speed))


def _listen(request: msg.Request, wishes: _Wishes, seed: int) -> Iterator[ev.Event]:
    if wishes.response_format == "diarized_json":
        raise _not_simulated("response_format", "json, verbose_json, text, srt or vtt")
    recording = next((part.data for part in _parts(request) if isinstance(part, msg.Audio)), "")
    try:
        data = b64decode(recording, validate=True)
    except NotBase64:
        data = b""
    heard = sound.hear(data)
    text = _make_up(data, seed) if heard.text is None else heard.text
    yield ev.Note(LANGUAGE, "english")
    for kind, pattern in ((SEGMENT, _SENTENCE), (WORD, re.compile(r"\S+"))):
        for found in pattern.finditer(text):
            begin, end = (round(at / len(text) * heard.seconds, 3) for at in found.span())
            yield ev.Note(kind, encode(Span(begin, end, found[0])).decode())
    for piece in cut(text):
        yield ev.Text(piece)
    yield ev.Finish("stop")
    yield ev.Usage(_sound_tokens(heard.seconds) + count(_words(request)), count(text))


_MAKERS: dict[Task, Callable[[msg.Request, _Wishes, int], Iterator[ev.Event]]] = {
    "embed": _embed,
    "moderation": _judge,
    "image": _paint,
    "speech": _speak,
    "transcription": _listen,
}


def _make_up(data: bytes, seed: int) -> str:
    """What is said in a recording of somebody else's: the same every time."""
    name = digest(seed, data).hex()
    first, second = pick(seed, "first", name, among=_SENTENCES), pick(seed, "second", name, among=_SENTENCES)
    return first if first == second else f"{first} {second}"


def _wishes(request: msg.Request) -> _Wishes:
    try:
        return msgspec.json.decode(encode(request.extra), type=_Wishes)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the request is wrong: {error}", code="invalid_type") from None


def _parts(request: msg.Request) -> list[msg.Part]:
    return [part for turn in request.messages for part in turn.parts]


def _words(request: msg.Request) -> str:
    return " ".join([part.text for part in _parts(request) if isinstance(part, msg.Text)])


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _sound_tokens(seconds: float) -> int:
    return max(1, round(seconds * SECOND))


def _not_simulated(name: str, known: str) -> BadRequest:
    return BadRequest(f"invalid '{name}': the simulator makes {known} only", param=name, code="unsupported_value")
