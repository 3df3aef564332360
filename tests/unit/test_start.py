"""A server in this process, from its greeting to its end: a second thread is its client, and stops it."""

import gc
import io
import os
import re
import signal
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import redirect_stdout
from threading import Thread
from urllib.request import Request, urlopen

import pytest

from dragoman.config.load import load_config
from dragoman.config.schema import Config
from dragoman.start import serve_gateway, serve_simulator

BODY = b'{"model":"%b","messages":[{"role":"user","content":"Say: hello"}]}'
AT_ONCE = {"DRAGOMAN__SERVER__PORT": "0", "DRAGOMAN__UPSTREAMS__SIM__SPEED__FIRST": "0"}


@pytest.fixture(autouse=True)
def as_before() -> Generator[None]:
    """A server freezes what exists when it starts, and has its own thresholds; the tests after it want neither."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Greeting(io.StringIO):
    """The standard output of a server; once it is flushed, a client takes over, and then the server is stopped."""

    def __init__(self, use: Callable[[str], object]) -> None:
        super().__init__()
        self._use = use
        self.failure: Exception | None = None
        self.thread = Thread(target=self._run)

    def flush(self) -> None:
        self.thread.start()

    def _run(self) -> None:
        try:
            found = re.search(r"http://\S+:\d+", self.getvalue())
            assert found is not None
            self._use(found[0])
        except Exception as error:  # noqa: BLE001 — told to the test, which runs in another thread
            self.failure = error
        finally:
            os.kill(os.getpid(), signal.SIGINT)


def serve(job: Callable[[], None], use: Callable[[str], object]) -> str:
    """Run `job` until `use` has been done with its address; returns what it printed."""
    greeting = Greeting(use)
    with redirect_stdout(greeting):
        job()
    greeting.thread.join()
    if greeting.failure is not None:
        raise greeting.failure
    return greeting.getvalue()


def config(variables: Mapping[str, str]) -> Config:
    return load_config(None, {**AT_ONCE, **variables}, {})


def fetch(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    request = Request(url, body, {"content-type": "application/json", **(headers or {})})
    with urlopen(request, timeout=20) as response:
        return bytes(response.read())


def test_the_gateway_serves_and_says_how_to_try_it() -> None:
    answers: list[bytes] = []

    def use(address: str) -> None:
        answers.append(fetch(f"{address}/v1/chat/completions", BODY % b"sim/instant"))

    lines = serve(lambda: serve_gateway(config({})), use).splitlines()
    assert b'"content":"hello"' in answers[0]
    address = lines[0].removeprefix("Dragoman listens on ")
    assert lines[1] == "  upstreams  sim"
    assert re.fullmatch(r"  models     sim/chat, sim/instant, sim/\w+, sim/\w+, … \(\d+ in all\)", lines[2])
    question = '{"model":"sim/chat","messages":[{"role":"user","content":"Hello"}]}'
    assert lines[3] == (
        f"  try        curl -s {address}/v1/chat/completions -H 'content-type: application/json' -d '{question}'"
    )


def test_a_gateway_with_keys_shows_where_the_key_goes() -> None:
    def use(address: str) -> None:
        fetch(f"{address}/v1/models", headers={"authorization": "Bearer dg-mine"})

    printed = serve(lambda: serve_gateway(config({"DRAGOMAN_KEY": "dg-mine"})), use)
    assert ' -H "authorization: Bearer $DRAGOMAN_KEY" -d ' in printed
    assert "dg-mine" not in printed


def test_an_upstream_that_was_not_asked_yet_is_asked_for_its_models() -> None:
    variables = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "DRAGOMAN_KEY": "dg-mine"}
    printed = serve(
        lambda: serve_gateway(load_config(None, {"DRAGOMAN__SERVER__PORT": "0", **variables}, {})),
        lambda address: fetch(f"{address}/health"),
    )
    address = printed.splitlines()[0].removeprefix("Dragoman listens on ")
    assert printed.splitlines()[1:] == [
        "  upstreams  openai",
        f'  try        curl -s {address}/v1/models -H "authorization: Bearer $DRAGOMAN_KEY"',
    ]


def test_a_model_name_with_a_quote_does_not_break_the_line() -> None:
    name = "it's"
    document = {**AT_ONCE, "DRAGOMAN__MODELS": '{"' + name + '" = "sim/instant"}'}
    printed = serve(
        lambda: serve_gateway(load_config(None, document, {})), lambda address: fetch(f"{address}/v1/models")
    )
    assert """-d '{"model":"it'"'"'s",""" in printed


def test_a_lone_model_is_named_alone() -> None:
    variables = {
        "DRAGOMAN__SERVER__PORT": "0",
        "DRAGOMAN__UPSTREAMS__LAB": '{kind = "openai", base_url = "http://127.0.0.1:9/v1", models = ["one"]}',
    }
    printed = serve(lambda: serve_gateway(load_config(None, variables, {})), lambda address: fetch(f"{address}/health"))
    assert printed.splitlines()[2] == "  models     lab/one"


def test_the_simulator_serves_alone() -> None:
    answers: list[bytes] = []

    def use(address: str) -> None:
        answers.append(fetch(f"{address}/v1/chat/completions", BODY % b"chat"))

    printed = serve(lambda: serve_simulator("127.0.0.1", 0, 0, 0.0, 0.0), use)
    assert b'"content":"hello"' in answers[0]
    first, *faces = printed.splitlines()
    assert re.fullmatch(r"The simulator listens on http://127.0.0.1:\d+/v1, any key will do.", first)
    root = first.split()[4].removesuffix("/v1,")
    assert [line.split()[-1].removeprefix(root) for line in faces] == [
        "/poe/v1",
        "/poe/bot/",
        "/poe/poe_api/",
        "/qwen/compatible-mode/v1",
    ]


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_an_address_of_ipv6_is_written_so_that_a_client_can_use_it() -> None:
    printed = serve(lambda: serve_simulator("::1", 0, 0, 0.0, 0.0), lambda address: fetch(f"{address}/v1/models"))
    assert "http://[::1]:" in printed


def test_what_is_no_http_is_answered_in_words() -> None:
    answers: list[bytes] = []

    def use(address: str) -> None:
        host, _, port = address.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"no http\r\n\r\n")
            while piece := connection.recv(65536):
                answers.append(piece)

    serve(lambda: serve_gateway(config({})), use)
    assert b'{"error":{"message":' in b"".join(answers)


def test_an_address_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(OSError, match="in use"):
        serve_simulator("127.0.0.1", server.getsockname()[1], 0, 0.0, 0.0)
