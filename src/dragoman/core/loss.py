"""What is lost when a request is said in another dialect: found before it is sent, named in the client's own words.

Every dialect of upstreams has one table, its `Terms`, of what it has no place for; every dialect of clients has one,
its `Words`, of what it calls things and of the fields that only it knows. Whoever writes a request anew writes what
`carry` returns, and nothing in it is lost any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    ToolChoice,
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
LINKED = "linked_"
"""What stands before that word where a part is somewhere else, and a dialect takes only what comes along."""
_UNSURE = "a model that does not reason may refuse to be told so, and nobody knows whether this one does"
_OWN = "extra"
"""The one member of a part's extra that is the hub's own (Gemini's thought signatures)."""
_Kept = TypeVar("_Kept", bound=Message | Tool | Part)


class Terms(Struct, frozen=True):
    """What a dialect can say of a request."""

    cannot: Mapping[str, str] = {}
    """A word of the hub → why it has no place here; no reason: nothing is lost with it.

    The words: the fields of `Sampling`; ``effort``, ``no_effort`` (not to reason) and ``budget``; ``n``, ``user``,
    ``metadata``, ``parallel_tools``, ``tool_choice`` (that a tool is called, any or a certain one), ``allowed_tools``,
    ``strict_tools``, ``json`` and ``schema`` (format), ``dimensions``; ``name`` (of a speaker); the parts ``image``,
    ``audio``, ``video``, ``file``, ``thinking``, ``signature``, ``failed`` (a tool's result); ``linked_image``,
    ``linked_audio``, ``linked_video``, ``linked_file`` where only the address of one, or the id of an upload, has no
    place.
    """
    kin: Mapping[str, frozenset[str] | None] = {}
    """Another dialect → the fields of its own that mean the same here; None: all of them."""
    parameters: frozenset[str] = frozenset()
    """Fields of one model that any client may send."""
    only: frozenset[str] | None = None
    """The only other fields that there are; None: any."""
    known: frozenset[str] | None = None
    """Where any field may be a parameter of a model: those of which everybody knows what else they are. What a client
    says at the top of a request is a parameter unless it is one, or its dialect tells why it is lost (`Words.reasons`).
    None: no field may."""
    narrow: Callable[[Request], tuple[Request, Mapping[str, str]]] | None = None
    """What has a place here, but not with every value: returns what can be said, and a word → why for all else."""


def fit(terms: Terms, can: Capabilities) -> Terms:
    """Return the `terms` of one model: how much to reason is for models that do, and many refuse it unasked.

    Not to reason is what a model does that cannot, so it is told only to those that are known to.
    """
    if can.thinking:
        return terms
    if can.thinking is None:
        return structs.replace(terms, cannot={**terms.cannot, "no_effort": _UNSURE})
    lost = {"no_effort": "", "effort": "the model does not reason"}
    return structs.replace(terms, cannot={**terms.cannot, **lost})


def carry(request: Request, dialect: str, words: Words, terms: Terms) -> tuple[Request, dict[str, str]]:
    """Return what of a request made in `dialect` can be said in other `terms`, and what cannot, with the reasons."""
    carrier = _Carrier(words, terms, _find_kin(terms, dialect))
    custom = carrier.custom(request.extra)
    carried = structs.replace(
        request,
        messages=[carrier.message(message) for message in request.messages],
        tools=[carrier.tool(tool) for tool in request.tools],
        sampling=carrier.sampling(request.sampling),
        reasoning=carrier.reasoning(request.reasoning),
        extra=custom | carrier.foreign({name: raw for name, raw in request.extra.items() if name not in custom}),
    )
    carried = carrier.plain(carried)
    if terms.narrow is not None:
        carried, lost = terms.narrow(carried)
        carrier.tell(lost)
    return carried, carrier.losses


class _Carrier:
    """Keeps what can be carried and collects what cannot."""

    def __init__(self, words: Words, terms: Terms, kin: frozenset[str] | None) -> None:
        self.losses: dict[str, str] = {}
        self._words = words
        self._cannot = terms.cannot
        self._known = terms.known
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
        choice = self.tool_choice(request.tool_choice)
        if choice is not request.tool_choice:
            lost["tool_choice"] = choice
        if self._loses(request.format.kind, request.format.kind != "text"):
            lost["format"] = type(request.format)()
        return structs.replace(request, **lost) if lost else request

    def tool_choice(self, choice: ToolChoice | None) -> ToolChoice | None:
        if choice is None:
            return None
        if self._loses("tool_choice", choice.mode in ("required", "named")):
            choice = None if choice.allowed is None else ToolChoice("auto", allowed=choice.allowed)
        if choice is not None and self._loses("allowed_tools", choice.allowed is not None):
            choice = structs.replace(choice, allowed=None)
        return choice

    def message(self, message: Message) -> Message:
        parts = self._parts(message.parts)
        name = "" if self._loses("name", message.name) else message.name
        return structs.replace(self._bare(message), parts=parts, name=name)

    def tool(self, tool: Tool) -> Tool:
        if self._loses("strict_tools", tool.strict is not None):
            tool = structs.replace(tool, strict=None)
        return self._bare(tool)

    def custom(self, extra: Extra) -> Extra:
        """Return the members that are a model's own parameters."""
        if self._known is None:
            return {}
        return {name: raw for name, raw in extra.items() if name not in self._known and name not in self._words.reasons}

    def foreign(self, extra: Extra) -> Extra:
        """Return the members that mean the same in the other dialect."""
        if self._kin is None or not extra:
            return extra
        for name, raw in extra.items():
            if name not in self._kin and name != _OWN and bytes(raw) != b"null":
                self._tell(name, self._words.reasons.get(name, NO_COUNTERPART))
        return {name: raw for name, raw in extra.items() if name in self._kin or name == _OWN}

    def tell(self, lost: Mapping[str, str]) -> None:
        """Note the hub's words for what is lost, with the reasons."""
        for word, reason in lost.items():
            self._tell(self._words.names.get(word, word), reason)

    def _parts(self, parts: Sequence[Part]) -> list[Part]:
        return [self._part(part) for part in parts if not (self._loses(_kind(part), part) or self._loses_link(part))]

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

    def _loses_link(self, part: Part) -> bool:
        return _is_linked(part) and self._loses(LINKED + _kind(part), part)

    def _note(self, word: str) -> None:
        """What is linked is told in the client's word for the thing itself."""
        thing = word.removeprefix(LINKED)
        self._tell(self._words.names.get(thing, thing), self._cannot[word])

    def _tell(self, name: str, reason: str) -> None:
        if reason and len(self.losses) < MAX_NOTED:
            self.losses[name[:MAX_NAME]] = reason


def _find_kin(terms: Terms, dialect: str) -> frozenset[str] | None:
    """Return the fields of a client's dialect that can be carried; None: all of them."""
    kin = terms.kin.get(dialect, frozenset())
    if terms.only is not None:
        kin = terms.only if kin is None else kin & terms.only
    return None if kin is None else kin | terms.parameters


def _kind(part: Part) -> str:
    """The word for a part that a dialect may have no place for; reasoning that is withheld is all signature."""
    if isinstance(part, Thinking) and part.redacted:
        return "signature"
    return _KINDS.get(type(part), "")


def _is_linked(part: Part) -> bool:
    """Tell whether a part names a place instead of bringing its bytes along."""
    match part:
        case Image() | Video():
            return not part.url.startswith("data:")
        case Audio():
            return not part.data
        case File():
            return bool(part.id) or part.data.startswith(("https:", "http:"))
        case _:
            return False


def _effort(budget: int) -> str:
    return next((effort for tokens, effort in _EFFORTS if budget <= tokens), "high")
