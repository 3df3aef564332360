"""Ollama's catalogue, held against the examples that its own clients have read."""

import re
from hashlib import sha256

import msgspec
import pytest

from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import Forbidden
from dragoman.server import ollama
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory, Source
from dragoman.server.ollama import NOT_OURS, OllamaEndpoints
from dragoman.server.routes import Routes
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model
from tests.ollama_examples import Example, read_examples
from tests.unit.server.line import Line
from tests.unit.server.link import KEY, Link, Response, make_exchange, response

BORN = 1_793_491_200
"""The first of November 2026, the date of all models in the examples."""
MODELS = [
    Model("gpt-4.1", BORN, Capabilities(tools=True, vision=True, context=1_047_576)),
    Model("deepseek-r1", BORN, Capabilities(tools=True, thinking=True, context=131_072)),
    Model("qwen3-vl-plus", BORN, Capabilities(tools=True, vision=True, context=262_144)),
    Model("text-embedding-v4", BORN, Capabilities(embedding=True, context=8_192, embedding_length=1_024)),
]
DIGEST = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


async def silent(call: Call) -> Answer:
    return Answer(Burst([]), None, lambda: None)


class Server:
    """The paths of Ollama, for a server whose aliases are the models of the examples."""

    def __init__(self, *, locked: bool = True, version: str = "0.33.0") -> None:
        self.time = BORN + 0.25
        source = Source("lab", Catalogue(MODELS), self.ask_model)
        targets = {model.id: [("lab", model.id)] for model in MODELS}
        self.directory = Directory(dict.fromkeys(targets, silent), [source], targets, lambda: self.time)
        keys = {sha256(b"dg-app-key").digest(): APP, sha256(b"dg-other-key").digest(): Caller("other", ("lab/*",))}
        endpoints = OllamaEndpoints(self.directory, Keys(keys if locked else {}), version)
        self.routes = Routes(endpoints.exact(), endpoints.below(), [(ollama.START, ollama.refuse)])

    async def send(self, line: str, body: bytes = b"", *headers: str) -> bytes:
        link = Link()
        await self.routes(make_exchange(link, line, *(headers or (KEY,)), body=body))
        return link.written

    async def ask(self, line: str, body: bytes = b"", *headers: str) -> Response:
        link = Link()
        link.written = await self.send(line, body, *headers)
        return response(link)

    def ask_model(self, model: str) -> Ask:
        return silent


APP = Caller("app", (*(model.id for model in MODELS), "nope"))
ANSWERED_HERE = re.compile(
    r"(GET|HEAD) /|\S+ /api/(version|tags|show|ps|pull|push|create|copy|delete|blobs|status|me|nothing)\b.*"
)
EXAMPLES = [
    one
    for one in read_examples().values()
    if ANSWERED_HERE.fullmatch(one.endpoint) and one.request.method != "HEAD" and not one.id.endswith("-empty")
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
async def test_every_example_is_answered_as_ollama_does(example: Example) -> None:
    server = Server()
    asked, expected = example.request, example.response
    server.directory.resolve("gpt-4.1", APP)
    answer = await server.ask(f"{asked.method} {asked.path}", asked.data)
    assert answer.status == expected.status
    assert answer.headers["content-type"].partition(";")[0] == expected.content_type.partition(";")[0]
    assert answer.headers["x-request-id"] == "id-1"
    assert answer.ended
    if example.mode == "text" or b"page not found" in answer.body:
        assert answer.body == msgspec.json.decode(expected.objects[0], type=str).encode()
    else:
        told = [msgspec.json.decode(line) for line in answer.body.splitlines()]
        assert [seen_alike(one) for one in told] == [seen_alike(msgspec.json.decode(one)) for one in expected.objects]


def seen_alike(value: object) -> object:
    """Return a decoded answer without the time of use, and with one model's family by its maker, as in the examples."""
    text = msgspec.json.encode(value).decode()
    text = re.sub(r'"expires_at":"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z"', '"expires_at":""', text)
    return msgspec.json.decode(text.replace('"text"', '"qwen"').replace('"text.', '"qwen.'))


def test_the_examples_are_all_there() -> None:
    assert len(EXAMPLES) == 24


@pytest.mark.parametrize("path", ["/", "/api/version", "/api/tags"])
async def test_what_can_be_got_has_a_head(path: str) -> None:
    got, head = await Server().send(f"GET {path}"), await Server().send(f"HEAD {path}")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert head.endswith(b"\r\n\r\n")
    assert got.partition(b"\r\n\r\n")[0] == head.partition(b"\r\n\r\n")[0]


async def test_a_blob_is_never_there() -> None:
    assert (await Server().send(f"HEAD /api/blobs/{DIGEST}")).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", ["/", "/api/version"])
async def test_whether_somebody_is_here_is_told_to_everybody(path: str) -> None:
    for headers in (["accept: */*"], ["authorization: Bearer wrong"]):
        assert (await Server().ask(f"GET {path}", b"", *headers)).status == 200


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/tags",
        "GET /api/ps",
        "GET /api/status",
        "POST /api/show",
        "POST /api/pull",
        "POST /api/push",
        "POST /api/create",
        "POST /api/copy",
        "DELETE /api/delete",
        "POST /api/me",
        "POST /api/signout",
        "DELETE /api/user/keys/a",
        f"POST /api/blobs/{DIGEST}",
    ],
)
@pytest.mark.parametrize("header", ["accept: */*", "authorization: Bearer ", "authorization: Bearer wrong"])
async def test_all_else_needs_a_key(line: str, header: str) -> None:
    answer = await Server().ask(line, b"{}", header)
    assert (answer.status, answer.body) == (401, b'{"error":"unauthorized"}')
    assert answer.headers["content-type"] == "application/json"


async def test_without_keys_anybody_may_look() -> None:
    answer = await Server(locked=False).ask("GET /api/tags", b"", "accept: */*")
    assert answer.body.count(b'"name"') == 2 * len(MODELS)


async def test_the_version_is_the_configured_one() -> None:
    assert (await Server(version="0.40.1").ask("GET /api/version")).body == b'{"version":"0.40.1"}'


async def test_a_model_that_the_key_is_not_for_is_refused() -> None:
    answer = await Server().ask("POST /api/show", b'{"model":"lab/gpt-4.1"}')
    assert (answer.status, answer.body) == (403, b'{"error":"this key may not use the model \'lab/gpt-4.1\'"}')


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "missing request body"),
        (b" \r\n", "missing request body"),
        (b"{", "the body is not valid JSON"),
        (b"[" * 100_000, "the body is wrong: expected `object`, got `array`"),
        (b'{"model":7}', "invalid 'model': expected `str | null`, got `int`"),
        (b'{"model":"","name":null}', "model is required"),
    ],
)
@pytest.mark.parametrize("line", ["POST /api/show", "POST /api/pull", "DELETE /api/delete"])
async def test_a_wrong_question_is_told_what_is_wrong(line: str, body: bytes, words: str) -> None:
    answer = await Server().ask(line, body)
    assert (answer.status, msgspec.json.decode(answer.body)) == (400, {"error": words})


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
async def test_the_type_of_a_body_does_not_matter(kind: str) -> None:
    answer = await Server().ask("POST /api/show", b'{"model":"gpt-4.1","unknown":[{}]}', KEY, f"content-type: {kind}")
    assert answer.status == 200


@pytest.mark.parametrize("name", ["GPT-4.1", "gpt-4.1:latest", "Gpt-4.1:latest"])
async def test_a_model_is_known_by_any_spelling(name: str) -> None:
    answer = await Server().ask("POST /api/show", msgspec.json.encode({"model": name, "name": "other"}))
    assert (answer.status, b'"gpt.context_length":1047576' in answer.body) == (200, True)


async def test_a_pull_is_streamed_unless_the_client_says_otherwise() -> None:
    for body in (b'{"model":"gpt-4.1"}', b'{"model":"gpt-4.1","stream":null}', b'{"model":"gpt-4.1","stream":true}'):
        answer = await Server().ask("POST /api/pull", body)
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.body.endswith(b'{"status":"success"}\n')
        assert answer.body.count(b"\n") == 4


async def test_a_model_counts_as_loaded_for_five_minutes() -> None:
    server = Server()

    async def loaded(key: str = KEY) -> list[tuple[str, str]]:
        body = (await server.ask("GET /api/ps", b"", key)).body
        return re.findall(r'"model":"([^"]*)".*?"expires_at":"2026-11-01T([^"]*)"', body.decode())

    assert await loaded() == []
    server.directory.resolve("deepseek-r1", APP)
    server.directory.resolve("gpt-4.1", APP)
    server.time += 240
    server.directory.resolve("deepseek-r1:latest", APP)
    assert await loaded() == [("deepseek-r1:latest", "00:09:00.250000Z"), ("gpt-4.1:latest", "00:05:00.250000Z")]
    assert await loaded("authorization: Bearer dg-other-key") == []
    server.time += 60
    assert await loaded() == [("deepseek-r1:latest", "00:09:00.250000Z")]
    server.time += 240
    assert await loaded() == []


async def test_to_look_at_a_model_does_not_load_it() -> None:
    server = Server()
    await server.ask("POST /api/show", b'{"model":"gpt-4.1"}')
    await server.ask("POST /api/pull", b'{"model":"gpt-4.1"}')
    assert (await server.ask("GET /api/ps")).body == b'{"models":[]}'


@pytest.mark.parametrize("line", ["POST /api/signout", "DELETE /api/user/keys/a"])
async def test_there_are_no_accounts(line: str) -> None:
    answer = await Server().ask(line)
    assert (answer.status, answer.body) == (404, b'{"error":"accounts are not supported by this server"}')


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("GET /api/", 404, b"404 page not found"),
        ("POST /api/tags/", 404, b"404 page not found"),
        ("GET /api/show", 405, b"405 method not allowed"),
        ("PUT /api/tags", 405, b"405 method not allowed"),
        (f"GET /api/blobs/{DIGEST}", 405, b"405 method not allowed"),
    ],
)
async def test_other_paths_and_methods_are_refused_in_plain_text(line: str, status: int, words: bytes) -> None:
    answer = await Server().ask(line)
    assert (answer.status, answer.body) == (status, words)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert ("allow" in answer.headers) == (status == 405)


async def test_what_is_no_matter_of_paths_is_refused_in_json() -> None:
    link = Link()
    ollama.refuse(make_exchange(link, "GET /api/tags"), Forbidden(NOT_OURS))
    assert (response(link).status, response(link).body) == (403, b'{"error":"%b"}' % NOT_OURS.encode())


@pytest.mark.parametrize("length", ["content-length: 9000000000", "transfer-encoding: chunked"])
async def test_an_upload_is_refused_before_it_has_come(length: str) -> None:
    line = Line(Server().routes)
    head = f"POST /api/blobs/{DIGEST} HTTP/1.1\r\nhost: localhost\r\n{KEY}\r\n{length}\r\n\r\n"
    told = await line.feed(head.encode())
    assert told.startswith(b"HTTP/1.1 403 ")
    assert b"\r\nconnection: close\r\n" in told
    assert told.endswith(b'\r\n\r\n{"error":"%b"}' % NOT_OURS.encode())
