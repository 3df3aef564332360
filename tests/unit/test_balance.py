"""What is left of the accounts at Poe, printed."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from dragoman.balance import SHOWN, show_accounts
from dragoman.config.load import load_config
from dragoman.config.schema import Config

RICH, POOR = "rich-key", "poor-key"


def query(number: int) -> dict[str, object]:
    time = 1_770_262_891_000_000 + number if number else 1e300
    return {
        "bot_name": "GPT-5",
        "creation_time": time,
        "query_id": f"q{number}",
        "cost_points": 1000,
        "usage_type": "API",
    }


class Poe(BaseHTTPRequestHandler):
    """The usage of one account that is good, and of none that is bad."""

    def do_GET(self) -> None:
        good = self.headers["authorization"] == f"Bearer {RICH}"
        if not good:
            self._say(401, {"error": {"message": "Incorrect API key provided."}})
        elif self.path == "/usage/current_balance":
            self._say(200, {"current_point_balance": 12345})
        else:
            self._say(200, {"has_more": False, "data": [query(number) for number in range(SHOWN + 2)]})

    def _say(self, status: int, told: object) -> None:
        body = msgspec.json.encode(told)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests print what counts."""


@contextmanager
def served() -> Generator[str]:
    """Serve Poe, and give the base URL of its API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Poe)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables by which a terminal, or what runs the tests, says that it has colours."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def read(tmp_path: Path, url: str, keys: str) -> Config:
    file = tmp_path / "dragoman.toml"
    file.write_text(f'[upstreams.poe]\nbase_url = "{url}"\n{keys}\n[upstreams.sim]\n')
    return load_config(file, {"RICH": RICH, "POOR": POOR})


def test_an_account_is_shown_with_what_it_was_spent_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as url:
        assert show_accounts(read(tmp_path, url, 'key = "$RICH"'), "poe", 100, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Key 1: 12,345 points"
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert rows[0] == ["GPT-5", str(SHOWN + 2), "12,000"]
    assert rows[1] == ["", "GPT-5", "1,000", "", "API"]
    assert rows[2] == ["2026-02-05 03:41:31", "GPT-5", "1,000", "", "API"]
    assert len(rows) == 1 + SHOWN


def test_one_bad_key_hides_no_other_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as url:
        config = read(tmp_path, url, 'keys = ["$POOR", "$RICH"]')
        assert show_accounts(config, "poe", 2, as_json=False) == 1
    shown = capsys.readouterr()
    assert "Key 2: 12,345 points" in shown.out
    assert shown.err == "error: poe, key 1: the gateway's credentials were refused upstream\n"
    assert POOR not in shown.out + shown.err


def test_a_program_is_told_the_same_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as url:
        assert show_accounts(read(tmp_path, url, 'keys = ["$RICH", "$POOR"]'), "poe", 1, as_json=True) == 1
    rich, poor = msgspec.json.decode(capsys.readouterr().out)
    assert (rich["key"], rich["account"]["points"], rich["error"]) == (1, 12345, "")
    assert rich["account"]["costs"] == [{"bot": "GPT-5", "queries": 1, "points": 1000}]
    assert (poor["account"], poor["error"]) == (None, "the gateway's credentials were refused upstream")


@pytest.mark.parametrize("name", ["sim", "nobody"])
def test_an_upstream_that_tells_nothing_of_the_kind_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="kind poe"):
        show_accounts(read(tmp_path, "http://127.0.0.1:9/v1", 'key = "$RICH"'), name, 1, as_json=False)


def test_an_account_without_a_key_is_asked_for_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POE_API_KEY", raising=False)
    assert show_accounts(read(tmp_path, "http://127.0.0.1:9/v1", ""), "poe", 1, as_json=False) == 1
    assert capsys.readouterr().err == "error: poe, key 1: the upstream cannot be reached\n"
