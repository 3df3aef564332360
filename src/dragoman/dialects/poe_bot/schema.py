"""The wire Structs of Poe's bot protocol; a request has every field that Poe's own library sends.

Source: the Poe protocol specification, version 1.2, and fastapi_poe 0.0.83, 2026.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from dragoman.dialects.openai_chat.schema import Chunk

NAME = "poe_bot"
VERSION = "1.2"
MISSING = "<missing>"
"""What the library sends for a key that is told in a header."""
Role = Literal["system", "user", "bot", "tool"]


class Attachment(Struct):
    """A file that belongs to a message."""

    url: str
    content_type: str
    name: str
    inline_ref: None = None
    parsed_content: None = None


class Message(Struct):
    """One message of the conversation."""

    role: Role
    message_type: None = None
    sender_id: None = None
    sender: None = None
    content: str = ""
    parameters: dict[str, object] = field(default_factory=dict[str, object])
    """The bot's own parameters; on the last message of the user."""
    content_type: str = "text/markdown"
    timestamp: int = 0
    message_id: str = ""
    feedback: tuple[()] = ()
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    metadata: None = None
    referenced_message: None = None
    reactions: tuple[()] = ()


class FunctionSpec(Struct):
    """What a tool is called and takes; all three are there always."""

    name: str
    description: str
    parameters: object


class Tool(Struct):
    """A tool the bot may call."""

    function: FunctionSpec
    type: str = "function"


class FunctionCall(Struct):
    """The name of a called tool and its arguments, JSON text."""

    name: str
    arguments: str


class ToolCall(Struct):
    """A call of the last round."""

    id: str
    function: FunctionCall
    type: str = "function"


class ToolResult(Struct):
    """What a tool of the last round answered."""

    name: str
    tool_call_id: str
    content: str
    role: str = "tool"


class Query(Struct):
    """The body of a request; the ids may be empty for whoever has a key."""

    query: list[Message]
    version: str = VERSION
    type: str = "query"
    user_id: str = ""
    conversation_id: str = ""
    message_id: str = ""
    metadata: str = ""
    api_key: str = MISSING
    access_key: str = MISSING
    temperature: float | None = None
    skip_system_prompt: bool = False
    logit_bias: dict[str, float] = field(default_factory=dict[str, float])
    stop_sequences: list[str] = field(default_factory=list[str])
    language_code: str = "en"
    adopt_current_bot_name: None = None
    bot_query_id: str = ""
    users: tuple[()] = ()
    tools: list[Tool] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_results: list[ToolResult] | None = None
    query_creation_time: None = None
    extra_params: None = None


Number = int | str | None
"""Which of several answers an event belongs to; what is no number counts for the first."""


class Said(Struct, gc=False):
    """The data of ``text``, ``replace_response`` and ``suggested_reply``."""

    text: str = ""
    index: Number = None


class Shown(Struct, gc=False):
    """The data of ``file``."""

    url: str
    content_type: str | None = None
    name: str | None = None
    inline_ref: str | None = None
    index: Number = None


class Failed(Struct, gc=False):
    """The data of ``error``."""

    allow_retry: bool | None = True
    text: str | None = None
    error_type: str | None = None


class Json(Chunk, gc=False):
    """The data of ``json``: a chunk of a chat completion."""

    index: Number = None


def is_first(index: Number) -> bool:
    """Tell whether an event belongs to the first answer."""
    return not isinstance(index, int) or index <= 0
