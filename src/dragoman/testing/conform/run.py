"""Run every check against a server, and say how each ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, structs

from dragoman.testing.conform import anthropic, ollama, openai_chat, openai_responses
from dragoman.testing.conform.question import Speaker
from dragoman.testing.conform.raw import RawSpeaker
from dragoman.testing.conform.scenarios import SCENARIOS, Check, Subject
from dragoman.testing.conform.sdk import open_sdk
from dragoman.testing.conform.server import Server
from dragoman.testing.conform.verdict import Broken, Mismatch, NotApplicable, Refused

WIRES = {
    "openai_chat": openai_chat.WIRE,
    "openai_responses": openai_responses.WIRE,
    "anthropic": anthropic.WIRE,
    "ollama": ollama.WIRE,
}
"""Every dialect that is tested."""
Way = Literal["wire", "sdk"]
Outcome = Literal["passed", "failed", "n/a", "not installed"]


class Result(Struct, frozen=True, omit_defaults=True):
    """How one check ended."""

    dialect: str
    way: Way
    scenario: str
    outcome: Outcome
    reason: str = ""
    """Why it is n/a."""
    field: str = ""
    """The first that is wrong, when it failed."""
    expected: str = ""
    got: str = ""


class Report(Struct, frozen=True):
    """How all ended."""

    url: str
    subject: Subject
    results: list[Result]

    @property
    def failures(self) -> list[Result]:
        """Those that failed."""
        return [result for result in self.results if result.outcome == "failed"]


def conform(server: Server, subject: Subject, dialects: Sequence[str]) -> Report:
    """Return how each check of each of `dialects` ended.

    Raises `Mismatch` when no model was named and the server lists none.
    """
    subject = _complete(server, subject)
    results: list[Result] = []
    for dialect in dialects:
        ways: dict[Way, Speaker | None] = {"wire": RawSpeaker(server, WIRES[dialect]), "sdk": open_sdk(dialect, server)}
        for way, speaker in ways.items():
            for scenario, check in SCENARIOS.items():
                outcome, told = _run(check, speaker, subject)
                results.append(Result(dialect, way, scenario, outcome, **told))
    return Report(server.url, subject, results)


def _run(check: Check, speaker: Speaker | None, subject: Subject) -> tuple[Outcome, dict[str, str]]:
    """Return how a check ended, and what more there is to tell."""
    if speaker is None:
        return "not installed", {}
    try:
        check(speaker, subject)
    except NotApplicable as verdict:
        return "n/a", {"reason": str(verdict)}
    except Mismatch as verdict:
        return "failed", {"field": verdict.field, "expected": verdict.expected, "got": verdict.got}
    except Refused as verdict:
        return "failed", {"field": "status", "expected": "200", "got": str(verdict)}
    except Broken as verdict:
        return "failed", {"field": "stream", "expected": "an answer", "got": f"an error: {verdict}"}
    return "passed", {}


def _complete(server: Server, subject: Subject) -> Subject:
    """Fill in the model, the first that the server lists, and what the server says it can do."""
    model = subject.model or _first_model(server)
    abilities = subject.abilities
    reply = server.post("/api/show", msgspec.json.encode({"model": model}), {})
    if reply.status == 200 and "capabilities" in (shown := reply.json()):
        abilities = frozenset(item.text() for item in shown["capabilities"].items())
    return structs.replace(subject, model=model, abilities=abilities)


def _first_model(server: Server) -> str:
    """Return the first model of either catalogue."""
    for path, models, name in (("/v1/models", "data", "id"), ("/api/tags", "models", "model")):
        reply = server.get(path)
        if reply.status == 200 and (items := reply.json()[models].items()):
            return items[0][name].words()
    raise Mismatch("models", "at least one", "none")
