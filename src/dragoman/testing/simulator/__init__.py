"""A pretended upstream: deterministic models, good and bad, that speak every dialect with an inbound side.

`Simulator.answer` is the whole of it, sans-IO: a request in, a `Script` of timed bytes out. `SimulatorTransport` plays
scripts inside the process, in the place of a connection pool.
"""

from dragoman.testing.simulator.face import Simulator
from dragoman.testing.simulator.script import INSTANT, Cadence, Script
from dragoman.testing.simulator.transport import SimulatorTransport

__all__ = ["INSTANT", "Cadence", "Script", "Simulator", "SimulatorTransport"]
