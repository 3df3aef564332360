"""The gateway as its users run it: a process of its own."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from tests.faults.gateway import LONG, Client, lab
from tests.faults.hostile import SECRET, SOON, Hostile


class Process:
    """A gateway in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self._clients: list[Client] = []

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def streams(self) -> Client:
        """Return a client that has read the beginning of a stream."""
        client = await self.connect()
        await client.send(stream=True)
        async with asyncio.timeout(SOON):
            await client.read_head()
            assert b"Hello" in await client.read_chunk()
        return client

    def resident(self) -> int:
        """Return the bytes of memory it holds."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> int:
        """Wait for the end and return the status."""
        async with asyncio.timeout(SOON):
            return await self.process.wait()

    async def close(self) -> None:
        for client in self._clients:
            client.leave()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@contextlib.asynccontextmanager
async def running(upstream: Hostile, folder: Path, drain: float = LONG) -> AsyncGenerator[Process]:
    """Run the gateway as its users do."""
    file = folder / "dragoman.toml"
    file.write_text(f"[server]\nport = 0\ntimeout = {{ drain = {drain} }}\n" + lab(upstream))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dragoman", "serve", "-c", str(file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LAB_KEY": SECRET, "PYTHONPATH": "src"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(SOON):
        line = await process.stdout.readline()
        assert line, (await process.stderr.read()).decode()
    server = Process(process, int(line.rpartition(b":")[2]))
    try:
        yield server
        assert await process.stderr.read() == b"", "nothing went wrong, so nothing is said"
    finally:
        await server.close()
