"""A `dragoman` that serves, as a process of its own: started like a user starts it, stopped by its process id."""

import re
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from tests.sdk.environment import ELSEWHERE, environment

PATIENCE = 20.0
"""Seconds to stop; a machine under load needs some of them."""
_ADDRESS = re.compile(r"http://\S+:\d+")
_LAST = ("  try", "The simulator listens")
"""How the last line of a greeting begins."""


class Served:
    """A process that takes connections."""

    def __init__(self, process: subprocess.Popen[str], greeting: str, log: str) -> None:
        self.process = process
        self.greeting = greeting
        """What it printed at its start."""
        found = _ADDRESS.search(greeting)
        if found is None:
            raise RuntimeError(f"it did not start: {greeting}{self._read(log)}")
        self.address = found[0]
        """Where it listens: `http://127.0.0.1:40123`."""
        self._log = log

    @property
    def log(self) -> str:
        """What it has written to its log so far."""
        return self._read(self._log)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    @staticmethod
    def _read(log: str) -> str:
        with open(log, encoding="utf-8") as file:
            return file.read()


@contextmanager
def served(arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> Generator[Served]:
    """Run `dragoman` with `arguments`, and only these environment `variables`, until the block ends."""
    with (
        tempfile.NamedTemporaryFile(suffix=".log") as log,
        subprocess.Popen(
            ["dragoman", *arguments],
            cwd=ELSEWHERE,
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield Served(process, _read_greeting(process), log.name)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


def _read_greeting(process: subprocess.Popen[str]) -> str:
    """Return what it prints up to the line after which it listens, or all of it when it ends before."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(_LAST):
            break
    return "".join(lines)
