"""What Poe's catalogue tells of a model beside what every catalogue tells: where and with which parameters it is asked.

Sources: Poe's documentation (editions of 2025 and 2026), recorded entries of `GET /v1/models` (March 2026), and the
overrides and the routing rule of Poe's own provider for the AI SDK: the first of `supported_endpoints`, chat where
there is none, and chat for the models of Google whatever is first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import OUTBOUND
from dragoman.upstreams.listing import Model, Said, find_object, find_text, list_objects, list_words

CHAT = "openai_chat"
_DIALECTS = {
    "/v1/chat/completions": CHAT,
    "/v1/messages": "anthropic_messages",
    "/v1/responses": "openai_responses",
}
_CHATS_FIRST = "Google"
CORE = frozenset(
    {
        "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "stream",
        "stream_options", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "n",
        "response_format",
    }
)  # fmt: skip
"""OpenAI's fields that chat completions take; what Poe says that it ignores is better told as lost."""
EFFORTS = ("reasoning_effort", "output_effort", "thinking_level")
"""What models call the parameter that says how much to reason."""
BUDGET, SWITCH = "thinking_budget", "enable_thinking"
SHAPES = ("aspect_ratio", "aspect", "size")
"""What models call the parameter that says what shape a picture has."""
_NO_TOOLS = frozenset({"gpt-4o-search", "gpt-4o-mini-search", "gpt-3.5-turbo-instruct"})
"""Models that are said to call tools, and refuse them."""
_NO_TEMPERATURE = frozenset({"claude-opus-4.7", "claude-opus-4.8", "gemini-3.5-flash"})
_BASE = Quirks(
    dialects=(CHAT,),
    developer_role=False,
    instructions=False,
    fields=CORE,
    effort="",
    repeats_reasoning=True,
    sounds_as_files=True,
)
"""How a model is asked of which the catalogue tells nothing; Poe is said to ignore `instructions` (Responses)."""


def tell(model: Model, said: Said) -> Model:
    """Return a model with all that its entry says."""
    parameters = {find_text(each, "name"): _read_values(each) for each in list_objects(said, "parameters")}
    parameters.pop("", None)
    plain = makes_media(model)
    quirks = structs.replace(_BASE, dialects=(CHAT,) if plain else _read_dialects(said), plain=plain)
    quirks = _tell_controls(quirks, parameters)
    if not quirks.effort and find_object(said, "reasoning").get("supports_reasoning_effort") is True:
        quirks = structs.replace(quirks, effort=EFFORTS[0])
    thinks = True if quirks.effort or quirks.budget or quirks.switch else model.can.thinking
    return structs.replace(model, can=structs.replace(model.can, thinking=thinks), quirks=quirks)


def complete(model: Model) -> Model:
    """Return a model with what is known of it by its name, listed or not."""
    name = model.id.lower()
    quirks = _BASE if model.quirks is NO_QUIRKS else model.quirks
    if name in _NO_TEMPERATURE:
        quirks = structs.replace(quirks, lacks={**quirks.lacks, "temperature": "this model takes no temperature"})
    can = structs.replace(model.can, tools=False) if name in _NO_TOOLS else model.can
    return structs.replace(model, can=can, quirks=quirks)


def makes_media(model: Model) -> bool:
    """Tell whether a model answers with pictures, sounds or videos and nothing else."""
    return bool(model.can.gives) and "text" not in (model.can.gives or ())


def _read_dialects(said: Said) -> tuple[str, ...]:
    """Return the dialects in which a model is asked, the best first.

    No endpoint at all is no refusal, and neither is one for media: such models chat.
    """
    named = [_DIALECTS.get(path, "") for path in list_words(said, "supported_endpoints")]
    dialects = [name for name in named if name in OUTBOUND]
    if not dialects:
        return (CHAT,)
    if CHAT in dialects and find_text(said, "owned_by") == _CHATS_FIRST:
        dialects.sort(key=lambda name: name != CHAT)
    return tuple(dict.fromkeys(dialects))


def _read_values(parameter: Said) -> tuple[str, ...]:
    return tuple(list_words(find_object(parameter, "schema"), "enum"))


def _tell_controls(quirks: Quirks, parameters: Mapping[str, Sequence[str]]) -> Quirks:
    """Return the quirks with what says how much to reason, and what shape a picture has."""
    effort = next((name for name in EFFORTS if name in parameters), "")
    shape = next((name for name in SHAPES if parameters.get(name)), "")
    return structs.replace(
        quirks,
        parameters=frozenset(parameters),
        effort=effort,
        efforts=tuple(parameters.get(effort, ())),
        budget=BUDGET if BUDGET in parameters else "",
        switch=SWITCH if SWITCH in parameters else "",
        shape=shape,
        shapes=tuple(parameters.get(shape, ())),
    )
