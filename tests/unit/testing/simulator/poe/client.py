"""A client of the pretended Poe, without a network: a request in, status, headers and bytes out."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec

from dragoman.testing.simulator.poe.face import PoeFace
from dragoman.testing.simulator.schema import Json
from dragoman.testing.simulator.script import INSTANT, Script

NOW = 1_767_225_600
HOST = "poe.test"
WEATHER: Json = {
    "name": "get_weather",
    "description": "Get the weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TOOLS: Json = [{"type": "function", "function": WEATHER}]


@dataclass(frozen=True)
class Reply:
    """What came back."""

    script: Script

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.script.status

    @property
    def headers(self) -> dict[str, str]:
        """By name."""
        return dict(self.script.headers)

    @property
    def data(self) -> bytes:
        """The whole body."""
        return b"".join(data for _, data in self.script.pieces)

    def at(self, *path: str | int) -> Json:
        """Return what stands at a place of the body."""
        return at(msgspec.json.decode(self.data), *path)

    @property
    def chunks(self) -> list[Json]:
        """The data of a stream, the end mark excepted."""
        lines = self.data.decode().splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    @property
    def events(self) -> list[tuple[str, Json]]:
        """The named events of a stream."""
        frames = [frame.splitlines() for frame in self.data.decode().replace("\r\n", "\n").split("\n\n")]
        named = [frame for frame in frames if frame and frame[0].startswith("event: ")]
        return [(frame[0][7:], json.loads(frame[1][6:])) for frame in named]


def at(value: Json, *path: str | int) -> Json:
    """Return what stands at a place of a JSON value."""
    for key in path:
        if isinstance(key, int):
            assert isinstance(value, list)
            value = value[key]
        else:
            assert isinstance(value, dict)
            value = value[key]
    return value


class Client:
    """One user and a Poe of his own."""

    def __init__(self, key: str = "key") -> None:
        self.now = NOW
        self.key = key
        self.face = PoeFace(3, lambda: self.now, INSTANT)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """Send a request; underscores in header names are dashes."""
        usual = {"authorization": f"Bearer {self.key}", "content-type": "application/json", "host": HOST}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Reply(self.face.answer(method, path, {**usual, **given}, body))

    def get(self, path: str, **headers: str) -> Reply:
        """Fetch something."""
        return self.send("GET", path, b"", **headers)

    def post(self, path: str, fields: dict[str, Json], **headers: str) -> Reply:
        """Send JSON."""
        return self.send("POST", path, msgspec.json.encode(fields), **headers)

    def chat(self, model: str, text: str = "Say: one two", **fields: Json) -> Reply:
        """Ask for a chat completion."""
        turns: Json = [{"role": "user", "content": text}]
        return self.post("v1/chat/completions", {"model": model, "messages": turns, **fields})

    def stream(self, model: str, text: str = "Say: one two", **fields: Json) -> Reply:
        """Ask for a streamed chat completion with its usage."""
        return self.chat(model, text, stream=True, stream_options={"include_usage": True}, **fields)

    def bot(self, name: str, text: str = "Say: one two", **fields: Json) -> Reply:
        """Ask a bot over the bot protocol, as its own library does."""
        turn: Json = {"role": "user", "content": text, "content_type": "text/markdown", "parameters": {}}
        empty = dict.fromkeys(("user_id", "conversation_id", "message_id"), "")
        return self.post(f"bot/{name}", {"version": "1.2", "type": "query", "query": [turn], **empty, **fields})


def text_of(reply: Reply) -> str:
    """Return the content of a streamed chat completion."""
    pieces = [at(chunk, "choices", 0, "delta") for chunk in reply.chunks if at(chunk, "choices")]
    return "".join(str(piece.get("content") or "") for piece in pieces if isinstance(piece, dict))


def said(reply: Reply) -> str:
    """Return the text of a bot's answer, replacements made."""
    text = ""
    for name, data in reply.events:
        if name == "text" and isinstance(data, dict) and not data.get("index"):
            text += str(data["text"])
        elif name == "replace_response":
            text = str(at(data, "text"))
    return text
