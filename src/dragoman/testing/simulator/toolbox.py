"""Which tools a simulated model calls, and with what arguments."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw, Struct, UnsetType, field

from dragoman.core import message as msg
from dragoman.testing.simulator.fill import fill
from dragoman.testing.simulator.hints import Hints, is_place
from dragoman.testing.simulator.prose import conversation, last_words

_MOST = 8
"""Calls in one turn."""
_EMPTY = Raw(b'{"type":"object","properties":{}}')
_IDLE = frozenset(
    {
        "about",
        "after",
        "also",
        "call",
        "called",
        "from",
        "function",
        "give",
        "have",
        "input",
        "into",
        "make",
        "more",
        "over",
        "some",
        "that",
        "them",
        "then",
        "this",
        "tool",
        "tools",
        "using",
        "value",
        "what",
        "when",
        "where",
        "which",
        "will",
        "with",
        "your",
    }
)
"""Words that say nothing about what a tool does."""


class Use(Struct, frozen=True):
    """One call of a tool."""

    name: str
    arguments: str
    """JSON text of an object."""


class _Form(Struct):
    """The schema of a tool's arguments, as far as its fields have names."""

    properties: dict[str, Raw] = field(default_factory=dict[str, Raw])


_form = msgspec.json.Decoder(_Form)


class _Found(Struct, frozen=True):
    """A tool the user speaks of, and where."""

    at: int
    tool: msg.Tool


def use_tools(request: msg.Request) -> list[Use]:
    """Return the calls that answer `request`, none when it is better answered in words."""
    choice = request.tool_choice or msg.ToolChoice("auto")
    tools = [tool for tool in request.tools if choice.allowed is None or tool.name in choice.allowed]
    asked = last_words(request)
    if choice.mode == "none" or not tools:
        return []
    if choice.mode == "named":
        found = [_Found(0, tool) for tool in tools if tool.name == choice.name]
    elif choice.mode == "auto" and not _is_users_turn(request):
        found = []
    else:
        found = _find(tools, asked)
        if not found and choice.mode == "required":
            found = [_Found(0, tools[0])]
    if request.parallel_tools is False:
        return [_use(item.tool, Hints(asked)) for item in found[:1]]
    return _use_all(found, asked)[:_MOST] if found else []


def _is_users_turn(request: msg.Request) -> bool:
    """Tell whether a user spoke last, whatever a system message added behind."""
    return [turn.role for turn in conversation(request)][-1:] == ["user"]


def _find(tools: list[msg.Tool], asked: str) -> list[_Found]:
    """The tools the text names; else those of whose name it has a word; else those of whose description."""
    text = asked.lower()
    for words_of in (_names, _words_of_name, _words_of_description):
        found = [_Found(at, tool) for tool in tools if (at := _first(words_of(tool), text)) >= 0]
        if found:
            return sorted(found, key=lambda item: item.at)
    return []


def _names(tool: msg.Tool) -> list[str]:
    return [tool.name.lower()]


def _words_of_name(tool: msg.Tool) -> list[str]:
    return _words(re.sub(r"([a-z])([A-Z])", r"\1 \2", tool.name))


def _words_of_description(tool: msg.Tool) -> list[str]:
    return _words(tool.description)


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", text[:1000].lower())
    return [word for word in words if len(word) > 3 and word not in _IDLE]


def _first(words: list[str], text: str) -> int:
    """Where the first of `words` stands in `text`, by itself; -1 = none does."""
    places = [found.start() for word in words if (found := re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", text))]
    return min(places, default=-1)


def _use_all(found: list[_Found], asked: str) -> list[Use]:
    """Each tool takes its values from where it is spoken of to where the next one is; a lone one, each place once."""
    if len(found) == 1:
        places = Hints(asked).places if _wants_one_place(found[0].tool) else []
        uses = [_use(found[0].tool, Hints(_only(asked, place, places))) for place in places or [""]]
        return list(dict.fromkeys(uses))
    later = [item.at for item in found[1:]]
    spans = zip(found, [0, *later], [*later, len(asked)], strict=True)
    return [_use(item.tool, Hints(asked[start:end])) for item, start, end in spans]


def _wants_one_place(tool: msg.Tool) -> bool:
    if isinstance(tool.parameters, UnsetType):
        return False
    try:
        form = _form.decode(tool.parameters)
    except msgspec.ValidationError:
        return False
    return sum(is_place(name) for name in form.properties) == 1


def _only(asked: str, place: str, places: list[str]) -> str:
    """The text as if it spoke of one place only."""
    for other in places:
        if other != place:
            asked = asked.replace(other, "")
    return asked


def _use(tool: msg.Tool, hints: Hints) -> Use:
    schema = _EMPTY if isinstance(tool.parameters, UnsetType) else tool.parameters
    arguments = fill(schema, hints)
    if not _is_object(arguments):
        arguments = "{}"
    return Use(tool.name, arguments)


def _is_object(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except msgspec.DecodeError:
        return False
    return True
