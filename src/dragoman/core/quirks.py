"""Where the server of a model differs from the dialect it speaks: flags, so that nobody asks for its name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw, Struct


class Quirks(Struct, frozen=True):
    """What a dialect's upstream side has to do otherwise for one model; nothing unless somebody says so."""

    dialects: tuple[str, ...] = ()
    """The dialects it is served in, the best first; empty: all that its upstream speaks, in their order."""
    plain: bool = False
    """It is never asked for a stream: a client that wants one is told the whole answer in one."""
    streams_only: bool = False
    """It is always asked for a stream: who wants a plain answer gets one made of it."""
    max_tokens: str = ""
    """The only field that bounds the answer, where the server does not take both names for it."""
    developer_role: bool = True
    """Whether there is a role ``developer``; if not it is told as ``system``."""
    system_role: bool = True
    """Whether there is a role ``system``; if not the user says what it says."""
    instructions: bool = True
    """Whether the field `instructions` is heeded; if not the system says them."""
    thoughts: str = "reasoning_content"
    """The field of a message in which the model gets back what it reasoned in earlier turns."""
    stream_usage: bool = True
    """Whether a stream may be asked to tell its usage."""
    sampling: Mapping[str, str] = {}
    """A word of the hub's `Sampling` → this server's field, where the dialect has none for it, or another one."""
    lacks: Mapping[str, str] = {}
    """A word of the hub (see `core.loss.Terms`) that has no place here, although the dialect has one → why."""
    fields: frozenset[str] | None = None
    """The only members of a body that are taken; what else a client sends is left out and told. None: any."""
    parameters: frozenset[str] = frozenset()
    """Members of its own that it takes besides, from clients of any dialect."""
    always: Mapping[str, Raw] = {}
    """Members that every body has, unless the client says them itself."""
    effort: str = "reasoning_effort"
    """The field that says how much to reason; empty: there is none."""
    efforts: tuple[str, ...] = ()
    """The efforts it knows, the least first; empty: any."""
    budget: str = ""
    """The field that says how many tokens reasoning may have; empty: there is none."""
    switch: str = ""
    """The field that turns reasoning on and off, true or false; empty: there is none."""
    shape: str = ""
    """The field that says what shape a picture has that it makes; empty: there is none."""
    shapes: tuple[str, ...] = ()
    """The shapes it knows: ``3:2`` or ``1536x1024``."""
    repeats_reasoning: bool = False
    """It tells its reasoning twice, in ``reasoning_content`` and in ``reasoning``; clients are told once."""
    sounds_as_files: bool = False
    """It takes sounds and videos as files alone."""
    replaces: bool = False
    """It says things that it takes back, so nothing is told before it is done."""


NO_QUIRKS = Quirks()
