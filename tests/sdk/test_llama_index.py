"""LlamaIndex, in an environment of its own because it asks for an older OpenAI client than the one we test with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.conftest import Gateway
from tests.sdk.environment import environment

PYTHON = Path(sys.prefix) / "llama/bin/python"
PROGRAM = Path(__file__).parent / "llama/converse.py"


@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_a_program_of_llama_index_works_unchanged(kind: str, gateway: Gateway, tmp_path: Path) -> None:
    if not PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail("LlamaIndex is not installed: `make test` does it")
        pytest.skip("LlamaIndex is not installed: `make test` does it")
    ran = subprocess.run(
        [PYTHON, PROGRAM, kind, gateway.served.address, gateway.key],
        check=False,
        capture_output=True,
        text=True,
        timeout=55,
        env=environment({"HOME": str(tmp_path), "LLAMA_INDEX_CACHE_DIR": str(tmp_path)}),
    )
    assert ran.stdout == "answered, called, structured\n", ran.stdout + ran.stderr
