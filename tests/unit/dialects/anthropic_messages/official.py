"""What the official SDK makes of an answer, without any network; its types check all that is written."""

from __future__ import annotations

import msgspec
from anthropic import Anthropic
from anthropic.types import Message, MessageParam, RawMessageStreamEvent
from httpx2 import Client, MockTransport, Request, Response
from pydantic import TypeAdapter

HELLO: list[MessageParam] = [{"role": "user", "content": "Hello"}]
_events: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)


class Named(msgspec.Struct):
    """What every event has."""

    type: str


def frames(written: bytes) -> list[tuple[str, bytes]]:
    """Return name and data of every event, each what the SDK's types say; pings, comments and errors as they are."""
    told: list[tuple[str, bytes]] = []
    for frame in written.split(b"\n\n"):
        if not frame or frame.startswith(b":"):
            continue
        head, data = frame.split(b"\n")
        name = head.removeprefix(b"event: ").decode()
        data = data.removeprefix(b"data: ")
        assert msgspec.json.decode(data, type=Named).type == name
        if name not in ("ping", "error"):
            _events.validate_json(data)
        told.append((name, data))
    return told


def read_stream(written: bytes) -> Message:
    """Return the message that the SDK puts together; raises what the SDK raises."""
    frames(written)
    client = _client(200, written, "text/event-stream")
    with client, client.messages.stream(model="m", max_tokens=9, messages=HELLO) as stream:
        return stream.get_final_message()


def read_plain(body: bytes, status: int = 200) -> Message:
    """Return the message that the SDK reads; raises what the SDK raises."""
    if status == 200:
        Message.model_validate_json(body, strict=True)
    with _client(status, body, "application/json") as client:
        return client.messages.create(model="m", max_tokens=9, messages=HELLO)


def _client(status: int, content: bytes, kind: str) -> Anthropic:
    def answer(_: Request) -> Response:
        return Response(status, content=content, headers={"content-type": kind, "request-id": "request-1"})

    transport = Client(transport=MockTransport(answer))
    return Anthropic(api_key="k", base_url="http://gateway.test", max_retries=0, http_client=transport)
