"""Asking over the raw wire, in a dialect made up for it."""

import msgspec
import pytest

from dragoman.testing.conform.field import Field, Json
from dragoman.testing.conform.question import Question, Said
from dragoman.testing.conform.raw import RawSpeaker, Wire
from dragoman.testing.conform.server import Reply
from dragoman.testing.conform.verdict import NotApplicable, Refused
from tests.unit.testing.conform.server import JSON, Answer, Asked, serving

QUESTION = Question(model="m", prompt="Hello")


def write(question: Question) -> dict[str, Json]:
    return {"model": question.model, "words": question.prompt}


def read(body: Field, question: Question) -> Said:
    return Said(body["said"].text())


def read_stream(reply: Reply, question: Question) -> Said:
    return Said(reply.body.decode())


def read_error(body: Field, status: int) -> str:
    return body["wrong"].text()


def read_vectors(body: Field) -> list[list[float]]:
    return [[body["n"].number()]]


WIRE = Wire("/ask", "words", write, read, read_stream, read_error, {"version": "1"}, "/embed", read_vectors)
MUTE = Wire("/ask", "words", write, read, read_stream, read_error)


def echo(asked: Asked) -> Answer:
    """Say what was asked."""
    return 200, JSON, msgspec.json.encode({"said": f"{asked.path} {asked.headers['version']}: {asked.body.decode()}"})


def test_a_question_is_written_and_its_answer_read() -> None:
    with serving(echo) as server:
        assert RawSpeaker(server, WIRE).ask(QUESTION).text == '/ask 1: {"model":"m","words":"Hello"}'
    with serving(lambda _: (200, JSON, b"some stream")) as server:
        assert RawSpeaker(server, WIRE).ask(Question(model="m", stream=True)).text == "some stream"


def test_a_stream_is_left() -> None:
    with serving(echo) as server:
        RawSpeaker(server, WIRE).leave(QUESTION)


@pytest.mark.parametrize(("broken", "body"), [(True, b'{"model" "m","words":"Hello"}'), (False, b'{"model":"m"}')])
def test_a_request_is_spoilt(broken: bool, body: bytes) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 400, JSON, b'{"wrong":"all of it"}'

    with serving(answer) as server, pytest.raises(Refused, match="400: all of it"):
        RawSpeaker(server, WIRE).send(QUESTION, broken=broken)
    assert asked[0].body == body


def test_embeddings_have_a_path_of_their_own() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return 200, JSON, b'{"n":0.5}'

    with serving(answer) as server:
        assert RawSpeaker(server, WIRE).embed("e", ["a", "b"]) == [[0.5]]
        with pytest.raises(NotApplicable):
            RawSpeaker(server, MUTE).embed("e", [])
    assert [(request.path, request.body) for request in asked] == [("/embed", b'{"model":"e","input":["a","b"]}')]
