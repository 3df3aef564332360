"""What the mock says and the client expects, free of any wire format; a `Dialect` puts it on the wire.

Each piece of text holds exactly one `MARK`, so tokens are counted in raw bytes, whatever the dialect wraps around them.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

MODEL = "bench-model"
"""The upstream's own name of its model; the mock refuses every other."""
MARK = b"~"
VARIANTS = 8
"""So many different answers exist: a stream that gets another stream's text is found out."""
PROMPT_TOKENS = 7

_FILLER = 'The interpreter said: "wait until the caravan has rested";\nthe café was still closed, and nobody minded. '


class Asked(Struct, frozen=True):
    """What one request asks of the mock."""

    model: str
    pieces: int
    """So many pieces of text are the answer (every dialect can carry it as a limit of tokens)."""
    stream: bool = False
    variant: int = 0
    usage: bool = True
    """A stream ends with its usage."""


class Said(Struct, frozen=True):
    """What one whole answer says; two are compared to check a response."""

    model: str
    text: str
    finish: str
    usage: tuple[int, int]
    """Prompt and completion tokens."""
    events: int
    """How many events carried text; 1 for a plain answer."""
    done: bool
    """The dialect's own last word was there (`[DONE]`); a plain answer is done when it is whole."""


class Script(Struct, frozen=True):
    """The bytes of one answer in one dialect, without any HTTP around them."""

    reply: bytes
    opening: bytes
    """What comes before the first text."""
    pieces: list[bytes]
    closing: bytes


class Mocked(Struct, frozen=True):
    """The upstream's side of a wire format: how the mock reads and answers."""

    kind: str
    """The `kind` of an upstream that speaks it, in Dragoman's configuration."""
    base_path: str
    """What the `base_url` of such an upstream ends in."""
    read_request: Callable[[bytes], Asked]
    write_script: Callable[[Asked], Script]


class Dialect(Struct, frozen=True):
    """One wire format: how the client asks and reads."""

    name: str
    path: str
    write_request: Callable[[Asked, str], bytes]
    """A request with this prompt."""
    read_reply: Callable[[bytes], Said]
    read_stream: Callable[[bytes], Said]
    upstream: Mocked | None = None
    """How the mock speaks it; None where only clients do."""


def piece_of(variant: int, index: int) -> str:
    """Return piece `index` of the answer `variant`."""
    return f"~{variant}.{index} "


def expect(asked: Asked) -> Said:
    """Return what a right answer to `asked` says."""
    return Said(
        model=MODEL,
        text="".join(piece_of(asked.variant, index) for index in range(asked.pieces)),
        finish="stop",
        usage=(PROMPT_TOKENS, asked.pieces),
        events=asked.pieces if asked.stream else 1,
        done=True,
    )


def prompt_of(size: int) -> str:
    """Return about `size` bytes of prompt, with quotes, line ends and letters beyond ASCII in it."""
    return (_FILLER * (size // len(_FILLER) + 1))[:size]
