"""Anything a model may say, lawfully, decided by the numbers of a `Random`."""

from __future__ import annotations

from random import Random

from msgspec import UNSET, Raw

from dragoman.core import events as ev

START = ev.Start("answer-1", "m-1", 1_763_683_200)
_TEXTS = [
    "a",
    " ",
    "\n",
    "Hello",
    "\u2028\x85\u2029",
    "\U0001f642\u00e9",
    '"\\',
    "<think>",
    "</think>",
    "data: [DONE]\n\n",
    "\x00",
]
_OBJECTS = [
    "{}",
    '{"input":"x\\u00e9\\n"}',
    '{\n "a": [1, {"b": "}"}]\n}',
    '{"a":"\u2028\U0001f642","b":1e5}',
    ' {"a":true} ',
]
_KINDS = ["end"] * 4 + ["text"] * 6 + ["thinking"] * 3 + ["tool"] * 2 + ["more"] * 5 + ["rare"] * 3
_MOST = 25
"""Events of one choice, but for what is still to be said of its calls."""
_CALLED: list[ev.FinishReason] = ["tool_calls", "length"]
_REASONS: list[ev.FinishReason] = ["stop", "stop", "length", "tool_calls", "content_filter"]
_LOGPROBS = Raw(b'{"content":[{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[]}],"refusal":null}')


class _Choice:
    """One choice while it is being said."""

    def __init__(self, number: int, chance: Random, *, back: bool, broken: bool) -> None:
        self.over = False
        self._number = number
        self._chance = chance
        self._back = back
        self._broken = broken
        self._tools: list[list[str]] = []
        """What is still to be said of the arguments of each tool call."""
        self._said = ""
        self._events = 0

    def say(self) -> ev.Event:
        chance, number = self._chance, self._number
        self._events += 1
        kind = "end" if self._events > _MOST else chance.choice(_KINDS)
        if kind in ("more", "end") and any(self._tools):
            index = chance.choice([index for index, pieces in enumerate(self._tools) if pieces])
            return ev.ToolDelta(index, self._tools[index].pop(0), choice=number)
        if kind == "tool":
            return self._call()
        if kind == "thinking":
            return self._think()
        if kind == "rare":
            return self._say_rarely()
        if kind == "end":
            self.over = True
            reason = chance.choice(_CALLED if self._tools else _REASONS)
            return ev.Finish(reason, number, chance.choice(["", "", "END"]))
        logprobs = UNSET if chance.randint(0, 3) else _LOGPROBS
        text = chance.choice(_TEXTS)
        self._said += text
        return ev.Text(text, number, logprobs)

    def _call(self) -> ev.ToolDelta:
        chance, index = self._chance, len(self._tools)
        arguments = chance.choice(_OBJECTS) if not self._broken else chance.choice([*_OBJECTS, "", "{", "[]", "{} {}"])
        pieces: list[str] = []
        while arguments:
            size = chance.randint(min(4, len(arguments)), len(arguments))
            pieces.append(arguments[:size])
            arguments = arguments[size:]
        first = pieces.pop(0) if pieces and chance.randint(0, 1) else ""
        self._tools.append(pieces)
        call_id = chance.choice([f"call_{index}", f"odd id/{index}", f"toolu_{index}"])
        return ev.ToolDelta(index, first, call_id, chance.choice(["f", "x", "n__g"]), self._number)

    def _think(self) -> ev.Thinking:
        chance = self._chance
        if chance.randint(0, 4) == 0:
            return ev.Thinking("", self._number, "UkVE", redacted=True)
        text = chance.choice(["Hm", "\u00e9\u2028", "So.\n"])
        return ev.Thinking(text, self._number, "U0lH" if chance.randint(0, 3) == 0 else UNSET)

    def _say_rarely(self) -> ev.Event:
        chance, number = self._chance, self._number
        match chance.choice(["refusal", "media", "note", "likely", *(["replace"] if self._back else [])]):
            case "refusal":
                return ev.Refusal(chance.choice(["No", "\u00e9."]), number)
            case "media":
                kind = chance.choice(["image/png", "audio/wav", "video/mp4", "image/*"])
                return chance.choice(
                    [ev.Media(kind, "AAAA", choice=number), ev.Media(kind, url="https://a.test/\u00e9", choice=number)]
                )
            case "note":
                return ev.Note("suggestion", "x")
            case "likely":
                return ev.Text("", number, _LOGPROBS)
            case _:
                self._said = chance.choice(["", self._said, self._said + "!", "b"])
                return ev.Replace(self._said, number)


def answer(chance: Random, *, choices: int = 1, back: bool = True, broken: bool = False) -> list[ev.Event]:
    """Return a whole answer; `back`: it may take back what it said; `broken`: with arguments that are no object."""
    said = [_Choice(number, chance, back=back, broken=broken) for number in range(choices)]
    events: list[ev.Event] = [START]
    while still := [choice for choice in said if not choice.over]:
        events.append(chance.choice(still).say())
    usage = ev.Usage(9, 7, chance.choice([0, 4]), chance.choice([0, 3]), cache_write=chance.choice([0, 2]))
    return [*events, usage] if chance.randint(0, 2) else events


def bursts(events: list[ev.Event], chance: Random) -> list[list[ev.Event]]:
    """Return the events in groups, as reads of the network might bring them."""
    groups: list[list[ev.Event]] = [[]]
    for event in events:
        if groups[-1] and chance.randint(0, 1):
            groups.append([])
        groups[-1].append(event)
    return groups
