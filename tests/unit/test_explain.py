"""What a configuration means, printed for people."""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from dragoman.config.load import load_config
from dragoman.config.schema import Config
from dragoman.explain import show_config, show_models

LONG = "a-model-whose-name-is-so-long-that-no-line-of-eighty-columns-has-room-for-it-and-the-rest-of-the-table"

TWO = b"""{"id":"two","context_length":8192,"top_provider":{"max_completion_tokens":1024},
"architecture":{"input_modalities":["text"]},"supported_parameters":["tools"],
"pricing":{"prompt":"0.0000025","completion":"0"}}"""


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
    assert first == "error: lab: the gateway's credentials were refused upstream (the catalogue answered 401)"
    assert second.startswith("error: gone: the upstream cannot be reached (")


def test_what_is_known_of_a_model_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with catalogue() as address:
        text = (
            f'[upstreams.lab]\nkind = "openai"\nbase_url = "{address}/v1"\nkey = "$LAB"\n[models]\nfast = "lab/two"\n'
        )
        config = read(tmp_path, text, {"LAB": "sk-lab"})
        assert show_models(config) == 0
        rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
        assert ["lab/one", "", "", "", "", "", "", "", ""] in rows
        assert ["lab/two", "", "8,192", "1,024", "yes", "no", "", "2.5", "0"] in rows
        assert ["fast", "lab/two", "8,192", "1,024", "yes", "no", "", "2.5", "0"] in rows
        assert show_models(config, as_json=True) == 0
    shown = msgspec.json.decode(capsys.readouterr().out)
    assert shown["errors"] == {}
    assert shown["models"][0] == {
        "id": "fast",
        "asks": ["lab/two"],
        "context": 8192,
        "output": 1024,
        "tools": True,
        "vision": False,
        "audio": False,
        "thinking": None,
        "json_schema": None,
        "input_usd": 2.5,
        "output_usd": 0.0,
    }
    assert {value for key, value in shown["models"][1].items() if key not in {"id", "asks"}} == {None}


def test_an_upstream_that_takes_any_name_is_shown_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show_models(read(tmp_path, '[upstreams.lab]\nkind = "openai"\nbase_url = "http://a"\nmodels = ["*"]\n')) == 0
    assert "│ lab/* " in capsys.readouterr().out


def test_a_catalogue_that_is_down_is_told_in_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = read(tmp_path, '[upstreams.gone]\nkind = "openai"\nbase_url = "http://127.0.0.1:9"\n')
    assert show_models(config, as_json=True) == 1
    printed = capsys.readouterr()
    shown = msgspec.json.decode(printed.out)
    assert (shown["models"], list(shown["errors"])) == ([], ["gone"])
    assert printed.err.startswith("error: gone: the upstream cannot be reached (")


SHORT = """
[upstreams.lab]
kind = "openai"
base_url = "http://a/v1"
models = ["x-ai/grok-4", "gpt-4o", "claude-haiku-4-5-20251001"]
[names]
presets = ["short_names"]
[models]
gpt = "lab/own"
"""


def test_a_short_name_is_shown_with_its_candidates_and_with_what_it_stands_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = read(tmp_path, SHORT)
    show_config(config)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert ["grok", "grok-4.1-fast-reasoning, grok-4, grok-4.1-fast-non-reasoning"] in rows
    assert ["gpt", "lab/own", ""] in rows
    assert show_models(config) == 0
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row and row[-1].startswith("lab/")] == [
        ["gpt", "lab/own"],
        ["claude", "lab/claude-haiku-4-5-20251001"],
        ["grok", "lab/x-ai/grok-4"],
    ]


def test_what_other_programs_variables_became_is_told_with_the_toml_that_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"SYSTEM_TOKEN": "p-secret", "MODEL_MAPPING": json.dumps({"gpt-4": LONG})}
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    config = load_config(environ=environ)
    show_config(config)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "SYSTEM_TOKEN → upstreams.poe.key, upstreams.poe_bot.key\n" in shown
    assert f"\nThe same in dragoman.toml:\n\n{config.toml}\n" in shown
    assert "p-secret" not in shown


@contextmanager
def catalogue() -> Generator[str]:
    """A server with two models, for those who have its key."""

    class Catalogue(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = (self.path, self.headers["authorization"]) == ("/v1/models", "Bearer sk-lab")
            body = b'{"data":[{"id":"one"},%b]}' % TWO if known else b"{}"
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
