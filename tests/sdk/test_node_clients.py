"""The clients of the Node world: their tests are written in their own language, and run here."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sdk.conftest import Gateway
from tests.sdk.environment import environment

NODE = Path(__file__).parent / "node"
PATIENCE = 50.0
"""Seconds for one client; it takes two."""


@pytest.mark.parametrize("file", sorted(NODE.glob("*.test.mjs")), ids=lambda file: file.name.partition(".")[0])
def test_a_node_client_is_content(file: Path, gateway: Gateway) -> None:
    if shutil.which("node") is None or not (NODE / "node_modules").is_dir():
        pytest.skip("no node, or its packages are not installed: make test installs both")
    variables = {"GATEWAY": gateway.served.address, "KEY": gateway.key, "GUEST_KEY": gateway.guest_key}
    run = subprocess.run(
        ["node", "--test", "--test-reporter=tap", file.name],
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
