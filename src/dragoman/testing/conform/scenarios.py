"""What is tried, in any dialect and either way; every check returns when the server passes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from msgspec import Struct

from dragoman.testing.conform.field import read_json, show
from dragoman.testing.conform.question import TOOL, Question, Said, Speaker
from dragoman.testing.conform.verdict import Broken, Mismatch, NotApplicable, Refused

_LONG = "Explain in detail, in at least five sentences, why the sky is blue."
_ONE = f"What is the weather in Oslo? Use the tool {TOOL}."
_TWO = f"What is the weather in Oslo and in Rome? Use the tool {TOOL} for each of them, both at once."
_FORM = 'Tell me about the city "Oslo" with its population of 717710, as JSON with the keys "city" and "population".'
_ECHO = "Say exactly: alpha beta gamma delta"
_IMAGE = "What color is this square?"
_NOWHERE = "no-such-model-anywhere"
_LIMIT = 16
"""The smallest limit that every dialect allows."""


class Subject(Struct, frozen=True):
    """The models that are asked: `model`, or the one that was named for an ability."""

    model: str
    thinking: str = ""
    embedding: str = ""
    breaking: str = ""
    """One whose streams break off with an error."""
    abilities: frozenset[str] | None = None
    """What `model` can do, by its server's own account; None: it gives none."""

    def able(self, ability: str, named: str = "") -> str:
        """Return the model to ask; raises `NotApplicable` when none was named and `model` is said not to be able."""
        if not named and self.abilities is not None and ability not in self.abilities:
            raise NotApplicable(f"{self.model} is listed without {ability}")
        return named or self.model


Check = Callable[[Speaker, Subject], None]
"""Returns, or raises a verdict."""


def _text(speaker: Speaker, subject: Subject) -> None:
    said = speaker.ask(Question(model=subject.model))
    _expect_text(said)


def _streaming(speaker: Speaker, subject: Subject) -> None:
    said = speaker.ask(Question(model=subject.model, prompt=_LONG, stream=True))
    _expect_text(said)
    if said.pieces < 2:
        raise Mismatch("pieces", ">= 2", str(said.pieces))


def _tools(speaker: Speaker, subject: Subject, *, stream: bool) -> None:
    _use_tool(speaker, subject, _ONE, ["Oslo"], stream=stream)


def _parallel_tools(speaker: Speaker, subject: Subject, *, stream: bool) -> None:
    _use_tool(speaker, subject, _TWO, ["Oslo", "Rome"], stream=stream)


def _use_tool(speaker: Speaker, subject: Subject, prompt: str, cities: list[str], *, stream: bool) -> None:
    said = speaker.ask(Question(model=subject.able("tools"), prompt=prompt, tools=True, stream=stream))
    _expect_finish(said, "tools")
    called: list[str] = []
    for index, use in enumerate(said.uses):
        if use.name != TOOL:
            raise Mismatch(f"calls[{index}].name", TOOL, use.name)
        called.append(read_json(use.arguments.encode(), f"calls[{index}].arguments")["city"].text())
    if len(called) != len(cities) or not all(map(str.__contains__, sorted(called), cities)):
        raise Mismatch("calls", f"one for each of {cities}", f"{called}")
    if any(one.id and one.id == other.id for one, other in pairwise(said.uses)):
        raise Mismatch("calls[1].id", "an id of its own", said.uses[1].id)


def _structured(speaker: Speaker, subject: Subject) -> None:
    said = speaker.ask(Question(model=subject.model, prompt=_FORM, form=True))
    answer = read_json(said.text.encode(), "text")
    answer["city"].words()
    answer["population"].count()


def _thinking(speaker: Speaker, subject: Subject, *, stream: bool) -> None:
    model = subject.able("thinking", subject.thinking)
    said = _ask_able(speaker, Question(model=model, think=True, stream=stream), subject.thinking, "thinking")
    _expect_text(said)
    if not said.thinking:
        raise Mismatch("thinking", "thoughts (or another --thinking-model)", "none")


def _images(speaker: Speaker, subject: Subject) -> None:
    _expect_text(_ask_able(speaker, Question(model=subject.able("vision"), prompt=_IMAGE, image=True), "", "image"))


def _usage(speaker: Speaker, subject: Subject, *, stream: bool) -> None:
    said = speaker.ask(Question(model=subject.model, usage=True, stream=stream))
    if min(said.tokens) < 1:
        raise Mismatch("usage", "tokens read and written", f"{said.tokens[0]} and {said.tokens[1]}")


def _stop(speaker: Speaker, subject: Subject) -> None:
    said = speaker.ask(Question(model=subject.model, prompt=_ECHO, stop="gamma"))
    if "alpha" not in said.text or "gamma" in said.text:
        raise Mismatch("text", "alpha beta, and nothing from gamma on", show(said.text))
    _expect_finish(said, "stop")


def _length(speaker: Speaker, subject: Subject) -> None:
    _expect_finish(speaker.ask(Question(model=subject.model, prompt=_LONG, limit=_LIMIT)), "length")


def _unknown_model(speaker: Speaker, subject: Subject, *, stream: bool) -> None:
    _expect_refusal(lambda: speaker.ask(Question(model=_NOWHERE, stream=stream)), 404)


def _bad_request(speaker: Speaker, subject: Subject, *, broken: bool) -> None:
    _expect_refusal(lambda: speaker.send(Question(model=subject.model), broken=broken), 400)


def _broken_stream(speaker: Speaker, subject: Subject) -> None:
    if not subject.breaking:
        raise NotApplicable("no --breaking-model is named")
    try:
        said = speaker.ask(Question(model=subject.breaking, prompt=_LONG, stream=True))
    except Broken:
        return
    raise Mismatch("stream", "an error", f"{said.finish} after {show(said.text)}")


def _disconnect(speaker: Speaker, subject: Subject) -> None:
    speaker.leave(Question(model=subject.model, prompt=_LONG, stream=True))
    _text(speaker, subject)


def _embeddings(speaker: Speaker, subject: Subject) -> None:
    model = subject.able("embedding", subject.embedding)
    try:
        vectors = speaker.embed(model, ["The sky is blue.", "Roses are red."])
    except Refused as refusal:
        raise _excuse(refusal, subject.embedding, "embed") from None
    sizes = [len(vector) for vector in vectors]
    if len(sizes) != 2 or sizes[0] != sizes[1] or not sizes[0] or vectors[0] == vectors[1]:
        raise Mismatch("embeddings", "two different vectors of one size", f"sizes {sizes}")


SCENARIOS: dict[str, Check] = {
    "text": _text,
    "streaming": _streaming,
    "tools": partial(_tools, stream=False),
    "tools, streaming": partial(_tools, stream=True),
    "parallel tools": partial(_parallel_tools, stream=False),
    "parallel tools, streaming": partial(_parallel_tools, stream=True),
    "structured output": _structured,
    "thinking": partial(_thinking, stream=False),
    "thinking, streaming": partial(_thinking, stream=True),
    "images": _images,
    "usage": partial(_usage, stream=False),
    "usage, streaming": partial(_usage, stream=True),
    "stop": _stop,
    "length": _length,
    "unknown model": partial(_unknown_model, stream=False),
    "unknown model, streaming": partial(_unknown_model, stream=True),
    "bad JSON": partial(_bad_request, broken=True),
    "missing field": partial(_bad_request, broken=False),
    "error in a stream": _broken_stream,
    "disconnect": _disconnect,
    "embeddings": _embeddings,
}
"""All that is tried, by name and in this order."""


def _expect_text(said: Said) -> None:
    _expect_finish(said, "stop")
    if not said.text.strip():
        raise Mismatch("text", "some", show(said.text))


def _expect_finish(said: Said, reason: str) -> None:
    if said.finish != reason:
        raise Mismatch("finish", reason, said.finish or "none")


def _expect_refusal(ask: Callable[[], object], status: int) -> None:
    try:
        ask()
    except Refused as refusal:
        if refusal.status != status:
            raise Mismatch("status", str(status), f"{refusal.status}: {refusal.message}") from None
    else:
        raise Mismatch("status", str(status), "a success")


def _ask_able(speaker: Speaker, question: Question, named: str, word: str) -> Said:
    """Ask for an ability that the model may lack, if it was not named for it."""
    try:
        return speaker.ask(question)
    except Refused as refusal:
        raise _excuse(refusal, named, word) from None


def _excuse(refusal: Refused, named: str, word: str) -> Exception:
    """A server may refuse what nobody promised, with 400 and in so many words."""
    if refusal.status == 400 and not named and word in refusal.message.lower():
        return NotApplicable(refusal.message)
    return refusal
