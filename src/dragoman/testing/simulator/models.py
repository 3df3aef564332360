"""The simulated models: some to talk to, most of them to go wrong in one way each."""

from __future__ import annotations

from msgspec import Struct, structs

from dragoman.core.capabilities import Capabilities
from dragoman.testing.simulator.script import INSTANT, Cadence

BORN = 1_767_225_600
"""When all models were made: 2026-01-01."""
_ABLE = Capabilities(tools=True, vision=True, audio=True, thinking=False, context=131_072, output=16_384)
"""What a model can unless it says otherwise."""
_THINKER = structs.replace(_ABLE, thinking=True)
_READER = structs.replace(_ABLE, tools=False, vision=False, audio=False, embedding=False)
_EMBEDDER = Capabilities(embedding=True, context=8_192, embedding_length=64)


class Model(Struct, frozen=True):
    """How one model behaves."""

    id: str
    about: str
    """What it does, in one line."""
    cadence: Cadence | None = None
    """Its own speed, whatever the simulator's."""
    thinks: bool = False
    refuses: bool = False
    status: int = 0
    """The HTTP status it fails with at once; 0 = it answers."""
    failures: int = 0
    """How often each conversation fails with a 500 before it is answered."""
    fault: str = ""
    """Name of what goes wrong in its answers (see `faults`), empty for nothing."""
    can: Capabilities = _ABLE
    """What its catalogue says that it can."""


MODELS = {
    model.id: model
    for model in (
        Model("chat", "answers in plain text at the pace of a real model"),
        Model("instant", "answers without any delay", cadence=INSTANT),
        Model("reasoning", "thinks before it answers", thinks=True, can=_THINKER),
        Model("refuse", "refuses to answer", refuses=True),
        Model("text-only", "takes text alone: no images, no sounds, no tools", can=_READER),
        Model("embed", "gives vectors of 64 numbers, and no answers", can=_EMBEDDER),
        Model("slow", "takes ten seconds to the first token", cadence=Cadence(first=10.0)),
        Model("flaky", "fails twice with 500 in each new conversation, then works", failures=2),
        Model("error-400", "rejects every request as malformed", status=400),
        Model("error-401", "refuses the key", status=401),
        Model("error-402", "says that the credit is spent", status=402),
        Model("error-403", "says that the key may not use it", status=403),
        Model("error-404", "says that it does not exist", status=404),
        Model("error-429", "is over its rate limit, with Retry-After: 1", status=429),
        Model("error-500", "fails with an internal error", status=500),
        Model("error-503", "is overloaded", status=503),
        Model("error-html", "answers 200 with a web page", fault="html"),
        Model("error-redirect", "answers with a redirect (302)", fault="redirect"),
        Model("error-empty", "answers 200 with an empty body", fault="empty"),
        Model("error-inband", "answers 200 with an error as the first event, or as the body", fault="inband"),
        Model("error-midstream", "fails with an error event in the middle of its answer", fault="midstream"),
        Model("silent", "never answers, not even with a status", fault="silent"),
        Model("reset", "closes the connection instead of answering", fault="reset"),
        Model("stall", "says half of its answer, then nothing for ever", fault="stall"),
        Model("cut", "closes the connection hard in the middle of its answer", fault="cut"),
        Model("eof", "ends cleanly in the middle of its answer, without finish or end mark", fault="eof"),
        Model("malformed", "says something that is no JSON in the middle of its answer", fault="malformed"),
        Model("bad-utf8", "says bytes that are not UTF-8", fault="bad-utf8"),
        Model("lone-surrogate", "says half of a surrogate pair", fault="lone-surrogate"),
        Model("huge-event", "says nine megabytes in one event", fault="huge-event"),
        Model("no-done", "leaves out the end mark after its finish, which is legal", fault="no-done"),
        Model("no-usage", "does not say how many tokens it used", fault="no-usage"),
        Model("no-finish", "sends the end mark without a finish reason", fault="no-finish"),
        Model("repeat-role", "says its role in every chunk", fault="repeat-role"),
        Model("tool-gaps", "calls tools without index, repeating the id in every piece", fault="tool-gaps"),
    )
}
