"""The simulator as an upstream: models that need no key and no network, reached through the same code as all others."""

from __future__ import annotations

from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities
from dragoman.dialects import OUTBOUND, outbound
from dragoman.testing.simulator.face import ROUTES, Simulator
from dragoman.testing.simulator.models import BORN, MODELS
from dragoman.testing.simulator.script import Cadence
from dragoman.testing.simulator.transport import SimulatorTransport
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.http import HttpUpstream, Manners
from dragoman.upstreams.listing import Model

FIRST = ("openai_chat", "openai_embeddings")
"""What clients are served in whose own dialect it does not speak: those that can say most."""
ANEW = frozenset({"ollama_chat", "ollama_embed", "ollama_embeddings", "ollama_generate", "openai_responses"})
"""Dialects whose clients are told the name they asked by, or that their answer is kept: they hear the same, written
anew."""
BESIDE = ("openai_speech_events", "openai_transcription_text", "openai_translation_text", "openai_videos")
"""Dialects without a route of their own: another form of answer to the same request, and jobs."""


def make_simulator(seed: int, first: float, rate: float) -> Simulator:
    """Return a simulator: `first` seconds to the first token, then `rate` tokens a second (0: all at once)."""
    return Simulator(seed, Cadence(first, rate))


def build(name: str, simulator: Simulator, clock: Clock) -> HttpUpstream:
    """Return `simulator` as the upstream `name`."""
    routed = [dialect for dialect, _ in ROUTES.values() if dialect in OUTBOUND and dialect not in ANEW]
    dialects = [outbound(dialect) for dialect in dict.fromkeys((*FIRST, *routed, *BESIDE))]
    return HttpUpstream(name, SimulatorTransport(simulator), Manners(dialects, can=_can), clock)


def _can(model: str) -> Capabilities:
    return MODELS[model].can if model in MODELS else Capabilities()


def list_models() -> Catalogue:
    """Return the catalogue of the simulator."""
    return Catalogue([Model(model.id, BORN, model.can) for model in MODELS.values()])
