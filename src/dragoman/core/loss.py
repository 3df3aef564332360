"""What is lost when a request is said in another dialect: found before it is sent, named in the client's own words.

Every dialect of upstreams has one table, its `Terms`, of what it has no place for; every dialect of clients has one,
its `Words`, of what it calls things and of the fields that only it knows. Whoever writes a request anew writes what
`carry` returns, and nothing in it is lost any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec import UNSET, Struct, structs

from dragoman.core.call import Words
from dragoman.core.capabilities import Capabilities
from dragoman.core.message import (
    Audio,
    Extra,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Request,
    Sampling,
    Thinking,
    Tool,
    ToolResult,
    Video,
)

NO_COUNTERPART = "the upstream's dialect has no counterpart"
"""Why a field that only the client's dialect knows is lost, where its table does not say it better."""
MAX_NOTED = 64
"""Fields that are noted of one request; a client may send any number."""
MAX_NAME = 64
"""Characters of a field's name that are noted."""
_SAMPLING: Mapping[str, object] = structs.asdict(Sampling())
_NEUTRAL: Mapping[str, float] = {
    "top_p": 1,
    "top_k": 0,
    "min_p": 0,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "repeat_penalty": 1,
}
"""Values that change nothing: many clients send all they know of, and nothing is lost with these."""
_EFFORTS = ((0, "none"), (2_048, "low"), (8_192, "medium"))
"""How many tokens of reasoning are how much effort at most; more is ``high``."""
_KINDS: Mapping[type[Part], str] = {Image: "image", Audio: "audio", Video: "video", File: "file", Thinking: "thinking"}
"""Parts that a dialect may have no place for → the hub's word."""
_UNSURE = "a model that does not reason may refuse to be told so, and nobody knows whether this one does"
_OWN = "extra"
"""The one member of a part's extra that is the hub's own (Gemini's thought signatures)."""
_Kept = TypeVar("_Kept", bound=Message | Tool | Part)


class Terms(Struct, frozen=True):
    """What a dialect can say of a request."""

    cannot: Mapping[str, str] = {}
    """A word of the hub → why it has no place here; no reason: nothing is lost with it.

    The words: the fields of `Sampling`; ``effort``, ``no_effort`` (not to reason) and ``budget``; ``n``, ``user``,
    ``metadata``, ``parallel_tools``, ``allowed_tools``, ``strict_tools``, ``json`` and ``schema`` (format),
    ``dimensions``; ``name`` (of a speaker); the parts ``image``, ``audio``, ``video``, ``file``, ``thinking``,
    ``signature``, ``failed`` (a tool's result).
    """
    kin: Mapping[str, frozenset[str] | None] = {}
    """Another dialect → the fields of its own that mean the same here; None: all of them."""


def fit(terms: Terms, can: Capabilities) -> Terms:
    """Return the `terms` of one model: how much to reason is for models that do, and many refuse it unasked.

    Not to reason is what a model does that cannot, so it is told only to those that are known to.
    """
    if can.thinking:
        return terms
    if can.thinking is None:
        return Terms({**terms.cannot, "no_effort": _UNSURE}, terms.kin)
    return Terms({**terms.cannot, "no_effort": "", "effort": "the model does not reason"}, terms.kin)


def carry(request: Request, dialect: str, words: Words, terms: Terms) -> tuple[Request, dict[str, str]]:
    """Return what of a request made in `dialect` can be said in other `terms`, and what cannot, with the reasons."""
    carrier = _Carrier(words, terms, terms.kin.get(dialect, frozenset()))
    carried = structs.replace(
        request,
        messages=[carrier.message(message) for message in request.messages],
        tools=[carrier.tool(tool) for tool in request.tools],
        sampling=carrier.sampling(request.sampling),
        reasoning=carrier.reasoning(request.reasoning),
        extra=carrier.foreign(request.extra),
    )
    return carrier.plain(carried), carrier.losses


class _Carrier:
    """Keeps what can be carried and collects what cannot."""

    def __init__(self, words: Words, terms: Terms, kin: frozenset[str] | None) -> None:
        self.losses: dict[str, str] = {}
        self._words = words
        self._cannot = terms.cannot
        self._kin = kin

    def sampling(self, sampling: Sampling) -> Sampling:
        lost = {
            name: nothing
            for name, nothing in _SAMPLING.items()
            if name in self._cannot and getattr(sampling, name) != nothing
        }
        for name in lost:
            if getattr(sampling, name) != _NEUTRAL.get(name):
                self._note(name)
        return structs.replace(sampling, **lost) if lost else sampling

    def reasoning(self, reasoning: Reasoning) -> Reasoning:
        """A budget that has no place is told as an effort, as near as that comes."""
        effort, budget = reasoning.effort, reasoning.budget
        if self._loses("budget", budget):
            effort = effort or _effort(budget or 0)
            budget = None
        if effort == "none" and "no_effort" in self._cannot:
            self._tell(self._words.names.get("effort", "effort"), self._cannot["no_effort"])
            return Reasoning(None, budget)
        return Reasoning(None if self._loses("effort", effort) else effort, budget)

    def plain(self, request: Request) -> Request:
        """Drop the members of the request itself."""
        lost: dict[str, object] = {}
        if self._loses("n", request.n > 1):
            lost["n"] = 1
        if self._loses("parallel_tools", request.parallel_tools is not None):
            lost["parallel_tools"] = None
        if self._loses("dimensions", request.dimensions):
            lost["dimensions"] = None
        if self._loses("user", request.user):
            lost["user"] = ""
        if self._loses("metadata", request.metadata):
            lost["metadata"] = {}
        choice = request.tool_choice
        if choice is not None and self._loses("allowed_tools", choice.allowed is not None):
            lost["tool_choice"] = structs.replace(choice, allowed=None)
        if self._loses(request.format.kind, request.format.kind != "text"):
            lost["format"] = type(request.format)()
        return structs.replace(request, **lost) if lost else request

    def message(self, message: Message) -> Message:
        parts = self._parts(message.parts)
        name = "" if self._loses("name", message.name) else message.name
        return structs.replace(self._bare(message), parts=parts, name=name)

    def tool(self, tool: Tool) -> Tool:
        if self._loses("strict_tools", tool.strict is not None):
            tool = structs.replace(tool, strict=None)
        return self._bare(tool)

    def foreign(self, extra: Extra) -> Extra:
        """Return the members that mean the same in the other dialect."""
        if self._kin is None or not extra:
            return extra
        for name, raw in extra.items():
            if name not in self._kin and name != _OWN and bytes(raw) != b"null":
                self._tell(name, self._words.reasons.get(name, NO_COUNTERPART))
        return {name: raw for name, raw in extra.items() if name in self._kin or name == _OWN}

    def _parts(self, parts: Sequence[Part]) -> list[Part]:
        return [self._part(part) for part in parts if not self._loses(_kind(part), part)]

    def _part(self, part: Part) -> Part:
        match part:
            case Thinking() if part.signature is not UNSET and self._loses("signature", part.signature):
                part = structs.replace(part, signature=UNSET)
            case ToolResult():
                failed = part.failed and not self._loses("failed", part.failed)
                part = structs.replace(part, content=self._parts(part.content), failed=failed)
            case _:
                pass
        return self._bare(part)

    def _bare(self, thing: _Kept) -> _Kept:
        return structs.replace(thing, extra=self.foreign(thing.extra)) if thing.extra else thing

    def _loses(self, word: str, value: object) -> bool:
        """Tell whether `value` is there and has no place in the other dialect; if so it is noted."""
        if word not in self._cannot or value is None or value is False or value in ("", [], {}):
            return False
        self._note(word)
        return True

    def _note(self, word: str) -> None:
        self._tell(self._words.names.get(word, word), self._cannot[word])

    def _tell(self, name: str, reason: str) -> None:
        if reason and len(self.losses) < MAX_NOTED:
            self.losses[name[:MAX_NAME]] = reason


def _kind(part: Part) -> str:
    """The word for a part that a dialect may have no place for; reasoning that is withheld is all signature."""
    if isinstance(part, Thinking) and part.redacted:
        return "signature"
    return _KINDS.get(type(part), "")


def _effort(budget: int) -> str:
    return next((effort for tokens, effort in _EFFORTS if budget <= tokens), "high")
