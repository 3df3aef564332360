"""Start a process, wait for its first answer, end it by its own id."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.client import Target, find_fault
from bench.dialect import Asked, expect
from bench.openai_chat import OPENAI_CHAT

ROOT = Path(__file__).resolve().parent.parent
"""The project: where its packages are found, installed or not."""

_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "67108864", "MALLOC_MMAP_THRESHOLD_": "67108864"}
"""glibc gives the memory of a large body back and asks for it anew, 100 µs each time; the mock must not pay that."""
_POLL = 0.002
_GRACE = 5.0
"""Seconds between the request to end and the order."""


class StartError(Exception):
    """A process did not come up; the text says which, and the last words of its log."""


@contextmanager
def spawned(
    command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[bytes], None, None]:
    """Run `command` in `folder` with its output in `log` there, and end it on the way out."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env or os.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_GRACE)


@contextmanager
def running_mock(folder: Path) -> Generator[Target, None, None]:
    """Run the mock upstream and yield it as a target that can be asked directly."""
    env = python_env(folder, **_KEEP_MEMORY)
    with spawned([sys.executable, "-m", "bench.mock"], folder, env) as process:
        deadline = time.perf_counter() + _GRACE
        while not (port := (folder / "log").read_text().strip()):
            if time.perf_counter() > deadline:
                raise StartError("the mock did not start")
            time.sleep(_POLL)
        if not port.isdigit():
            raise StartError(f"the mock did not start: {port}")
        yield Target("direct", int(port), int(port), "bench-model", pid=process.pid)


def await_answer(target: Target, process: subprocess.Popen[bytes], folder: Path, seconds: float) -> None:
    """Ask until the first answer; raises `StartError` when it is wrong or late, or the process has ended."""
    deadline = time.perf_counter() + seconds
    while process.poll() is None and time.perf_counter() < deadline:
        with suppress(OSError):
            fault = _ask_once(target)
            if fault:
                raise StartError(f"{target.name} gave a wrong first answer: {fault}")
            return
        time.sleep(_POLL)
    words = (folder / "log").read_text(errors="replace")[-2000:].strip()
    raise StartError(f"{target.name} did not start: {words or 'it said nothing'}")


def python_env(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment for a Python process: it finds the project, and keeps byte code in `folder`.

    An installed package has its byte code; where writing it is forbidden, compiling would be measured as starting.
    Nothing else is passed on: a key or a proxy in the environment would change what a gateway does.
    """
    path = [os.environ.get("PYTHONPATH", ""), str(ROOT / "src"), str(ROOT)]
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    return kept | ours | more


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _ask_once(target: Target) -> str:
    """Ask one plain question on a connection of its own and return what is wrong with the answer."""
    asked = Asked(target.model, 3)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {target.key}"}
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=_GRACE)
    try:
        connection.request("POST", OPENAI_CHAT.path, OPENAI_CHAT.write_request(asked, "hello"), headers)
        response = connection.getresponse()
        return find_fault(response.status, response.read(), target, OPENAI_CHAT.read_reply, expect(asked))
    except http.client.HTTPException as error:
        return f"the answer is not HTTP: {error!r}"
    finally:
        connection.close()
