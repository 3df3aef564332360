"""What a bot says, takes back and shows; at once, or held back to the end."""

from collections.abc import Callable

import pytest

from dragoman.core import events as ev
from dragoman.dialects.poe_bot.schema import Shown
from dragoman.dialects.poe_bot.speech import HeldSpeech, Speech

IMAGE = Shown("https://p/i", "image/png", "a.png", "abcd1234")
PAPER = Shown("https://p/d", "application/pdf", "a.pdf")
Step = Callable[[Speech, list[ev.Event]], None]
"""Something said."""


def say(text: str) -> Step:
    return lambda speech, events: speech.say(text, events)


def think(text: str) -> Step:
    return lambda speech, events: speech.think(text, events)


def replace(text: str) -> Step:
    return lambda speech, events: speech.replace(text, events)


def show(shown: Shown) -> Step:
    return lambda speech, events: speech.show(shown, events)


def settle(speech: Speech, events: list[ev.Event]) -> None:
    speech.settle(events)


def told(speech: Speech, *steps: Step) -> list[ev.Event]:
    events: list[ev.Event] = []
    for step in steps:
        step(speech, events)
    speech.end(events)
    return events


@pytest.mark.parametrize(
    ("steps", "events", "taken"),
    [
        ([say("a"), say("b")], [ev.Text("a"), ev.Text("b")], 0),
        ([say("*Think")], [ev.Text("*Think")], 0),
        ([say("*Thinking...*\n> a"), say("\n\nb")], [ev.Thinking("a"), ev.Text("b")], 0),
        ([think("a"), say("b")], [ev.Thinking("a"), ev.Text("b")], 0),
        ([say("a"), replace("ab"), replace("ab"), say("c")], [ev.Text("a"), ev.Text("b"), ev.Text("c")], 0),
        ([say("a"), replace("b"), say("c")], [ev.Text("a"), ev.Replace("b"), ev.Text("c")], 1),
        ([say("a"), replace(""), say("c")], [ev.Text("a"), ev.Replace(""), ev.Text("c")], 1),
        ([say("a"), replace("b"), replace("bc")], [ev.Text("a"), ev.Replace("b"), ev.Text("c")], 1),
        ([replace("a")], [ev.Text("a")], 0),
        (
            [say("*Thinking...*\n> a"), replace("*Thinking...*\n> ab"), replace("*Thinking...*\n> ab\n\nc")],
            [ev.Thinking("a"), ev.Thinking("b"), ev.Text("c")],
            0,
        ),
        ([say("*Thinking...*\n> ab"), replace("*Thinking...*\n> a\n\nc")], [ev.Thinking("ab"), ev.Text("c")], 0),
        ([say("a"), show(IMAGE), show(IMAGE)], [ev.Text("a"), ev.Media("image/png", url="https://p/i")], 0),
        ([say("a https://p/i"), show(IMAGE)], [ev.Text("a https://p/i")], 0),
        ([show(PAPER), say("a")], [ev.Text("https://p/d"), ev.Text("a")], 0),
        ([say("a"), show(PAPER)], [ev.Text("a"), ev.Text("\n\nhttps://p/d")], 0),
        ([say("a"), show(Shown("https://p/x"))], [ev.Text("a"), ev.Text("\n\nhttps://p/x")], 0),
        ([say("T"), settle, settle, say("b")], [ev.Text("T"), ev.Text("b")], 0),
    ],
)
def test_what_is_said_is_told_at_once(steps: list[Step], events: list[ev.Event], taken: int) -> None:
    back: list[None] = []
    assert told(Speech(lambda: back.append(None)), *steps) == events
    assert len(back) == taken


@pytest.mark.parametrize(
    ("steps", "events"),
    [
        ([say("a"), replace("b"), say("c")], [ev.Text("bc")]),
        ([say("*Thin"), say("king...*\n> a\n\nb"), settle], [ev.Thinking("a"), ev.Text("b")]),
        ([think("a"), think("b"), say("c")], [ev.Thinking("ab"), ev.Text("c")]),
        ([say("*Think")], [ev.Text("*Think")]),
        ([], []),
        ([say("a ![cat][abcd1234] b"), show(IMAGE)], [ev.Text("a ![cat](https://p/i) b")]),
        ([show(IMAGE), say("[cat][abcd1234]")], [ev.Text("![cat](https://p/i)")]),
        ([show(IMAGE), show(IMAGE), say("a")], [ev.Text("a"), ev.Media("image/png", url="https://p/i")]),
        ([show(PAPER), say("a")], [ev.Text("a"), ev.Text("\n\nhttps://p/d")]),
    ],
)
def test_what_is_held_back_is_told_once(steps: list[Step], events: list[ev.Event]) -> None:
    held, early = HeldSpeech(), list[ev.Event]()
    for step in steps:
        step(held, early)
    assert early == []
    held.end(early)
    assert early == events
