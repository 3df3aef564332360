"""What bots of the legacy protocol do: each scene is a list of named events, told by the name of the bot."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.testing.simulator.brain import think
from dragoman.testing.simulator.poe.catalogue import Bot
from dragoman.testing.simulator.poe.gallery import File, Gallery
from dragoman.testing.simulator.prose import last_words, think_aloud
from dragoman.testing.simulator.schema import Json
from dragoman.testing.simulator.tokens import cut

Said = tuple[str, dict[str, Json]]
"""The name of an event and its data: always an object, for the client looks for an ``index`` in every one."""
DONE: Said = ("done", {})
_META: Said = ("meta", {"content_type": "text/markdown", "suggested_replies": False, "linkify": True})
_REF = "a1b2c3d4"


class Scene(Struct, frozen=True):
    """What a scene is played with."""

    bot: Bot
    request: msg.Request
    seed: int
    keep: Callable[[File], str]
    """Keeps a file and gives its address."""
    gallery: Gallery

    @property
    def events(self) -> list[ev.Event]:
        """What the simulated model says."""
        return think(self.request, self.seed)

    @property
    def text(self) -> str:
        """The same as text."""
        return "".join(event.text for event in self.events if isinstance(event, ev.Text))


def play(name: str, scene: Scene) -> list[Said]:
    """Return what the bot `name` says."""
    if scene.bot.gives != "text":
        return _show(scene)
    return _SCENES.get(name, _answer)(scene)


def say(text: str) -> list[Said]:
    """Return a text in pieces."""
    return [("text", {"text": piece}) for piece in cut(text)]


def _answer(scene: Scene) -> list[Said]:
    """Call tools where that is better than words."""
    events = scene.events
    if not any(isinstance(event, ev.ToolDelta) for event in events):
        return [_META, *say(scene.text), DONE]
    told: list[Said] = [_META, *(_chunk(_call(event), None) for event in events if isinstance(event, ev.ToolDelta))]
    usage = next((event for event in events if isinstance(event, ev.Usage)), ev.Usage(0, 0))
    counts: dict[str, Json] = {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion}
    counts["total_tokens"] = usage.prompt + usage.completion
    return [*told, _chunk({}, "tool_calls"), ("json", {"choices": [], "usage": counts}), DONE]


def _call(event: ev.ToolDelta) -> dict[str, Json]:
    if event.id is None:
        return {"tool_calls": [{"index": event.index, "function": {"arguments": event.arguments}}]}
    function: Json = {"name": event.name, "arguments": event.arguments}
    call: Json = {"index": event.index, "id": event.id, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _chunk(delta: dict[str, Json], finish: str | None) -> Said:
    return "json", {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _say_json(scene: Scene) -> list[Said]:
    pieces = [_chunk({"content": piece}, None) for piece in cut(scene.text)]
    return [_META, *pieces, _chunk({}, "stop"), DONE]


def _say_all(scene: Scene) -> list[Said]:
    """Every event there is, and one there is not."""
    return [
        _META,
        ("ping", {}),
        ("data", {"metadata": "state"}),
        ("text", {"text": "void", "index": 0}),
        ("replace_response", {"text": ""}),
        *say(scene.text),
        ("text", {"text": "another answer", "index": 1}),
        ("file", _file(scene, "image", None)),
        ("suggested_reply", {"text": "Go on"}),
        ("sim_unknown", {"text": "skip me"}),
        DONE,
    ]


def _replace_prefix(scene: Scene) -> list[Said]:
    half = scene.text[: len(scene.text) // 2]
    return [_META, *say(half), ("replace_response", {"text": scene.text}), DONE]


def _replace(scene: Scene) -> list[Said]:
    return [_META, *say("Let me think again."), ("replace_response", {"text": ""}), *say(scene.text), DONE]


def _progress(scene: Scene) -> list[Said]:
    steps: list[Said] = [("replace_response", {"text": f"Generating... ({n} s elapsed)"}) for n in (5, 10, 15)]
    return [_META, *steps, ("replace_response", {"text": scene.text}), DONE]


def _suggest(scene: Scene) -> list[Said]:
    replies: list[Said] = [("suggested_reply", {"text": text}) for text in ("Tell me more", "Why?")]
    return [_META, *say(scene.text), *replies, DONE]


def _think(scene: Scene) -> list[Said]:
    """Reasoning in the text, as many bots tell it, its mark and its quotes cut anywhere."""
    lines = think_aloud(scene.request, scene.seed, 0).replace(". ", ".\n").split("\n")
    block = "*Thinking...*\n\n" + "".join(f"> {line}\n" for line in lines) + "\n"
    pieces: list[Said] = [("text", {"text": block[at : at + 5]}) for at in range(0, len(block), 5)]
    return [_META, *pieces, *say(scene.text), DONE]


def _file(scene: Scene, kind: str, ref: str | None) -> dict[str, Json]:
    file = scene.gallery.make(kind, last_words(scene.request))
    told: dict[str, Json] = {"url": scene.keep(file), "content_type": file.media_type, "name": f"sim.{kind}"}
    return told if ref is None else {**told, "inline_ref": ref}


def _attach(scene: Scene) -> list[Said]:
    return [_META, *say(scene.text), ("file", _file(scene, "image", None)), DONE]


def _attach_first(scene: Scene) -> list[Said]:
    return [_META, ("file", _file(scene, "image", _REF)), *say(f"Look: ![picture][{_REF}]"), DONE]


def _attach_last(scene: Scene) -> list[Said]:
    return [_META, *say(f"Look: ![picture][{_REF}]"), ("file", _file(scene, "image", _REF)), DONE]


def _show(scene: Scene) -> list[Said]:
    waiting: Said = ("replace_response", {"text": "Generating... (5 s elapsed)"})
    file = _file(scene, scene.bot.gives, _REF)
    return [_META, waiting, ("replace_response", {"text": f"![{scene.bot.gives}][{_REF}]"}), ("file", file), DONE]


def _fail_late(scene: Scene) -> list[Said]:
    return [_META, *say("It begins well"), fail()]


def _without_done(scene: Scene) -> list[Said]:
    return [_META, *say(scene.text)]


def fail(*, retry: bool = True, kind: str | None = None) -> Said:
    """Return the event that says a bot failed."""
    text = "Internal server error (error_id: 00000000-0000-4000-8000-000000000000)"
    told: dict[str, Json] = {"allow_retry": retry, "text": text}
    return "error", told if kind is None else {**told, "error_type": kind}


_TYPES = ("user_message_too_long", "insufficient_fund", "user_caused_error", "privacy_authorization_error")


def _fail_as(kind: str) -> Callable[[Scene], list[Said]]:
    return lambda scene: [fail(retry=False, kind=kind)]


_SCENES: dict[str, Callable[[Scene], list[Said]]] = {
    "sim-events": _say_all,
    "sim-json-text": _say_json,
    "sim-replace-prefix": _replace_prefix,
    "sim-replace": _replace,
    "sim-progress": _progress,
    "sim-suggest": _suggest,
    "sim-thinking": _think,
    "sim-file": _attach,
    "sim-file-first": _attach_first,
    "sim-file-last": _attach_last,
    "sim-error": lambda scene: [fail()],
    "sim-error-final": lambda scene: [fail(retry=False)],
    "sim-error-late": _fail_late,
    "sim-no-done": _without_done,
    "sim-empty": lambda scene: [DONE],
    **{f"sim-error-{kind.replace('_', '-')}": _fail_as(kind) for kind in _TYPES},
}
