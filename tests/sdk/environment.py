"""Where the tests start programs: no variables of the machine but the way to them, no configuration of its own."""

import os
from collections.abc import Mapping
from pathlib import Path

ELSEWHERE = Path(__file__).parent
"""A working directory without a `dragoman.toml`."""


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return `variables` and `PATH`, where `dragoman` and `node` of the environment under test come first."""
    return {"PATH": os.environ["PATH"], **(variables or {})}
