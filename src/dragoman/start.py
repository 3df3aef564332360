"""Start a server: the gateway, or the simulator alone, on an event loop of its own."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

import uvloop
from msgspec import Struct

from dragoman.app import App, build_app
from dragoman.config.schema import Config
from dragoman.core.errors import DragomanError
from dragoman.dialects.openai_errors import write_error
from dragoman.net.deadlines import Deadlines
from dragoman.server.auth import ANYBODY
from dragoman.server.http1 import Settings
from dragoman.server.run import Service, serve
from dragoman.wire.json import encode

_SHOWN = 4
"""Models that the greeting names."""


class _Turn(Struct):
    role: str
    content: str


class _Question(Struct):
    """The request that a new user may try."""

    model: str
    messages: list[_Turn]


def serve_gateway(config: Config) -> None:
    """Serve what `config` describes until told to stop; raises `OSError` when the address cannot be had."""
    apps: list[App] = []

    def build(deadlines: Deadlines) -> Service:
        app = build_app(config, deadlines)
        apps.append(app)
        return Service(app.handler, _write_error, app.settings, app.background, app.health.drain, app.close)

    def ready(host: str, port: int) -> None:
        _say(_greeting(config, apps[0], _address(host, port)))

    server = config.server
    uvloop.run(serve(build, server.host, server.port, drain=server.timeout.drain, ready=ready))


def serve_simulator(host: str, port: int, seed: int, first: float, rate: float) -> None:
    """Serve the simulator alone until told to stop; raises `OSError` when the address cannot be had."""
    from dragoman.server.simulate import simulated
    from dragoman.upstreams.simulator import make_simulator

    simulator = make_simulator(seed, first, rate)

    def build(deadlines: Deadlines) -> Service:
        return Service(simulated(simulator), _write_error, Settings(), [], _nothing, _nothing)

    def ready(host: str, port: int) -> None:
        address = _address(host, port)
        _say(f"The simulator listens on {address}/v1, any key will do.\n{_faces(address)}")

    uvloop.run(serve(build, host, port, drain=5, ready=ready))


def _faces(address: str) -> str:
    """Where the simulator looks like somebody else; see `docs/simulator.md`."""
    places = {
        "Poe": "/poe/v1",
        "Poe bots": "/poe/bot/",
        "Poe uploads": "/poe/poe_api/",
        "DashScope": "/qwen/compatible-mode/v1",
    }
    return "\n".join(f"  {name:<11} {address}{path}" for name, path in places.items())


def _greeting(config: Config, app: App, address: str) -> str:
    """What a new user needs: where it listens, what it serves, and a line to try."""
    listed = [entry.id for entry in app.directory.entries(ANYBODY)]
    lines = [f"Dragoman listens on {address}", f"  upstreams  {', '.join(config.upstreams)}"]
    if listed:
        more = f", … ({len(listed)} in all)" if len(listed) > _SHOWN else ""
        lines.append(f"  models     {', '.join(listed[:_SHOWN])}{more}")
    lines.append(f"  try        {_example(address, listed, locked=bool(config.keys))}")
    return "\n".join(lines)


def _example(address: str, listed: Sequence[str], *, locked: bool) -> str:
    """A line for the shell: it asks a model, or for the models while no catalogue has been read."""
    key = ' -H "authorization: Bearer $DRAGOMAN_KEY"' if locked else ""
    if not listed:
        return f"curl -s {address}/v1/models{key}"
    body = encode(_Question(listed[0], [_Turn("user", "Hello")])).decode()
    kind = "-H 'content-type: application/json'"
    return f"curl -s {address}/v1/chat/completions {kind}{key} -d {shlex.quote(body)}"


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _write_error(error: DragomanError, request_id: str) -> bytes:
    return write_error(error, request_id)[1]


def _nothing() -> None:
    """There is nothing to do."""
