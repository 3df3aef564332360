"""OpenAI's own Node SDK: its tests are written in its own language, and run here."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sdk.conftest import Gateway
from tests.sdk.environment import environment

NODE = Path(__file__).parent / "node"
PATIENCE = 50.0
"""Seconds for all of them; they take two."""


def test_the_node_sdk_is_content(gateway: Gateway) -> None:
    if shutil.which("node") is None or not (NODE / "node_modules/openai").is_dir():
        pytest.skip("no node, or its packages are not installed: make test installs both")
    variables = {"OPENAI_BASE_URL": gateway.base_url, "OPENAI_API_KEY": gateway.key, "GUEST_KEY": gateway.guest_key}
    run = subprocess.run(
        ["node", "--test", "--test-reporter=tap", "openai.test.mjs"],
        cwd=NODE,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# fail 0\n" in run.stdout
    assert "\n# pass 0\n" not in run.stdout
