"""What a model can take and do, as far as anybody has told; and a model as the lists of models show it.

Nothing here can be part of a circle, and there may be ten thousand of each: the garbage collector need not look at them
(``gc=False``), which held the event loop for 60 ms at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Prices(Struct, frozen=True, gc=False):
    """What a model costs, in micro-USD for a million tokens; None: nobody has told, which is not nothing."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    """Of the prompt, read from the upstream's cache."""
    cache_write: int | None = None
    """Of the prompt, put into it."""
    request: int | None = None
    """Micro-USD for a request, whatever its size."""


class Capabilities(Struct, frozen=True, gc=False):
    """What is known of a model; None: nobody has told, and nothing is refused for it."""

    tools: bool | None = None
    """Calls tools."""
    vision: bool | None = None
    """Sees pictures."""
    audio: bool | None = None
    """Hears sounds."""
    thinking: bool | None = None
    """Reasons before it answers, when asked to."""
    json_schema: bool | None = None
    """Can be held to a JSON schema."""
    gives: frozenset[str] | None = None
    """What it answers with: ``text``, ``image``, ``audio``, ``video``."""
    embedding: bool | None = None
    """Gives vectors, and no answers; False: answers alone."""
    insert: bool | None = None
    """Fills in the text between a prompt and a suffix."""
    context: int | None = None
    """Tokens that prompt and answer may have together."""
    output: int | None = None
    """Tokens that an answer may have."""
    embedding_length: int | None = None
    """Numbers of a vector."""
    prices: Prices | None = None


class Entry(Struct, frozen=True, gc=False):
    """One model as a list of models shows it."""

    id: str
    owned_by: str
    created: int = 0
    """Seconds since the Unix epoch, the same at all times; 0 when nobody knows."""
    can: Capabilities = Capabilities()
    name: str = ""
    """What people call it, empty when that is the id."""


def join_capabilities(each: Sequence[Capabilities]) -> Capabilities:
    """Return what can be had of several models that stand in for each other: a request goes to one that suits it.

    Of sizes it is the smallest that is known, for nobody can tell which of the models will answer; a price is only told
    where it is the same for all.
    """
    if len(each) == 1:
        return each[0]
    return Capabilities(
        tools=_any(can.tools for can in each),
        vision=_any(can.vision for can in each),
        audio=_any(can.audio for can in each),
        thinking=_any(can.thinking for can in each),
        json_schema=_any(can.json_schema for can in each),
        gives=_all_of(can.gives for can in each),
        embedding=each[0].embedding if len({can.embedding for can in each}) == 1 else None,
        insert=_any(can.insert for can in each),
        context=_least(can.context for can in each),
        output=_least(can.output for can in each),
        embedding_length=_least(can.embedding_length for can in each),
        prices=each[0].prices if each and all(can.prices == each[0].prices for can in each) else None,
    )


def _any(values: Iterable[bool | None]) -> bool | None:
    known = set(values)
    if True in known:
        return True
    return None if None in known or not known else False


def _all_of(values: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    told = list(values)
    return None if None in told else frozenset(word for value in told for word in value or ())


def _least(values: Iterable[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
