"""What of a request Messages cannot say although they have a place for it: it depends on the values.

Source: Claude platform documentation, 2026 (thinking fixes the sampling; stop sequences have to say something; thinking
in an earlier turn has to be signed; documents are PDF or plain text).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, structs

from dragoman.core import message as msg
from dragoman.core.quirks import NO_QUIRKS, Quirks

MAX_TOKENS = 4_096
"""What an answer may have when neither the client nor the model's quirks say: the field is required."""
LEAST_BUDGET = 1_024
"""Tokens; less thinking cannot be asked for, and the answer has to have more."""
HOTTEST = 1.0
_BUDGETS = {"minimal": LEAST_BUDGET, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 65_536}
"""How many tokens an effort is worth to a model that knows budgets alone."""
_TOP_P = 0.95
"""The least `top_p` that goes with thinking."""
_THINKS = "does not go with thinking"
REASONS: Mapping[str, str] = {
    "temperature": "Messages take a temperature from 0 to 1, and none beside thinking",
    "top_p": f"a top_p below {_TOP_P} {_THINKS}",
    "top_k": f"top_k {_THINKS}",
    "stop": "Messages take no stop sequence of white space alone",
    "budget": "thinking takes at least 1,024 tokens, fewer than the answer may have, and no tool that has to be called",
    "thinking": "Anthropic takes back no thinking that it has not signed",
    "file": "Messages take documents of PDF and of plain text, and no upload to another vendor",
}
"""A word of the hub → why what it stands for is left out or changed."""
_integer = msgspec.json.Decoder(int)
_PDF, _TEXT = "data:application/pdf;base64,", "data:text/"


def narrow(request: msg.Request, quirks: Quirks = NO_QUIRKS) -> tuple[msg.Request, Mapping[str, str]]:
    """Return what of a request can be said, and why the rest cannot; a model without efforts is told budgets."""
    lost: dict[str, str] = {}
    reasoning = _count_effort(request, quirks) if not quirks.effort else request.reasoning
    request = structs.replace(
        request,
        messages=[_message(message, lost) for message in request.messages],
        reasoning=_reasoning(request, reasoning, lost),
    )
    return structs.replace(request, sampling=_sampling(request, lost)), lost


def max_tokens(quirks: Quirks) -> int:
    """Return what an answer may have when the client sets no limit."""
    raw = quirks.always.get("max_tokens")
    return MAX_TOKENS if raw is None else _integer.decode(raw)


def thinks(request: msg.Request) -> bool:
    """Tell whether the model is asked to think; it does not where it is told which tool to call."""
    reasoning, choice = request.reasoning, request.tool_choice
    forced = bool(request.tools) and choice is not None and choice.mode in ("required", "named")
    asked = reasoning.budget or reasoning.effort not in (None, "none")
    return bool(asked) and not forced


def _count_effort(request: msg.Request, quirks: Quirks) -> msg.Reasoning:
    """Return an effort as a budget, which is smaller where the answer has no room for it."""
    effort, budget, most = request.reasoning.effort, request.reasoning.budget, request.sampling.max_tokens
    if effort is None or effort == "none" or budget is not None:
        return structs.replace(request.reasoning, effort="none" if effort == "none" else None)
    room = max_tokens(quirks) // 2 if most is None and "max_tokens" in quirks.always else None
    room = room if most is None else most - 1
    budget = _BUDGETS.get(effort, _BUDGETS["high"])
    return msg.Reasoning(None, budget if room is None else min(budget, room))


def _reasoning(request: msg.Request, reasoning: msg.Reasoning, lost: dict[str, str]) -> msg.Reasoning:
    """Take away a budget that is too small to be asked for, or too large for the answer."""
    budget, most = reasoning.budget, request.sampling.max_tokens
    if budget is None:
        return reasoning
    if budget == 0:
        return msg.Reasoning("none")
    if budget < LEAST_BUDGET or (most is not None and budget >= most) or not thinks(request):
        lost["effort" if request.reasoning.budget is None else "budget"] = REASONS["budget"]
        return structs.replace(reasoning, budget=None)
    return reasoning


def _sampling(request: msg.Request, lost: dict[str, str]) -> msg.Sampling:
    sampling, thinking = request.sampling, thinks(request)
    changed: dict[str, object] = {}
    heat = sampling.temperature
    if heat is not None and (heat > HOTTEST or (thinking and heat != HOTTEST)):
        changed["temperature"] = None if thinking else HOTTEST
    if thinking and sampling.top_p is not None and sampling.top_p < _TOP_P:
        changed["top_p"] = None
    if thinking and sampling.top_k is not None:
        changed["top_k"] = None
    stop = [text for text in sampling.stop if text.strip()]
    if len(stop) < len(sampling.stop):
        changed["stop"] = stop
    lost |= {name: REASONS[name] for name in changed}
    return structs.replace(sampling, **changed) if changed else sampling


def _message(message: msg.Message, lost: dict[str, str]) -> msg.Message:
    return structs.replace(message, parts=_parts(message.parts, lost))


def _parts(parts: Sequence[msg.Part], lost: dict[str, str]) -> list[msg.Part]:
    kept: list[msg.Part] = []
    for part in parts:
        match part:
            case msg.Thinking() if part.signature is UNSET:
                lost["thinking"] = REASONS["thinking"]
            case msg.File() if not _is_taken(part):
                lost["file"] = REASONS["file"]
            case msg.ToolResult():
                kept.append(structs.replace(part, content=_parts(part.content, lost)))
            case _:
                kept.append(part)
    return kept


def _is_taken(file: msg.File) -> bool:
    return file.data.startswith((_PDF, _TEXT, "https:", "http:"))
