"""Starts a coding agent as a user does, with a home of its own and none of this machine's settings."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.sdk.environment import environment

PATIENCE = 50.0
"""Seconds for one turn of work; it takes one."""
_PROGRAMS = Path(__file__).parent / "node_modules/.bin"


def run_agent(name: str, arguments: Sequence[str], home: Path, variables: Mapping[str, str]) -> str:
    """Let the agent work in a new directory `work` of its `home`, and return what it prints."""
    program = _PROGRAMS / name
    if not program.exists():
        pytest.skip(f"{name} is not installed: make test installs it")
    (home / "work").mkdir()
    done = subprocess.run(
        [program, *arguments],
        cwd=home / "work",
        env=environment({"HOME": str(home), **variables}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
