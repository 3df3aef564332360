"""The composition root: what a configuration becomes."""

import asyncio
import socket
import subprocess
import sys
import tomllib
from collections.abc import Sequence

import msgspec
import pytest

from dragoman.app import App, build_app
from dragoman.config.check import check_document
from dragoman.config.schema import Config
from dragoman.core.call import Caller
from dragoman.core.errors import ModelNotFound
from dragoman.net.deadlines import Deadlines
from dragoman.observe.log import Log
from dragoman.wire.http1 import HeadLimits
from tests.unit.server.link import JSON, Link, Response, make_exchange, response

ANYBODY = Caller("")
LAB = '[upstreams.lab]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nkey = "$LAB_KEY"\n'
SIM = '[upstreams.sim]\nkind = "sim"\nspeed = { first = 0, rate = 1e6 }\n'
BODY = '{"model":"%s","messages":[{"role":"user","content":"Hi"}]}'


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
    assert app.background == []
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
    assert len(app.background) == 1
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
        await app.background[0]()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(refresh())
        for _ in range(1000):
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
