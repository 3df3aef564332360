"""What is tried: which answers pass each scenario, and which do not."""

from collections.abc import Sequence
from typing import Literal

import pytest

from dragoman.testing.conform.question import TOOL, Question, Said, Use
from dragoman.testing.conform.scenarios import SCENARIOS, Subject
from dragoman.testing.conform.verdict import Broken, Mismatch, NotApplicable, Refused

TEXT = Said("Hello", finish="stop", tokens=(9, 2), pieces=2)
OSLO, ROME = Use("a", TOOL, '{"city":"Oslo, Norway"}'), Use("b", TOOL, '{"city":"Rome"}')
NOT_FOUND = Refused(404, "no such model")
SUBJECT = Subject("m")


class Player:
    """A speaker that has one thing to say, or to raise."""

    def __init__(self, answer: Said | Exception, vectors: Sequence[Sequence[float]] = ()) -> None:
        self.answer = answer
        self.vectors = vectors
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Said:
        self.asked.append(question)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def leave(self, question: Question) -> None:
        self.asked.append(question)

    def send(self, question: Question, *, broken: bool) -> None:
        self.ask(question)

    def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        self.ask(Question(model=model))
        return [list(vector) for vector in self.vectors]


def called(*uses: Use, finish: Literal["", "stop", "length", "tools"] = "tools") -> Said:
    return Said(uses=list(uses), finish=finish)


@pytest.mark.parametrize(
    ("scenario", "answer"),
    [
        ("text", TEXT),
        ("streaming", TEXT),
        ("tools", called(OSLO)),
        ("tools, streaming", called(OSLO)),
        ("parallel tools", called(OSLO, ROME)),
        ("parallel tools, streaming", called(ROME, OSLO)),
        ("parallel tools", called(Use("", OSLO.name, OSLO.arguments), Use("", ROME.name, ROME.arguments))),
        ("structured output", Said('{"city":"Oslo","population":717710}')),
        ("thinking", Said("Hello", "Hm", finish="stop")),
        ("thinking, streaming", Said("Hello", "Hm", finish="stop")),
        ("images", TEXT),
        ("usage", TEXT),
        ("usage, streaming", TEXT),
        ("stop", Said("alpha beta ", finish="stop")),
        ("length", Said(finish="length")),
        ("unknown model", NOT_FOUND),
        ("unknown model, streaming", NOT_FOUND),
        ("bad JSON", Refused(400, "no JSON")),
        ("missing field", Refused(400, "no field")),
        ("disconnect", TEXT),
    ],
)
def test_a_good_answer_passes(scenario: str, answer: Said | Exception) -> None:
    player = Player(answer)
    SCENARIOS[scenario](player, SUBJECT)
    assert player.asked[0].stream == (scenario.endswith("streaming") or scenario == "disconnect")


@pytest.mark.parametrize(
    ("scenario", "answer", "told"),
    [
        ("text", Said(" ", finish="stop"), "text: expected some"),
        ("text", Said("Hello"), "finish: expected stop, got none"),
        ("streaming", Said("Hello", finish="stop", pieces=1), "pieces: expected >= 2, got 1"),
        ("tools", called(OSLO, finish="stop"), "finish: expected tools, got stop"),
        ("tools", called(), "calls: expected one for each of ['Oslo'], got []"),
        ("tools", called(ROME), "calls: expected one for each of ['Oslo'], got ['Rome']"),
        ("tools", called(Use("a", "other", "{}")), "calls[0].name: expected get_weather, got other"),
        ("tools", called(Use("a", TOOL, "")), "calls[0].arguments: expected JSON"),
        ("tools", called(Use("a", TOOL, "{}")), "calls[0].arguments.city: expected a string"),
        ("parallel tools", called(OSLO, Use("a", TOOL, ROME.arguments)), "calls[1].id: expected an id of its own"),
        ("structured output", Said("Oslo"), "text: expected JSON"),
        ("structured output", Said('{"city":"Oslo","population":"many"}'), "text.population: expected an integer"),
        ("thinking", TEXT, "thinking: expected thoughts"),
        ("usage", Said("Hello", tokens=(9, 0)), "usage: expected tokens read and written, got 9 and 0"),
        ("stop", Said("alpha beta gamma", finish="stop"), "text: expected alpha beta"),
        ("stop", Said("", finish="stop"), "text: expected alpha beta"),
        ("stop", Said("alpha", finish="length"), "finish: expected stop"),
        ("length", TEXT, "finish: expected length"),
        ("unknown model", TEXT, "status: expected 404, got a success"),
        ("unknown model", Refused(400, "what?"), "status: expected 404, got 400: what?"),
        ("bad JSON", Refused(500, "oh"), "status: expected 400, got 500: oh"),
        ("disconnect", Said(), "finish: expected stop"),
    ],
)
def test_a_bad_answer_does_not(scenario: str, answer: Said | Exception, told: str) -> None:
    with pytest.raises(Mismatch) as caught:
        SCENARIOS[scenario](Player(answer), SUBJECT)
    assert str(caught.value).startswith(told)


def test_a_stream_has_to_break_where_one_was_promised() -> None:
    check, subject = SCENARIOS["error in a stream"], Subject("m", breaking="b")
    player = Player(Broken("broken"))
    check(player, subject)
    assert player.asked[0].model == "b"
    with pytest.raises(Mismatch, match="stream: expected an error, got stop after"):
        check(Player(TEXT), subject)
    with pytest.raises(NotApplicable, match="--breaking-model"):
        check(player, SUBJECT)


def test_embeddings_are_as_many_as_texts_and_of_one_size() -> None:
    check = SCENARIOS["embeddings"]
    check(Player(TEXT, [[1, 0], [0, 1]]), SUBJECT)
    wrong: list[list[list[float]]] = [[[1, 0]], [[1, 0], [1]], [[], []], [[1, 0], [1, 0]]]
    for vectors in wrong:
        with pytest.raises(Mismatch, match="embeddings: expected two different vectors"):
            check(Player(TEXT, vectors), SUBJECT)


@pytest.mark.parametrize(
    ("scenario", "ability"),
    [("tools", "tools"), ("thinking", "thinking"), ("images", "vision"), ("embeddings", "embedding")],
)
def test_what_a_model_is_listed_without_is_not_asked_of_it(scenario: str, ability: str) -> None:
    player = Player(TEXT)
    with pytest.raises(NotApplicable, match=f"m is listed without {ability}"):
        SCENARIOS[scenario](player, Subject("m", abilities=frozenset()))
    assert player.asked == []


@pytest.mark.parametrize(
    ("scenario", "words", "named"),
    [
        ("thinking", "this model has no thinking", Subject("m", thinking="t")),
        ("embeddings", "this model cannot embed", Subject("m", embedding="e")),
    ],
)
def test_a_model_may_refuse_what_it_was_not_named_for(scenario: str, words: str, named: Subject) -> None:
    check = SCENARIOS[scenario]
    with pytest.raises(NotApplicable, match=words):
        check(Player(Refused(400, words)), SUBJECT)
    for answer, subject in ((Refused(400, words), named), (Refused(500, words), SUBJECT), (NOT_FOUND, SUBJECT)):
        player = Player(answer)
        with pytest.raises(Refused):
            check(player, subject)
        assert player.asked[0].model == (subject.thinking or subject.embedding or "m")
