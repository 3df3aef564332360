"""Real proxies between the gateway and an upstream: tinyproxy for HTTP, microsocks for SOCKS 5, both of Debian."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from tests.faults.hostile import Hostile, Script

Scheme = Literal["http", "socks5", "socks5h"]

SCHEMES: list[Scheme] = ["http", "socks5", "socks5h"]
OUTSIDE = "127.0.0.9"
"""Where the proxies call from: so an upstream sees who came through one."""
USER, PASSWORD = "lab-user", "s3cr3t-of-the-proxy"
READY = 30.0
"""Seconds for a proxy to start; it takes milliseconds."""

_TINYPROXY = """
Port {port}
Listen 127.0.0.1
Bind {outside}
Timeout 600
MaxClients 50
LogLevel Critical
{auth}
"""


class Proxy(NamedTuple):
    """A proxy that runs."""

    scheme: Scheme
    port: int
    process: asyncio.subprocess.Process

    def url(self, user: str = "", password: str = "") -> str:
        """Return what the configuration says of it."""
        return proxy_url(self.scheme, self.port, user, password)


class Upstream(Hostile):
    """An upstream that writes down who called."""

    def __init__(self) -> None:
        super().__init__()
        self.callers: list[str] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.callers.append(writer.get_extra_info("peername")[0])
        await super().accept(reader, writer)


def proxy_url(scheme: Scheme, port: int, user: str = "", password: str = "") -> str:
    """Return the URL of a proxy on this machine."""
    return f"{scheme}://{user}:{password}@127.0.0.1:{port}" if user else f"{scheme}://127.0.0.1:{port}"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def proxy(scheme: Scheme, folder: Path, *, closed: bool = False) -> AsyncGenerator[Proxy]:
    """Run a proxy for the time of the block; a `closed` one wants to know who comes."""
    port = free_port()
    command = _tinyproxy(port, folder, closed) if scheme == "http" else _microsocks(port, closed)
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        await _listening(process, port)
        yield Proxy(scheme, port, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def upstream(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Upstream]:
    """Run an upstream for the time of the block, with TLS or without."""
    running = Upstream()
    running.play(*scripts)
    server = await asyncio.start_server(running.accept, "127.0.0.1", 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
        await running.emptied()
    finally:
        server.close()
        await running.stop()


def behind(running: Upstream, url: str, *, ca: Path | None = None, secure: bool = False) -> str:
    """Return a configuration with the upstream lab behind the proxy at `url`; it is asked once for each call."""
    base = f"https://localhost:{running.port}/v1" if secure else f"http://127.0.0.1:{running.port}/v1"
    lines = [
        "[upstreams.lab]",
        'kind = "openai"',
        f'base_url = "{base}"',
        'key = "$LAB_KEY"',
        'models = ["*"]',
        "retry = { attempts = 1 }",
        "timeout = { connect = 30, first = 30, idle = 30 }",
        f'proxy = "{url}"',
    ]
    return "\n".join([*lines, *([f'ca = "{ca}"'] if ca else [])])


def _tinyproxy(port: int, folder: Path, closed: bool) -> list[str]:
    config = folder / "tinyproxy.conf"
    auth = f"BasicAuth {USER} {PASSWORD}" if closed else ""
    config.write_text(_TINYPROXY.format(port=port, outside=OUTSIDE, auth=auth))
    return [_find("tinyproxy", "tinyproxy-bin"), "-d", "-c", str(config)]


def _microsocks(port: int, closed: bool) -> list[str]:
    auth = ["-u", USER, "-P", PASSWORD] if closed else []
    return [_find("microsocks", "microsocks"), "-i", "127.0.0.1", "-p", str(port), "-b", OUTSIDE, *auth]


def _find(program: str, package: str) -> str:
    """Return where a program is; without it the test is skipped, in CI that is a failure."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed (Debian, Ubuntu: apt install {package})")
    return path


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    """Wait until the proxy takes connections."""
    async with asyncio.timeout(READY):
        while process.returncode is None:
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.01)
    raise AssertionError(f"the proxy ended with status {process.returncode}")
