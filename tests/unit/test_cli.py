"""The commands, in this process: what they hand on, what they print, how they end."""

import socket
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from dragoman import __version__
from dragoman.cli import main
from dragoman.config.keys import hash_key
from dragoman.testing.conform.run import Report
from dragoman.testing.conform.scenarios import Subject
from tests.unit.testing.conform.server import JSON, serving


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the machine's variables nor a file in its working directory has a say."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "POE_API_KEY", "OLLAMA_HOST", "CUSTOM_TOKEN", "DRAGOMAN_CONFIG", "DRAGOMAN_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def taken() -> Generator[str]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_names_every_command(flag: str) -> None:
    done = run(flag)
    assert done.exit_code == 0
    for command in ("serve", "simulate", "check", "models", "conform", "key", "upstream"):
        assert f"  {command} " in done.stdout


def test_the_version_is_told() -> None:
    assert run("--version").stdout == f"main, version {__version__}\n"


@pytest.mark.parametrize("command", ["serve", "check", "models"])
def test_every_mistake_of_a_configuration_is_told(command: str) -> None:
    Path("bad.toml").write_text("[server]\nport = 70000\nprot = 1\n")
    done = run(command, "-c", "bad.toml")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "error: server.port: expected int <= 65535",
        "error: server.prot: unknown key; did you mean port?",
    ]


def test_the_command_line_has_the_last_word(taken: str) -> None:
    Path("dragoman.toml").write_text("[server]\nport = 1\nhost = '192.0.2.1'\n")
    done = run("serve", "--host", "127.0.0.1", "--port", taken)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: cannot listen on 127.0.0.1: ")


def test_what_should_be_otherwise_is_told_before_it_serves(taken: str) -> None:
    Path("dragoman.toml").write_text("[upstreams.sim]\n[keys.app]\nkey = 'dg-in-plain-sight'\n")
    done = run("serve", "--port", taken)
    assert done.stderr.startswith("warning: keys.app.key: a key in plain sight")
    assert "dg-in-plain-sight" not in done.output


def test_what_other_programs_variables_became_is_told_before_it_serves(
    taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTOM_TOKEN", "c-secret")
    done = run("serve", "--port", taken)
    assert done.stderr.splitlines()[0] == "CUSTOM_TOKEN → keys.custom.key"
    assert "c-secret" not in done.output


@pytest.mark.parametrize("command", ["serve", "check", "models"])
def test_what_the_network_layer_cannot_use_is_told_with_all_the_rest(command: str) -> None:
    lab = "[upstreams.lab]\nkind = 'openai'\nbase_url = 'http://lab'\nproxy = 'socks5://me@lab'\nca = '/nowhere'\n"
    Path("bad.toml").write_text(lab + "[server]\nprot = 1\n")
    done = run(command, "-c", "bad.toml")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "error: upstreams.lab.proxy: a SOCKS proxy wants user and password, each 1 to 255 ASCII characters",
        "error: upstreams.lab.ca: the CA file cannot be read: No such file or directory",
        "error: server.prot: unknown key; did you mean port?",
    ]


@pytest.mark.parametrize("more", [(), ("--instant",)])
def test_the_simulator_tells_when_its_address_is_taken(taken: str, more: tuple[str, ...]) -> None:
    done = run("simulate", "--port", taken, *more)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: cannot listen on 127.0.0.1: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "65536"),
        ("simulate", "--port", "-1"),
        ("simulate", "--first", "-0.1"),
        ("simulate", "--rate", "fast"),
        ("conform", "llm.example.com"),
        ("conform", "http://127.0.0.1:9", "--dialect", "esperanto"),
        ("conform", "http://127.0.0.1:9", "--timeout", "0"),
        ("key", "new", "a name"),
        ("key", "new", "a" * 65),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Error: Invalid value for " in done.stderr


def test_a_good_configuration_is_explained() -> None:
    done = run("check")
    assert done.exit_code == 0
    assert "The configuration is good (no file: the environment alone)." in done.stdout


def test_the_models_are_listed() -> None:
    done = run("models")
    assert done.exit_code == 0
    assert "sim/chat" in done.stdout
    listed = msgspec.json.decode(run("models", "--json").stdout)
    assert listed["models"][0]["id"] == "sim/chat"


@pytest.mark.parametrize(
    ("name", "table"), [([], "[keys.app]"), (["my-app"], "[keys.my-app]"), (["my.app"], '[keys."my.app"]')]
)
def test_a_new_key_comes_with_the_table_that_knows_it(name: list[str], table: str) -> None:
    done = run("key", "new", *name)
    assert done.exit_code == 0
    lines = [line.strip() for line in done.stdout.splitlines() if line]
    key = lines[1]
    assert lines == ["key, for the client:", key, "for dragoman.toml:", table, f'hash = "{hash_key(key)}"']
    assert key.startswith("dg-")


def test_a_server_that_refuses_everything_does_not_conform() -> None:
    with serving(lambda _: (404, JSON, b'{"error":"no"}')) as server:
        arguments = ("conform", server.url, "--model", "m", "--dialect", "ollama", "--thinking-model", "t")
        done = run(*arguments)
        assert done.exit_code == 1
        assert "✗ ollama wire, text: status: expected 200, got 404: no" in done.stdout
        report = msgspec.json.decode(run(*arguments, "--json").stdout, type=Report)
    assert (report.url, report.subject) == (server.url, Subject("m", thinking="t"))
    assert {result.dialect for result in report.failures} == {"ollama"}


def test_a_server_that_does_not_answer_cannot_be_tested() -> None:
    done = run("conform", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: connection: expected a whole answer, got ")


def test_an_account_is_shown_of_an_upstream_that_tells(tmp_path: Path) -> None:
    file = tmp_path / "dragoman.toml"
    key = tmp_path / "key"
    key.write_text("secret-key")
    key.chmod(0o600)
    file.write_text(f'[upstreams.poe]\nbase_url = "http://127.0.0.1:9/v1"\nkey = "$file:{key}"\n[upstreams.sim]\n')
    told = run("upstream", "poe", "-c", str(file), "--json")
    assert told.exit_code == 1
    assert '"error":"the upstream cannot be reached"' in told.output
    assert "secret-key" not in told.output
    refused = run("upstream", "sim", "-c", str(file))
    assert refused.exit_code == 2
    assert "kind poe" in refused.output
