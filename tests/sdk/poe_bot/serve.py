"""Bots on Poe's own server library, and a place for uploads as Poe has one; told what to say by the name of the bot.

Run with nothing; it writes the address where it listens. What was asked is at ``/asked``, newest last.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import warnings
from collections.abc import AsyncIterable, AsyncIterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import fastapi_poe as fp
    from sse_starlette.event import ServerSentEvent

KEY = "k" * 32
"""What the library takes for a key: 32 characters."""
IMAGE = "https://pfst.cf2.poecdn.net/base/image/ab"
Said = fp.PartialResponse | fp.MetaResponse | fp.ErrorResponse | ServerSentEvent
ERRORS: tuple[fp.types.ErrorType, ...] = (
    "user_message_too_long", "insufficient_fund", "user_caused_error", "privacy_authorization_error",
)  # fmt: skip


class Stage:
    """What the bots share."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.uploads: list[dict[str, object]] = []
        self.files: dict[str, bytes] = {}
        self.tries: dict[str, int] = {}


def text(said: str) -> fp.PartialResponse:
    return fp.PartialResponse(text=said)


def instead(said: str) -> fp.PartialResponse:
    return fp.PartialResponse(text=said, is_replace_response=True)


def chunk(delta: dict[str, object], finish: str | None = None) -> ServerSentEvent:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return ServerSentEvent(event="json", data=json.dumps({"choices": [choice]}))


def call(index: int, arguments: str, call_id: str | None = None) -> ServerSentEvent:
    first = {} if call_id is None else {"id": call_id, "type": "function"}
    name = {} if call_id is None else {"name": "add"}
    return chunk(
        {"content": None, "tool_calls": [{"index": index, **first, "function": {**name, "arguments": arguments}}]}
    )


def file(url: str, kind: str, name: str, ref: str | None = None) -> ServerSentEvent:
    return fp.PoeBot.file_event(url, kind, name, ref)


def add(request: fp.QueryRequest) -> list[Said]:
    """Call a tool twice at once, and tell what it answered in the second round."""
    if request.tool_results:
        return [text("Sums: " + ", ".join(result.content for result in request.tool_results))]
    usage = ServerSentEvent(
        event="json",
        data=json.dumps({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}),
    )
    return [
        call(0, "", "call_1"), call(0, '{"a":1,'), call(0, '"b":2}'), call(1, '{"a":3,"b":4}', "call_2"),
        chunk({}, "tool_calls"), usage,
    ]  # fmt: skip


SAYS: dict[str, list[Said]] = {
    "text": [fp.MetaResponse(text=""), text("Hello, "), text("w\u00f6rld "), text("\U0001f642")],
    "prefix": [text("Hel"), instead("Hello"), instead("Hello!")],
    "other": [text("Draft"), instead("Final"), text(" words")],
    "progress": [*(instead(f"Generating ({second} s elapsed)") for second in range(1, 4)), instead(f"![hat]({IMAGE})")],
    "suggests": [text("Hello"), fp.PartialResponse(text="More?", is_suggested_reply=True)],
    "files": [
        text("Look"), file(IMAGE, "image/png", "a.png"), file(IMAGE, "image/png", "a.png"),
        file("https://pfst.cf2.poecdn.net/base/doc/cd", "application/pdf", "b.pdf"),
    ],
    "thinks": [text("*Thinking...*\n"), text("\n> It is"), text(" so.\n\n"), text("Because.\n> A quotation")],
    "pings": [ServerSentEvent(comment="ping"), ServerSentEvent(event="ping", data="{}"), text("Hello")],
    "parallel": [text("Hello"), ServerSentEvent(event="text", data='{"text":"other","index":1}')],
    "fails": [fp.ErrorResponse(text="secret words", allow_retry=True)],
    "refuses": [fp.ErrorResponse(text="secret words", allow_retry=False)],
    "late": [text("Hello"), fp.ErrorResponse(text="secret words", allow_retry=True)],
    **{kind: [fp.ErrorResponse(text="secret words", error_type=kind)] for kind in ERRORS},
}  # fmt: skip
"""The name of a bot → what it says."""


class Bot(fp.PoeBot):
    """A bot that says what its name promises."""

    def __init__(self, name: str, stage: Stage) -> None:
        super().__init__(path=f"/bot/{name}", access_key=KEY)
        self._name = name
        self._stage = stage

    async def get_response(self, request: fp.QueryRequest) -> AsyncIterable[Said]:
        """Say it."""
        asked = json.loads(request.model_dump_json(exclude={"http_request"}))
        self._stage.asked.append({"bot": self._name, **asked})
        tries = self._stage.tries[self._name] = self._stage.tries.get(self._name, 0) + 1
        if self._name == "flaky" and tries % 2:
            yield fp.ErrorResponse(text="once", allow_retry=True)
        elif self._name == "raises":
            yield text("Hel")
            raise RuntimeError("secret words")
        elif self._name in ("flaky", "echo"):
            yield text(request.query[-1].content)
        else:
            for said in add(request) if self._name == "add" else SAYS[self._name]:
                yield said


def make_app(stage: Stage) -> FastAPI:
    """Return the bots, and beside them what no bot of the library does."""
    names = [*SAYS, "add", "echo", "flaky", "raises"]
    app = fp.make_app([Bot(name, stage) for name in names])

    @app.get("/asked")
    def tell() -> JSONResponse:
        return JSONResponse({"asked": stage.asked, "uploads": stage.uploads})

    @app.get("/files/{name}")
    def show(name: str) -> Response:
        return Response(stage.files[name])

    app.post("/bot/{name}")(misbehave)

    @app.post("/poe_api/file_upload_3RD_PARTY_POST")
    async def upload(request: Request) -> JSONResponse:
        if request.headers.get("authorization") != KEY:
            raise HTTPException(401, "the key")
        head = b"content-type: %b\r\n\r\n" % request.headers["content-type"].encode()
        form = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + await request.body())
        (part,) = form.iter_parts()
        assert part.get_param("name", header="content-disposition") == "file"
        content, kind = part.get_content(), part.get_content_type()
        name = f"{len(stage.files)}-{part.get_filename()}"
        stage.files[name] = content
        stage.uploads.append({"name": part.get_filename(), "type": kind, "size": len(content)})
        return JSONResponse({"attachment_url": f"{request.base_url}files/{name}", "mime_type": kind})

    return app


def misbehave(name: str) -> Response:
    """Do what servers do that no library lets a bot do."""
    if name == "busy":
        return JSONResponse({"detail": "secret words"}, 429, {"retry-after": "7"})
    if name == "gone":
        return JSONResponse({"detail": "Not Found"}, 404)
    if name == "broken":
        return JSONResponse({"detail": "secret words"}, 500)
    return StreamingResponse(half(name), media_type="text/event-stream")


async def half(name: str) -> AsyncIterator[bytes]:
    """Begin an answer, and end it without its end or in the middle."""
    yield b'event: text\r\ndata: {"text": "Hel"}\r\n\r\n'
    await asyncio.sleep(0)
    if name == "cut":
        raise ConnectionResetError("cut")


def main() -> None:
    """Listen on a free port of the loopback interface."""
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        sys.stdout.write(f"Bots at http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        listener.listen(100)
        config = uvicorn.Config(make_app(Stage()), log_level="critical", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    os.environ.pop("POE_API_KEY", None)
    logging.disable()  # the library warns of every bot that Poe does not know
    main()
