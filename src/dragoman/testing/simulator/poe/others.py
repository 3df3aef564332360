"""Responses and Messages as Poe tells them: what it changes in the bytes. Source: recorded traffic, 2026."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode

from dragoman.testing.simulator.poe.catalogue import Bot

_USAGE = re.compile(rb'"usage":\{"input_tokens":(\d+),[^{}]*"output_tokens":(\d+)')
_CALL = re.compile(rb'(?<=[\[,])(?=\{"type":"function_call")')
_MESSAGE = b'"type":"message"'
_EMPTY = b'{"type":"message","id":"msg_empty","status":"completed","content":[{"type":"output_text","annotations":[]}],'
_NOTHING = _EMPTY + b'"role":"assistant","phase":"final_answer"},'


def response_id(bot: Bot, serial: str) -> str:
    """Return the id of a response without its ``resp_``: where it was routed, in base64."""
    routed = f"litellm:custom_llm_provider:{bot.owner.lower()};model_id:{bot.dated};response_id:{serial}"
    return urlsafe_b64encode(routed.encode()).decode().rstrip("=")


def change_response(bot: Bot, data: bytes) -> bytes:
    """Return the bytes of a response: kept nowhere, billed to somebody, its messages with their phase.

    Gemini, when it only calls tools, adds a message whose text lacks the text.
    """
    data = data.replace(b'"store":false,"background"', b'"store":false,"billing":{"payer":"developer"},"background"')
    data = data.replace(b'"role":"assistant"}', b'"role":"assistant","phase":"final_answer"}')
    return _CALL.sub(_NOTHING, data, 1) if bot.owner == "Google" and _MESSAGE not in data else data


def change_message(bot: Bot, data: bytes) -> bytes:
    """Return the bytes of a message: an id of Poe's own, and a usage with a total, which Anthropic does not tell."""
    data = data.replace(b'"id":"msg_', b'"id":"req_poe_')
    return _USAGE.sub(lambda found: found[0] + b',"total_tokens":%d' % (int(found[1]) + int(found[2])), data)
