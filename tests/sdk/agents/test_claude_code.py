"""Claude Code speaks Anthropic's Messages, with betas, many tools and system messages among the turns."""

from pathlib import Path

import msgspec
from msgspec import Struct

from tests.sdk.agents.program import run_agent
from tests.sdk.chat import BOTH
from tests.sdk.conftest import Gateway

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
"""It talks to the gateway only."""


class Result(Struct):
    """What of its last word is looked at."""

    subtype: str
    is_error: bool
    num_turns: int
    result: str


@BOTH
def test_claude_code_writes_a_file_and_hears_that_it_did(model: str, gateway: Gateway, tmp_path: Path) -> None:
    note = tmp_path / "work/note.txt"
    printed = run_agent(
        "claude",
        [
            *("-p", f'Use the Write tool: put into `{note}` the text "hello from a model"'),
            *("--model", model, "--output-format", "json", "--permission-mode", "acceptEdits", "--max-turns", "3"),
        ],
        tmp_path,
        {"ANTHROPIC_BASE_URL": gateway.served.address, "ANTHROPIC_AUTH_TOKEN": gateway.key, **QUIET},
    )
    result = msgspec.json.decode(printed, type=Result)
    assert (result.subtype, result.is_error, result.num_turns) == ("success", False, 2), result.result
    assert note.read_text() == "hello from a model"
    assert "The tool Write says: File created successfully" in result.result
    assert gateway.settles()
