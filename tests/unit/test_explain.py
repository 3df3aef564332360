"""What a configuration means, printed for people."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dragoman.config.load import load_config
from dragoman.config.schema import Config
from dragoman.explain import show_config, show_models

LONG = "a-model-whose-name-is-so-long-that-no-line-of-eighty-columns-has-room-for-it-and-the-rest-of-the-table"


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables by which a terminal, or what runs the tests, says that it has colours."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def read(tmp_path: Path, text: str, variables: dict[str, str] | None = None) -> Config:
    file = tmp_path / "dragoman.toml"
    file.write_text(text)
    return load_config(file, variables or {})


def test_every_alias_is_shown_with_its_targets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_config(read(tmp_path, '[upstreams.sim]\n[models]\nfast = ["sim/chat", "sim/slow", "sim/instant"]\n'))
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if "fast" in line and "│" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["fast", "sim/chat", "sim/slow, sim/instant"]
    assert shown.endswith(f"The configuration is good ({tmp_path}/dragoman.toml).\n")


def test_no_secret_is_shown_and_what_should_be_otherwise_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[upstreams.lab]\nkind = "openai"\nbase_url = "http://a/v1"\nkey = "sk-in-plain-sight"\n'
    text += '[keys.app]\nkey = "$MINE"\n'
    show_config(read(tmp_path, text, {"MINE": "dg-mine"}))
    shown = capsys.readouterr().out
    assert "sk-in-plain-sight" not in shown
    assert "dg-mine" not in shown
    assert '"key": "***"' in shown
    assert 'warning: upstreams.lab.key: a key in plain sight; better "$NAME" or "$file:/path"\n' in shown


def test_names_are_kept_whole_and_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f'[upstreams.lab]\nkind = "openai"\nbase_url = "http://a/v1"\nmodels = ["{LONG}", "[red]b"]\n'
    assert show_models(read(tmp_path, text + '[models]\nfast = "lab/[red]b"\n')) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(f" lab/{LONG} " in line for line in lines)
    assert any(" fast " in line and " lab/[red]b " in line for line in lines)


def test_a_terminal_is_not_written_beyond_its_edge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    show_models(read(tmp_path, f'[upstreams.lab]\nkind = "openai"\nbase_url = "http://a/v1"\nmodels = ["{LONG}"]\n'))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, plain.splitlines())) <= 60


def test_each_upstream_is_asked_for_its_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with catalogue() as address:
        text = f'[upstreams.sim]\n[upstreams.lab]\nkind = "openai"\nbase_url = "{address}/v1"\nkey = "$LAB"\n'
        assert show_models(read(tmp_path, text, {"LAB": "sk-lab"})) == 0
    printed = capsys.readouterr()
    assert " lab/one " in printed.out
    assert " sim/chat " in printed.out
    assert printed.err == ""


def test_a_catalogue_that_cannot_be_read_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with catalogue() as address:
        text = "[upstreams.sim]\n"
        text += f'[upstreams.lab]\nkind = "openai"\nbase_url = "{address}/v1"\nkey = "sk-wrong"\n'
        text += '[upstreams.gone]\nkind = "openai"\nbase_url = "http://127.0.0.1:9"\n'
        assert show_models(read(tmp_path, text)) == 1
    printed = capsys.readouterr()
    assert " sim/chat " in printed.out
    first, second = printed.err.splitlines()
    assert first == "error: lab: the upstream sent an invalid response (the catalogue answered 401)"
    assert second.startswith("error: gone: the upstream cannot be reached (")


@contextmanager
def catalogue() -> Generator[str]:
    """A server with one model, for those who have its key."""

    class Catalogue(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = (self.path, self.headers["authorization"]) == ("/v1/models", "Bearer sk-lab")
            body = b'{"data":[{"id":"one"}]}' if known else b"{}"
            self.send_response(200 if known else 401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Catalogue) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
