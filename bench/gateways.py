"""The gateways in Python: Dragoman with all its default features on, and LiteLLM where it is installed."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bench.client import Target
from bench.dialect import MODEL
from bench.mock import DIALECTS
from bench.process import await_answer, free_port, python_env, spawned

_CLIENT_KEY = "dg-bench-0123456789abcdef0123456789abcdef0123"
_MODEL = "fast"
_PATIENCE = 60.0
"""Seconds until the first answer; LiteLLM takes many."""
_SERVER = """\
[server]
host = "127.0.0.1"
port = {port}
[limits]
in_flight = 4000
per_key = 4000
[keys.bench]
key = "$BENCH_CLIENT_KEY"
"""
_UPSTREAM = """\
[upstreams.{name}]
kind = "{kind}"
base_url = "http://127.0.0.1:{mock}{base_path}"
key = "$BENCH_KEY"
models = ["*"]
"""
_LITELLM = """\
model_list:
  - model_name: {model}
    litellm_params: {{model: openai/{upstream}, api_base: "http://127.0.0.1:{mock}/v1", api_key: bench}}
general_settings: {{master_key: {key}}}
"""
_LITELLM_MAIN = "import sys, litellm; sys.argv[0] = 'litellm'; litellm.run_server()"


class Start(Struct, frozen=True):
    """A gateway that answers, and the seconds from its spawn to its first right answer."""

    target: Target
    seconds: float


@contextmanager
def running_dragoman(folder: Path, python: str, mock: int) -> Generator[Start, None, None]:
    """Run Dragoman before the mock; each run has new state, all runs in `folder` share their byte code."""
    port = free_port()
    home = Path(tempfile.mkdtemp(dir=folder))
    aliases = "".join(f'{alias_of(one.name)} = "{one.name}/{MODEL}"\n' for one in DIALECTS)
    upstreams = "".join(
        _UPSTREAM.format(name=one.name, kind=one.upstream.kind, mock=mock, base_path=one.upstream.base_path)
        for one in DIALECTS
        if one.upstream is not None
    )
    config = home / "dragoman.toml"
    config.write_text(_SERVER.format(port=port) + upstreams + "[models]\n" + aliases)
    env = python_env(folder, BENCH_KEY="sk-bench", BENCH_CLIENT_KEY=_CLIENT_KEY)
    target = Target("dragoman", port, port, alias_of(DIALECTS[0].name), _CLIENT_KEY)
    with _started([python, "-m", "dragoman", "serve", "-c", str(config)], home, env, target) as start:
        yield start


@contextmanager
def running_litellm(folder: Path, python: str, mock: int) -> Generator[Start, None, None]:
    """Run the LiteLLM proxy of another interpreter before the mock."""
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(_LITELLM.format(model=_MODEL, upstream=MODEL, mock=mock, key=_CLIENT_KEY))
    command = [python, "-c", _LITELLM_MAIN, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    env = python_env(folder, LITELLM_LOCAL_MODEL_COST_MAP="True", NO_PROXY="127.0.0.1")
    target = Target("LiteLLM", port, port, _MODEL, _CLIENT_KEY, says=(MODEL, _MODEL))
    with _started(command, folder, env, target) as start:
        yield start


def has_litellm(python: str) -> bool:
    """Tell whether that interpreter can import LiteLLM; nothing of it is run."""
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('litellm') is None)"
    return subprocess.run([python, "-c", probe], check=False, capture_output=True).returncode == 0


def alias_of(upstream: str) -> str:
    """Return the model name that clients use for an upstream of that dialect."""
    return _MODEL if upstream == DIALECTS[0].name else f"{_MODEL}-{upstream}"


@contextmanager
def _started(command: list[str], folder: Path, env: dict[str, str], target: Target) -> Generator[Start, None, None]:
    before = time.perf_counter()
    with spawned(command, folder, env) as process:
        await_answer(target, process, folder, _PATIENCE)
        seconds = time.perf_counter() - before
        yield Start(replace(target, pid=process.pid), seconds)
