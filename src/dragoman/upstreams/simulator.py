"""The simulator as an upstream: models that need no key and no network, reached through the same code as all others."""

from __future__ import annotations

from dragoman.dialects import outbound
from dragoman.testing.simulator.face import ROUTES, Simulator
from dragoman.testing.simulator.models import MODELS
from dragoman.testing.simulator.script import Cadence
from dragoman.testing.simulator.transport import SimulatorTransport
from dragoman.upstreams.catalogue import Catalogue, Model
from dragoman.upstreams.http import Clock, HttpUpstream, Manners


def make_simulator(seed: int, first: float, rate: float) -> Simulator:
    """Return a simulator: `first` seconds to the first token, then `rate` tokens a second (0: all at once)."""
    return Simulator(seed, Cadence(first, rate))


def build(name: str, simulator: Simulator, clock: Clock) -> HttpUpstream:
    """Return `simulator` as the upstream `name`."""
    dialects = [outbound(dialect) for dialect, _ in ROUTES.values()]
    manners = Manners(dialects, b"content-type: application/json\r\n")
    return HttpUpstream(name, SimulatorTransport(simulator), manners, clock)


def list_models() -> Catalogue:
    """Return the catalogue of the simulator."""
    return Catalogue([Model(model) for model in MODELS])
