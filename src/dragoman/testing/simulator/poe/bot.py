"""Poe's bot protocol: ``POST /bot/{name}``. Source: the protocol specification 1.2 and fastapi_poe 0.0.83."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import unquote

import msgspec
from msgspec import Raw, Struct, field

from dragoman.core import message as msg
from dragoman.core.errors import DragomanError
from dragoman.testing.simulator.poe.account import Account, Accounts
from dragoman.testing.simulator.poe.chat import cut_characters
from dragoman.testing.simulator.poe.gallery import Gallery
from dragoman.testing.simulator.poe.refusal import Refused
from dragoman.testing.simulator.poe.scenes import Said, Scene, fail, play
from dragoman.testing.simulator.poe.talk import find_bot
from dragoman.testing.simulator.script import Cadence, End, Piece, Script, play_at_once
from dragoman.testing.simulator.tokens import count
from dragoman.wire.json import encode, read_json

_JSON, _STREAM = ("content-type", "application/json"), ("content-type", "text/event-stream; charset=utf-8")
_SETTINGS = b'{"allow_attachments":true,"introduction_message":"","server_bot_dependencies":{}}'
_REPORTS = frozenset({"report_error", "report_feedback", "report_reaction"})
_TALKER = "instant"
_ROLES: dict[str, msg.Role] = {"system": "system", "user": "user", "bot": "assistant", "tool": "user"}
_ENDS: dict[str, End] = {"sim-cut": "cut", "sim-cut-first": "cut", "sim-stall": "hang"}
"""Bots that break off in the middle of their answer."""
_FIRST = frozenset({"sim-flaky", "sim-cut-first"})
"""Bots that fail at the first call of an account only."""
_PING = b": ping\r\n\r\n"


class _Attachment(Struct):
    url: str
    content_type: str
    name: str


class _Turn(Struct):
    role: str
    content: str
    parameters: dict[str, Raw] = field(default_factory=dict[str, Raw])
    attachments: list[_Attachment] = field(default_factory=list[_Attachment])


class _Function(Struct):
    name: str
    description: str = ""
    parameters: Raw = Raw(b"{}")
    arguments: str = ""


class _Tool(Struct):
    function: _Function
    id: str = ""


class _Result(Struct):
    name: str
    tool_call_id: str
    content: str


class _Body(Struct):
    version: str
    type: str
    query: list[_Turn] = field(default_factory=list[_Turn])
    tools: list[_Tool] | None = None
    tool_calls: list[_Tool] | None = None
    tool_results: list[_Result] | None = None
    temperature: float | None = None
    stop_sequences: list[str] = field(default_factory=list[str])


_body = msgspec.json.Decoder(_Body)


class Bots:
    """All bots of one simulator."""

    def __init__(self, seed: int, accounts: Accounts, cadence: Cadence, gallery: Gallery) -> None:
        self._seed = seed
        self._accounts = accounts
        self._cadence = cadence
        self._gallery = gallery

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response of the bot that `path` names below ``/bot/``; raises `Refused`."""
        if method != "POST":
            raise Refused(405, "Method not allowed")
        account = self._accounts.of(headers)
        account.enter(self._accounts.now())
        name = unquote(path.partition("?")[0])
        try:
            asked = read_json(_body, body)
        except DragomanError as error:
            raise Refused(400, error.message) from None
        if asked.type == "query":
            return self._query(account, name, asked, headers)
        if asked.type == "settings":
            return play_at_once(200, [_JSON], _SETTINGS)
        return play_at_once(200 if asked.type in _REPORTS else 501, [_JSON], b"{}")

    def _query(self, account: Account, name: str, asked: _Body, headers: Mapping[str, str]) -> Script:
        lower = name.lower()
        if lower == "sim-sse-500":
            return play_at_once(500, [_STREAM], b"")
        if not asked.query:
            raise Refused(400, "query is empty")
        bot, mischief = find_bot(name, account)
        if account.balance <= 0:
            return Script(200, [_STREAM], self._pace([fail(retry=False, kind="insufficient_fund")], 0))
        keep: Callable[..., str] = partial(self._gallery.keep, headers=headers)
        scene = Scene(bot, _read_request(asked), self._seed, keep, self._gallery)
        fails = lower in _FIRST and account.ask(lower) == 1
        said = [fail()] if fails and lower not in _ENDS else play(lower, scene)
        account.charge(bot.name, self._accounts.now(), 0, sum(count(str(data.get("text", ""))) for _, data in said))
        pieces = self._pace(said, mischief.pause)
        if lower == "sim-bad-json":
            pieces.insert(1, (0.0, b"event: text\r\ndata: no JSON\r\n\r\n"))
        if lower in _ENDS and (fails or lower not in _FIRST):
            return Script(200, [_STREAM], pieces[: len(pieces) // 2], _ENDS[lower])
        return Script(200, [_STREAM], list(cut_characters(pieces)))

    def _pace(self, said: list[Said], pause: int) -> list[Piece]:
        """Return the frames, with a comment between the first two and a pause in the middle."""
        pieces: list[Piece] = []
        for at, (event, data) in enumerate(said):
            delay = self._cadence.seconds(1) if at else self._cadence.first
            frame = b"event: %b\r\ndata: %b\r\n\r\n" % (event.encode(), encode(data))
            pieces.append((delay + pause * (at == len(said) // 2), frame + _PING * (at == 0)))
        return pieces


def _read_request(asked: _Body) -> msg.Request:
    turns = [msg.Message(_ROLES.get(turn.role, "user"), _read_parts(turn)) for turn in asked.query]
    if asked.tool_calls and asked.tool_results:
        calls = [msg.ToolCall(call.id, call.function.name, call.function.arguments) for call in asked.tool_calls]
        results = [
            msg.ToolResult(result.tool_call_id, [msg.Text(result.content)], result.name)
            for result in asked.tool_results
        ]
        turns += [msg.Message("assistant", list(calls)), msg.Message("tool", list(results))]
    tools = [
        msg.Tool(tool.function.name, tool.function.description, tool.function.parameters) for tool in asked.tools or []
    ]
    sampling = msg.Sampling(temperature=asked.temperature, stop=asked.stop_sequences)
    return msg.Request(_TALKER, turns, tools=tools, sampling=sampling)


def _read_parts(turn: _Turn) -> list[msg.Part]:
    parts: list[msg.Part] = [msg.Text(turn.content)]
    for attached in turn.attachments:
        picture = attached.content_type.startswith("image/")
        parts.append(msg.Image(attached.url) if picture else msg.File(id=attached.url, name=attached.name))
    return parts
