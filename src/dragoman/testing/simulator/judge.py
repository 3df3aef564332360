"""What a strict upstream refuses although it can be read. Source: OpenAI OpenAPI specification 2.3.0, 2026."""

from __future__ import annotations

from dragoman.core.errors import BadRequest
from dragoman.core.message import Request

_RANGES = (
    ("temperature", 0.0, 2.0),
    ("top_p", 0.0, 1.0),
    ("presence_penalty", -2.0, 2.0),
    ("frequency_penalty", -2.0, 2.0),
    ("max_tokens", 0, 2**31),
    ("logprobs", 0, 20),
)


def judge(request: Request) -> None:
    """Raise `BadRequest` for a setting out of its range, or the choice of a tool that is not there."""
    for name, low, high in _RANGES:
        value: float | None = getattr(request.sampling, name)
        if value is not None and not low <= value <= high:
            raise BadRequest(f"invalid '{name}': expected {low:g} to {high:g}", param=name, code="invalid_value")
    choice = request.tool_choice
    if choice is None or choice.mode == "none":
        return
    known = {tool.name for tool in request.tools}
    if choice.mode == "required" and not known:
        raise BadRequest("invalid 'tool_choice': there are no tools", param="tool_choice", code="invalid_value")
    wanted = [choice.name] if choice.mode == "named" else choice.allowed or []
    for name in wanted:
        if name not in known:
            raise BadRequest(f"invalid 'tool_choice': no tool is named '{name}'", param="tool_choice")
