"""The blocks of a streamed answer: numbered without gaps, one open at a time, each closed before the next.

What a model says may be woven: upstreams tell the pieces of two tool calls in turns, and text in between. So blocks
stand in a queue, in the order they began. The first is open and is written as it grows; the others gather what they
are told until it is done. A tool call is done when its arguments are a whole object, everything else when something
follows.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.anthropic_messages.output import check_arguments, is_object
from dragoman.dialects.anthropic_messages.schema import (
    UNSIGNED,
    BlockStart,
    Content,
    Redacted,
    Text,
    Thinking,
    ToolUse,
)
from dragoman.wire.json import encode

_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b":'
_DELTAS: dict[type[Content], bytes] = {
    Text: b'text_delta","text',
    Thinking: b'thinking_delta","thinking',
    ToolUse: b'input_json_delta","partial_json',
}
_SIGNATURE = b'signature_delta","signature'
_END = b"}}\n\n"
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'


class _Block(Struct):
    """One block: how it begins, and the pieces that are not written yet."""

    content: Content
    waiting: list[str] = field(default_factory=list[str])
    signature: str = ""
    """Of thinking; nothing is added to what is signed."""
    arguments: list[str] = field(default_factory=list[str])
    """All pieces of a tool call's input."""
    begun: bool = False
    closed: bool = False


class Blocks:
    """Writes the blocks of one answer."""

    def __init__(self) -> None:
        self._queue: deque[_Block] = deque()
        self._tools: dict[int, _Block] = {}
        self._index = 0
        """Number of the first block in the queue."""
        self._flow = b""
        """What comes before a piece of text while a block of text is open and nothing waits behind it."""

    def add_text(self, text: str) -> bytes:
        """Write a piece of text."""
        if self._flow:
            return self._flow + encode(text) + _END
        self._last(Text).waiting.append(text)
        return self._advance()

    def add_thinking(self, event: ev.Thinking) -> bytes:
        """Write a piece of reasoning."""
        signature = event.signature or ""
        if event.redacted:
            self._queue.append(_Block(Redacted(signature)))
            return self._advance()
        block = self._last(Thinking)
        block.signature = signature
        if event.text:
            block.waiting.append(event.text)
        return self._advance()

    def add_tool(self, event: ev.ToolDelta, content: ToolUse | None) -> bytes:
        """Write a piece of a tool call, `content` for the first one; raises `UpstreamInvalid` for one that is over."""
        if content is not None:
            self._tools[event.index] = _Block(content)
            self._queue.append(self._tools[event.index])
        block = self._tools[event.index]
        if block.closed:
            if event.arguments.strip():
                raise UpstreamInvalid("a tool call goes on behind the end of its arguments")
            return b""
        if event.arguments:
            block.waiting.append(event.arguments)
            block.arguments.append(event.arguments)
        return self._advance()

    def end(self, *, cut: bool) -> bytes:
        """Close all blocks; raises `UpstreamInvalid` for arguments that are no object, unless the answer was `cut`."""
        written: list[bytes] = []
        for block in self._queue:
            if isinstance(block.content, ToolUse) and not cut:
                check_arguments("".join(block.arguments) or "{}")
            written += (self._flush(block), self._close(block))
        self._queue.clear()
        self._flow = b""
        return b"".join(written)

    def _last(self, kind: type[Text | Thinking]) -> _Block:
        """The block that goes on, a new one if the last is of another kind or signed."""
        last = self._queue[-1] if self._queue else None
        if last is None or not isinstance(last.content, kind) or last.signature:
            last = _Block(kind())
            self._queue.append(last)
        return last

    def _advance(self) -> bytes:
        """Write what waits in the open block, and in those behind it if it is done."""
        queue = self._queue
        written = [self._flush(queue[0])]
        while len(queue) > 1 and _is_done(queue[0]):
            written += (self._close(queue.popleft()), self._flush(queue[0]))
        alone = len(queue) == 1 and isinstance(queue[0].content, Text)
        self._flow = _DELTA % (self._index, _DELTAS[Text]) if alone else b""
        return b"".join(written)

    def _flush(self, block: _Block) -> bytes:
        pieces: list[bytes] = []
        if not block.begun:
            block.begun = True
            start = encode(BlockStart(self._index, block.content))
            pieces.append(b"event: content_block_start\ndata: %b\n\n" % start)
        if block.waiting:
            prefix = _DELTA % (self._index, _DELTAS[type(block.content)])
            pieces += [prefix + encode(piece) + _END for piece in block.waiting]
            block.waiting.clear()
        return b"".join(pieces)

    def _close(self, block: _Block) -> bytes:
        signature = b""
        if isinstance(block.content, Thinking):
            signature = _DELTA % (self._index, _SIGNATURE) + encode(block.signature or UNSIGNED) + _END
        block.closed = True
        self._index += 1
        return signature + _STOP % (self._index - 1)


def _is_done(block: _Block) -> bool:
    """Tell whether nothing can be added to a block that others wait for."""
    if not isinstance(block.content, ToolUse):
        return True
    return bool(block.arguments) and block.arguments[-1].rstrip().endswith("}") and is_object("".join(block.arguments))
