"""What the chat endpoint refuses before a bot is asked. Source: Poe's API changes of early 2026; recorded errors."""

from __future__ import annotations

from collections.abc import Mapping

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.dialects.openai_chat.request import Body
from dragoman.testing.simulator.poe.account import Switches
from dragoman.testing.simulator.poe.catalogue import CHAT, RESPONSES, Bot
from dragoman.testing.simulator.poe.refusal import Refused

STRICT, LEGACY = "chat-completions-strict", "chat-completions-legacy"
"""The two flags of the header ``poe-feature``."""
_DECLARED = frozenset(Body.__struct_fields__) - {"top_k", "min_p", "repetition_penalty"} | {
    "audio",
    "modalities",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "verbosity",
    "web_search_options",
}
"""OpenAI's own fields."""


def read_feature(headers: Mapping[str, str], switches: Switches) -> str:
    """Return how a request is looked at: as its header says (the last flag that is known), else as its account."""
    flags = [flag.strip() for flag in headers.get("poe-feature", "").split(",")]
    known = [flag for flag in flags if flag in (STRICT, LEGACY)]
    return (known or [LEGACY if switches.legacy else STRICT])[-1]


def check_fields(call: Call, bot: Bot, feature: str) -> None:
    """Raise `Refused` for a field that neither OpenAI nor the bot declares, where that is not ignored."""
    if feature != STRICT:
        return
    own = {parameter.name for parameter in bot.parameters}
    for name in call.fields:
        if name not in _DECLARED and name not in own:
            raise Refused(400, f"Unknown parameter: '{name}'.", param=name, code="invalid_parameter")


def check_chat(call: Call, request: msg.Request, bot: Bot) -> None:
    """Raise `Refused` for what this bot cannot do over chat completions."""
    if bot.endpoints == (RESPONSES,):
        message = f"Model {call.model} is not available on {CHAT}. Use {RESPONSES}."
        raise Refused(400, message, param="model", code="unsupported_endpoint")
    if call.n != 1:
        raise Refused(400, "n must be 1", param="n", code="invalid_parameter")
    effort = request.reasoning.effort
    if bot.efforts and effort is not None and effort not in bot.efforts:
        allowed = ", ".join(f"'{value}'" for value in bot.efforts)
        message = f"Unsupported value: '{effort}' is not supported with the '{call.model}' model."
        raise Refused(400, f"{message} Supported values are: {allowed}.", param="reasoning_effort")
    if bot.signs:
        _check_signatures(request)


def check_tools(call: Call, request: msg.Request, bot: Bot) -> None:
    """Raise `Refused` for tools that this bot cannot call."""
    if request.tools and not bot.tools:
        message = (
            f"Model {call.model} does not support tool calling. "
            "Use a tool-capable model or remove tools from the request."
        )
        raise Refused(400, message, param="model", code="unsupported_feature_for_model")


def _check_signatures(request: msg.Request) -> None:
    """The first call of each step since the user spoke last must bear the signature it was made with."""
    steps: list[msg.Message] = []
    for turn in request.messages:
        steps = [] if turn.role == "user" else [*steps, turn]
    for turn in steps:
        calls = [part for part in turn.parts if isinstance(part, msg.ToolCall)]
        if calls and b'"thought_signature":"' not in bytes(calls[0].extra.get("extra", b"")):
            raise Refused(400, f"Function call `{calls[0].name}` is missing a thought_signature.")
