"""The commands as somebody uses them who has just installed Dragoman: what they print, and how they end."""

import re
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct
from openai import NotFoundError, OpenAI

from tests.sdk.chat import HELLO
from tests.sdk.environment import ELSEWHERE, environment
from tests.sdk.process import Served, served

PATIENCE = 30.0
"""Seconds for a command that ends by itself."""


class Message(Struct):
    content: str


class Choice(Struct):
    message: Message


class Answer(Struct):
    """What `curl` shows of an answer."""

    choices: list[Choice]


def test_without_any_configuration_the_line_it_prints_works_as_printed() -> None:
    with served(["serve", "--port", "0"]) as gateway:
        line = example(gateway)
        assert "sim/chat" in line
        assert said(shell(line)) != ""
        with OpenAI(base_url=f"{gateway.address}/v1", api_key="any", max_retries=0) as client:
            assert client.chat.completions.create(model="sim/instant", messages=HELLO).choices
            with pytest.raises(NotFoundError):
                client.chat.completions.create(model="sim/nothing", messages=HELLO)
            with pytest.raises(NotFoundError):
                client.models.retrieve("sim/nothing")
        assert gateway.stop() == 0


def test_one_variable_makes_a_client_key_and_the_line_uses_it() -> None:
    key = {"DRAGOMAN_KEY": "dg-the-only-one"}
    with served(["serve", "--port", "0"], key) as gateway:
        line = example(gateway)
        assert key["DRAGOMAN_KEY"] not in line
        assert said(shell(line, key)) != ""
        assert '"code":"invalid_api_key"' in shell(line, {"DRAGOMAN_KEY": "dg-another"})


def test_two_variables_make_an_upstream(upstream: Served) -> None:
    variables = {"OPENAI_API_KEY": "sk-lab", "OPENAI_BASE_URL": f"{upstream.address}/v1"}
    with served(["serve", "--port", "0"], variables) as gateway:
        with OpenAI(base_url=f"{gateway.address}/v1", api_key="any", max_retries=0) as client:
            raw = client.chat.completions.with_raw_response.create(model="openai/instant", messages=HELLO)
            assert raw.headers["x-dragoman-model"] == "openai/instant"
        assert '"data":[' in shell(example(gateway))
    done = run("models", variables=variables)
    assert done.returncode == 0
    assert "openai/instant" in done.stdout


def test_the_simulator_alone_answers_any_key(upstream: Served) -> None:
    with OpenAI(base_url=f"{upstream.address}/v1", api_key="any", max_retries=0) as client:
        answer = client.chat.completions.create(model="chat", messages=HELLO)
        assert answer.choices[0].finish_reason == "stop"
        assert "error-429" in [model.id for model in client.models.list()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_told_to_stop_ends_well(number: signal.Signals) -> None:
    with served(["serve", "--port", "0"]) as gateway:
        assert gateway.stop(number) == 0


def test_every_mistake_is_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.toml"
    file.write_text(
        """
        [server]
        prot = 8484
        [upstreams.lab]
        kind = "opanai"
        [upstreams.poe]
        key = "$NOT_SET"
        [models]
        fast = "nowhere/model"
        """
    )
    for command in ("serve", "check", "models"):
        done = run(command, "-c", str(file))
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.splitlines() == [
            "error: server.prot: unknown key; did you mean port?",
            "error: upstreams.lab.kind: expected openai or poe or poe_bot or qwen or anthropic or ollama or sim",
            "error: upstreams.poe.key: the environment variable NOT_SET is not set",
            "error: models.fast: no upstream is named nowhere",
        ]


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    done = run("serve", "-c", "/no/such/file.toml")
    assert (done.returncode, done.stderr) == (2, "error: /no/such/file.toml: no such file\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_without_client_keys_only_the_loopback_interface_is_bound(host: str) -> None:
    done = run("serve", "--port", "0", "--host", host)
    assert (done.returncode, done.stderr) == (
        2,
        "error: server.host: without any client key the server binds loopback only\n",
    )


def test_with_a_client_key_any_address_may_be_bound() -> None:
    with served(["serve", "--port", "0", "--host", "0.0.0.0"], {"DRAGOMAN_KEY": "dg-key"}) as gateway:
        assert gateway.address.startswith("http://0.0.0.0:")
        assert said(shell(example(gateway), {"DRAGOMAN_KEY": "dg-key"})) != ""


@pytest.mark.parametrize("command", ["serve", "simulate"])
def test_an_address_that_is_taken_is_told(command: str, upstream: Served) -> None:
    done = run(command, "--port", upstream.address.rpartition(":")[2])
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot listen on 127.0.0.1: ")
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--port", "99999"], ["simulate", "--port", "-1"], ["simulate", "--rate", "-1"], ["no-such-command"]],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr


def test_a_new_key_opens_the_door_with_the_lines_that_were_printed(tmp_path: Path) -> None:
    done = run("key", "new", "some.app")
    assert done.returncode == 0
    key = re.search(r"dg-\S{43}", done.stdout)
    table = done.stdout.partition("for dragoman.toml:\n")[2]
    assert key is not None
    assert key[0] not in table
    assert tomllib.loads(table)["keys"]["some.app"]["hash"].startswith("sha256:")
    (tmp_path / "dragoman.toml").write_text(f"[upstreams.sim]\n{table}")
    with served(["serve", "--port", "0", "-c", str(tmp_path / "dragoman.toml")]) as gateway:
        assert said(shell(example(gateway), {"DRAGOMAN_KEY": key[0]})) != ""
        assert '"code":"invalid_api_key"' in shell(example(gateway), {"DRAGOMAN_KEY": "dg-another"})


def test_a_good_configuration_is_explained_without_its_secrets(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.toml"
    file.write_text('[upstreams.sim]\n[upstreams.poe]\nkey = "$MINE"\n[models]\nfast = ["poe/some", "sim/instant"]\n')
    done = run("check", "-c", str(file), variables={"MINE": "sk-very-secret"})
    assert (done.returncode, done.stderr) == (0, "")
    assert f"The configuration is good ({file})." in done.stdout
    assert re.search(r"fast .* poe/some .* sim/instant", done.stdout)
    assert "sk-very-secret" not in done.stdout


def test_a_catalogue_that_cannot_be_read_is_told() -> None:
    done = run("models", variables={"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: openai: the upstream cannot be reached")
    assert "sk-x" not in done.stderr + done.stdout


def run(*arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        ["dragoman", *arguments],
        cwd=ELSEWHERE,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def example(gateway: Served) -> str:
    """Return the line that a server offers to try."""
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    found = re.search(r"^  try +(curl .*)$", gateway.greeting, re.MULTILINE)
    assert found is not None, gateway.greeting
    return found[1]


def shell(line: str, variables: Mapping[str, str] | None = None) -> str:
    """Return what a line prints that is typed into a shell."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


def said(body: str) -> str:
    """Return the text of an answer."""
    return msgspec.json.decode(body, type=Answer).choices[0].message.content
