"""What is shipped for tests: the far end of the network, without a network."""

from dragoman.testing.simulator import INSTANT, Cadence, Script, Simulator, SimulatorTransport

__all__ = ["INSTANT", "Cadence", "Script", "Simulator", "SimulatorTransport"]
