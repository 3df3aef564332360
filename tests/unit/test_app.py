"""The composition root: what a configuration becomes."""

import asyncio
import socket
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from dragoman.app import App, build_app
from dragoman.config.check import check_document
from dragoman.config.schema import Config
from dragoman.core.call import Caller
from dragoman.core.errors import ModelNotFound
from dragoman.net.deadlines import Deadlines
from dragoman.observe.log import Log
from dragoman.server.exchange import Exchange
from dragoman.wire.http1 import HeadLimits, read_head
from tests.unit.server.link import JSON, Link, Response, make_exchange, response

ANYBODY = Caller("")
LAB = '[upstreams.lab]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nkey = "$LAB_KEY"\n'
SIM = '[upstreams.sim]\nkind = "sim"\nspeed = { first = 0, rate = 1e6 }\n'
BODY = '{"model":"%s","messages":[{"role":"user","content":"Hi"}]}'


class _Tokens(msgspec.Struct):
    """What a count of tokens tells."""

    input_tokens: int


def configure(toml: str) -> Config:
    return check_document(tomllib.loads(toml), {"LAB_KEY": "lab-secret", "APP_KEY": "dg-app-key"}, {})


def build(toml: str) -> App:
    return build_app(configure(toml), Deadlines(asyncio.get_running_loop()))


async def ask(app: App, line: str, *headers: str, body: str = "") -> Response:
    link = Link()
    await app.handler(make_exchange(link, line, *headers, body=body.encode()))
    return response(link)


@pytest.fixture
def nobody() -> str:
    """Return the base URL of a server that does not exist."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/v1"


async def test_every_path_is_served() -> None:
    app = build(SIM)
    for line in ("GET /v1/models", "GET /health", "GET /health/live", "GET /health/ready"):
        assert (await ask(app, line)).status == 200
    assert (await ask(app, "GET /v1/models/nobody")).status == 404
    for path in ("/v1/chat/completions", "/v1/completions"):
        answer = await ask(app, f"POST {path}", JSON, body="{}")
        assert (answer.status, b"missing_required_parameter" in answer.body) == (400, True)
    assert (await ask(app, "GET /metrics")).status == 404


async def test_the_simulator_answers_through_everything() -> None:
    app = build(SIM + '[models]\nfast = "sim/instant"\n')
    listed = [entry.id for entry in app.directory.entries(ANYBODY)]
    assert listed[0] == "fast"
    assert "sim/instant" in listed
    answer = await ask(app, "POST /v1/chat/completions", JSON, body=BODY % "fast")
    assert (answer.status, answer.headers["x-dragoman-model"]) == (200, "sim/instant")
    assert len(app.background) == 1, "the pulse alone"
    app.close()


async def test_the_keys_and_their_models_count() -> None:
    app = build(
        SIM + '[keys.app]\nkey = "$APP_KEY"\nmodels = ["sim/instant"]\n[keys.all]\nhash = "sha256:' + "0" * 64 + '"\n'
    )
    key = "authorization: Bearer dg-app-key"
    assert (await ask(app, "GET /v1/models")).status == 401
    assert (await ask(app, "GET /v1/models", key)).body.count(b'"id":"sim/instant"') == 1
    assert (await ask(app, "POST /v1/chat/completions", JSON, key, body=BODY % "sim/other")).status == 403
    assert (await ask(app, "POST /v1/chat/completions", JSON, key, body=BODY % "sim/instant")).status == 200


async def test_the_limits_and_timeouts_count() -> None:
    toml = """
    [server.timeout]
    head = 1
    body = 2
    write = 3
    keep_alive = 4
    [limits]
    head = 11
    header = 12
    headers = 13
    url = 14
    body = 15
    messages = 1
    """
    app = build(toml + SIM)
    settings = app.settings
    assert settings.head == HeadLimits(total=11, header=12, count=13, target=14)
    assert (settings.body, settings.head_timeout, settings.body_timeout) == (15, 1, 2)
    assert (settings.write_timeout, settings.keep_alive) == (3, 4)
    two = (BODY % "sim/instant").replace("}]", "},{}]")
    assert b"'messages'" in (await ask(app, "POST /v1/chat/completions", JSON, body=two)).body


async def test_only_a_catalogue_of_an_upstreams_own_is_read_in_the_background() -> None:
    app = build(LAB + LAB.replace("lab]", "fixed]") + 'models = ["a", "*"]\n')
    assert len(app.background) == 2, "the other is the pulse"
    assert [entry.id for entry in app.directory.entries(ANYBODY)] == ["fixed/a"]
    app.directory.resolve("fixed/b", ANYBODY)
    app.directory.resolve("b", ANYBODY)
    app.close()


async def test_a_fixed_list_is_all_there_is() -> None:
    app = build(LAB + 'models = ["a"]\n')
    app.directory.resolve("lab/a", ANYBODY)
    with pytest.raises(ModelNotFound):
        app.directory.resolve("lab/b", ANYBODY)


async def test_a_catalogue_that_cannot_be_read_says_so_in_the_health(nobody: str) -> None:
    app = build(LAB.replace("http://127.0.0.1:9/v1", nobody))

    async def refresh() -> None:
        await app.background[-1]()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        task = group.create_task(refresh())
        for _ in range(10_000):
            if b'"lab":{"models":null,"catalogue":"connect"}' in (await ask(app, "GET /health")).body:
                break
            await asyncio.sleep(0.002)
        task.cancel()
    assert b'"catalogue":"connect"' in (await ask(app, "GET /health")).body


@pytest.mark.parametrize(
    ("attempts", "targets", "asked"),
    [
        ((3,), ["a/x"], "aaa"),
        ((1,), ["a/x"], "a"),
        ((3, 3), ["a/x", "b/y"], "aab"),
        ((2, 2), ["a/x", "b/y"], "ab"),
        ((1, 1), ["a/x", "b/y"], "ab"),
        ((1, 1), ["a/x", "b/y", "a/z", "b/z"], "aba"),
        ((1, 3), ["a/x", "b/y"], "abb"),
        ((3, 3), ["a/x", "b/y", "a/z"], "aba"),
        ((3, 3), ["a/x", "b/y", "a/z", "b/z"], "aba"),
        ((5, 5), ["a/x", "b/y", "a/z"], "aaaba"),
    ],
)
async def test_every_later_target_is_left_an_attempt(
    nobody: str, attempts: Sequence[int], targets: Sequence[str], asked: str
) -> None:
    """The pauses between are random and short; five attempts may take three seconds."""
    tables = [
        f'[upstreams.{name}]\nkind = "openai"\nbase_url = "{nobody}"\nmodels = ["*"]\nretry.attempts = {number}\n'
        for name, number in zip("ab", attempts, strict=False)
    ]
    lines: list[str] = []
    config = configure("".join(tables) + f"[models]\nfast = {targets}\n")
    app = build_app(config, Deadlines(asyncio.get_running_loop()), lambda secrets: Log(secrets, lines.append))
    answer = await ask(app, "POST /v1/chat/completions", JSON, body=BODY % "fast")
    assert (answer.status, answer.headers["x-dragoman-attempts"]) == (502, str(len(asked)))
    told = [msgspec.json.decode(line, type=dict[str, str | float])["upstream"] for line in lines]
    assert told == list(asked)


# What a model can


IMAGE = (
    '{"model":"%s","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},'
    '{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}'
)
TOOLS = (
    '{"model":"%s","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}'
)


@pytest.mark.parametrize(
    ("model", "body", "words"),
    [
        ("sim/text-only", IMAGE, "images"),
        ("sim/TEXT-ONLY:latest", TOOLS, "tools"),
        ("sim/embed", BODY, "chat"),
        ("reader", IMAGE, "images"),
    ],
)
async def test_what_a_model_is_known_not_to_take_is_refused_before_it_is_asked(
    model: str, body: str, words: str
) -> None:
    app = build(SIM + '[models]\nreader = "sim/text-only"\n')
    answer = await ask(app, "POST /v1/chat/completions", JSON, body=body % model)
    assert (answer.status, "x-dragoman-attempts" in answer.headers) == (400, False)
    message = msgspec.json.decode(answer.body, type=dict[str, dict[str, str | None]])["error"]["message"]
    assert message == f'"{model}" does not support {words}'


@pytest.mark.parametrize("body", [BODY, IMAGE, TOOLS])
async def test_an_alias_goes_on_to_a_target_that_suits(body: str) -> None:
    app = build(SIM + '[models]\nfast = ["sim/text-only", "sim/instant"]\n')
    answer = await ask(app, "POST /v1/chat/completions", JSON, body=body % "fast")
    served = "sim/text-only" if body is BODY else "sim/instant"
    assert (answer.status, answer.headers["x-dragoman-model"], answer.headers["x-dragoman-attempts"]) == (
        200,
        served,
        "1",
    )


async def test_the_list_tells_what_an_alias_can() -> None:
    app = build(SIM + '[models]\nreader = "sim/text-only"\n')
    assert b'"capabilities":["completion"]' in (await ask(app, "POST /api/show", body='{"model":"reader"}')).body
    assert b'"capabilities":["embedding"]' in (await ask(app, "POST /api/show", body='{"model":"sim/embed"}')).body


# Who may come in


async def ask_host(app: App, host: str) -> int:
    link = Link()
    head = read_head(f"GET /api/tags HTTP/1.1\r\nhost: {host}\r\n\r\n".encode(), HeadLimits())
    await app.handler(Exchange(link, head, "127.0.0.1", b""))
    return response(link).status


async def test_a_server_without_keys_is_for_this_machine_and_its_public_name() -> None:
    app = build('[server]\npublic_url = "https://llm.example.com:444/base"\n' + SIM)
    assert [await ask_host(app, host) for host in ("localhost:1", "llm.example.com", "evil.example")] == [200, 200, 403]
    locked = build(SIM + '[keys.app]\nkey = "$APP_KEY"\n')
    assert await ask_host(locked, "evil.example") == 401


async def test_pages_may_ask_on_ollamas_paths_if_their_origin_is_known() -> None:
    app = build('[server]\npublic_url = "https://llm.example.com:444"\nollama_origins = ["app://*"]\n' + SIM)
    body = '{"model":"sim/instant","messages":[{"role":"user","content":"Hi"}],"stream":false}'
    statuses = {
        origin: (await ask(app, "POST /api/chat", f"origin: {origin}", body=body)).status
        for origin in ("app://x", "https://llm.example.com:444", "https://llm.example.com", "http://localhost", "null")
    }
    assert list(statuses.values()) == [200, 200, 403, 403, 403]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/transcriptions", "/nothing"])
async def test_without_keys_the_origin_counts_on_every_path(path: str) -> None:
    keys = '[keys.app]\nkey = "$APP_KEY"\n'
    evil = ["content-type: multipart/form-data; boundary=x", "origin: https://evil.example"]
    refused = await ask(build(SIM), f"POST {path}", *evil)
    assert (refused.status, b'"code":"origin_not_allowed"' in refused.body) == (403, True)
    assert (await ask(build(SIM + keys), f"POST {path}", *evil)).status in (401, 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models", 200),
        ("/api/tags", 200),
        ("/v1/models/sim%2Finstant", 200),
        ("/health", 200),
        ("/api/nothing", 404),
    ],
)
async def test_a_key_may_stand_in_the_path_if_the_operator_says_so(path: str, status: int) -> None:
    lines: list[str] = []
    for allowed in ("true", "false"):
        config = configure(f'[server]\nkey_in_path = {allowed}\n{SIM}[keys.app]\nkey = "$APP_KEY"\n')
        app = build_app(config, Deadlines(asyncio.get_running_loop()), lambda secrets: Log(secrets, lines.append))
        answer = await ask(app, f"GET /k/dg-app-key{path}")
        assert answer.status == (status if allowed == "true" else 404)
        if allowed == "true":
            assert b"dg-app-key" not in answer.body
    assert lines == []


# What is refused in which words


@pytest.mark.parametrize(
    ("line", "status", "start"),
    [
        ("GET /api/nothing", 404, b"404 page not found"),
        ("GET /api/chat", 405, b"405 method not allowed"),
        ("GET /v1/messages", 405, b'{"type":"error","error":{"type":"invalid_request_error",'),
        ("POST /v1/messages/batches", 404, b'{"type":"error","error":{"type":"not_found_error",'),
        ("GET /v1/files", 404, b'{"type":"error","error":{"type":"not_found_error",'),
        ("GET /v1/nothing", 404, b'{"error":{"message":"unknown request URL'),
        ("GET /nothing", 404, b'{"error":{"message":"unknown request URL'),
    ],
)
async def test_what_is_not_served_is_refused_in_the_words_of_its_dialect(line: str, status: int, start: bytes) -> None:
    answer = await ask(build(SIM), line)
    assert (answer.status, answer.body[: len(start)]) == (status, start)


async def test_anthropics_clients_get_its_list_and_its_errors() -> None:
    app = build(SIM + '[keys.app]\nkey = "$APP_KEY"\n')
    answer = await ask(app, "GET /v1/models?limit=1", "x-api-key: dg-app-key")
    assert b'"has_more":true,"first_id":"sim/chat","last_id":"sim/chat"}' in answer.body
    refused = await ask(app, "GET /v1/models", "x-api-key: wrong", "anthropic-version: 2023-06-01")
    assert (refused.status, refused.headers["request-id"]) == (401, "id-1")
    assert b'"type":"authentication_error"' in refused.body


async def test_the_log_knows_what_to_blot_out() -> None:
    secrets: list[str] = []

    def make_log(given: Sequence[str]) -> Log:
        secrets.extend(given)
        return Log(given)

    build_app(configure(LAB + SIM), Deadlines(asyncio.get_running_loop()), make_log)
    assert secrets == ["lab-secret"]


def test_without_the_simulator_none_is_loaded() -> None:
    script = "import dragoman.app, sys; print([name for name in sys.modules if 'simulator' in name])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd="src")
    assert done.stdout == "[]\n"


async def test_responses_are_kept_where_the_configuration_says(tmp_path: Path) -> None:
    file = tmp_path / "kept.db"
    app = build(SIM + f'[store]\nurl = "sqlite:///{file}"\n')
    assert not file.exists()
    body = '{"model":"sim/instant","input":"Hi"}'
    made = await ask(app, "POST /v1/responses", JSON, body=body)
    name = msgspec.json.decode(made.body, type=dict[str, msgspec.Raw])["id"]
    shown = await ask(app, f"GET /v1/responses/{msgspec.json.decode(name, type=str)}")
    app.close()
    assert (shown.status, shown.body) == (200, made.body)
    assert file.exists()


async def test_a_short_name_is_served_by_what_it_stands_for() -> None:
    body = '{"model":"gpt","messages":[{"role":"user","content":"Hi"}]}'
    assert (await ask(build(LAB + SIM), "POST /v1/chat/completions", JSON, body=body)).status == 404
    text = LAB + 'models = ["GPT-5"]\nretry.attempts = 1\n[names]\npresets = ["short_names"]\n'
    app = build(text)
    assert [entry.id for entry in app.directory.entries(ANYBODY)] == ["gpt", "lab/GPT-5"]
    assert (await ask(app, "POST /v1/chat/completions", JSON, body=body)).status == 502
    app.close()


async def test_tokens_are_counted_as_the_operator_wants() -> None:
    told: list[bytes] = []
    body = '{"model":"sim/chat","messages":[{"role":"user","content":"indistinguishable"}]}'
    for how in ("auto", "estimate"):
        app = build(f'{SIM}[server]\ntokens = "{how}"\n')
        told.append((await ask(app, "POST /v1/messages/count_tokens", JSON, body=body)).body)
        app.close()
    exact, estimated = (msgspec.json.decode(each, type=_Tokens).input_tokens for each in told)
    assert 0 < exact < estimated
