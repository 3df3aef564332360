"""What is asked and answered in every dialect: each scenario once, as the hub means it."""

from __future__ import annotations

from msgspec import Raw, Struct

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.errors import DragomanError, RateLimited, UpstreamError

MODEL = "m"
UPSTREAM = "up"
"""What the upstream calls it."""
START = ev.Start("answer-1", "m-1", 1_763_683_200)
STOP = ev.Finish("stop")
USAGE = ev.Usage(20, 8)
SCHEMA = Raw(
    b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}'
)
WEATHER = msg.Tool("weather", "Tells the weather.", SCHEMA)
CLOCK = msg.Tool("clock", "Tells the time.", Raw(b'{"type":"object","properties":{}}'))
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5Erk"
    "Jggg=="
)
ODD = "\u2028\u2029\x85 \U0001f9ed\U0001f468\u200d\U0001f469\u200d\U0001f467 \u00e9e\u0301 \\u0041 \"'<think>\t\x7f"


class Scenario(Struct, frozen=True):
    """One conversation."""

    request: msg.Request
    events: list[ev.Event] = []
    error: DragomanError | None = None
    """What the upstream says instead of an answer, or, after `events`, in the middle of one."""


def _asked(*messages: msg.Message, tools: list[msg.Tool] | None = None) -> msg.Request:
    limit = msg.Sampling(max_tokens=500)
    return msg.Request(MODEL, list(messages) or [_user("Hello?")], tools=tools or [], sampling=limit)


def _user(*parts: msg.Part | str) -> msg.Message:
    return msg.Message("user", [msg.Text(part) if isinstance(part, str) else part for part in parts])


def _says(*events: ev.Event, finish: ev.FinishReason = "stop", usage: ev.Usage = USAGE) -> list[ev.Event]:
    return [START, *events, ev.Finish(finish), usage]


def _replace(request: msg.Request, sampling: msg.Sampling) -> msg.Request:
    return msg.Request(request.model, request.messages, sampling=sampling)


_HELLO = _says(ev.Text("Hel"), ev.Text("lo, "), ev.Text("world."))
_CALL = [ev.ToolDelta(0, "", "call_a", "weather"), ev.ToolDelta(0, '{"city":'), ev.ToolDelta(0, '"Oslo"}')]
_OTHER = [ev.ToolDelta(1, '{"city":', "call_b", "weather"), ev.ToolDelta(1, '"Rome"}')]
_JSON = _says(ev.Text('{"city":'), ev.Text('"Oslo"}'))
_CALLED = msg.Message(
    "assistant",
    [
        msg.Text("I look."),
        msg.ToolCall("call_a", "weather", '{"city":"Oslo"}'),
        msg.ToolCall("call_b", "clock", "{}"),
    ],
)

SCENARIOS: dict[str, Scenario] = {
    "text": Scenario(_asked(), _HELLO),
    "system": Scenario(_asked(msg.Message("system", [msg.Text("Be kind.")]), _user("Hello?")), _HELLO),
    "turns": Scenario(_asked(_user("One"), msg.Message("assistant", [msg.Text("Two")]), _user("Three")), _HELLO),
    "sampling": Scenario(_replace(_asked(), msg.Sampling(0.5, 0.25, max_tokens=500)), _HELLO),
    "top_k": Scenario(_replace(_asked(), msg.Sampling(top_k=4, max_tokens=500)), _HELLO),
    "rare_sampling": Scenario(
        _replace(
            _asked(),
            msg.Sampling(
                min_p=0.5,
                max_tokens=500,
                seed=7,
                presence_penalty=0.5,
                frequency_penalty=0.25,
                repeat_penalty=1.5,
            ),
        ),
        _HELLO,
    ),
    "stop": Scenario(_replace(_asked(), msg.Sampling(max_tokens=500, stop=["END", "\n\n"])), _HELLO),
    "length": Scenario(_replace(_asked(), msg.Sampling(max_tokens=20)), _says(ev.Text("Hel"), finish="length")),
    "tool_call": Scenario(_asked(tools=[WEATHER, CLOCK]), _says(*_CALL, finish="tool_calls")),
    "text_and_tool_call": Scenario(_asked(tools=[WEATHER]), _says(ev.Text("I look."), *_CALL, finish="tool_calls")),
    "parallel_tool_calls": Scenario(_asked(tools=[WEATHER]), _says(*_CALL, *_OTHER, finish="tool_calls")),
    "tool_without_arguments": Scenario(
        _asked(tools=[CLOCK]), _says(ev.ToolDelta(0, "{}", "call_a", "clock"), finish="tool_calls")
    ),
    "tool_results": Scenario(
        _asked(
            _user("Weather and time?"),
            _CALLED,
            msg.Message("tool", [msg.ToolResult("call_a", [msg.Text("rain")])]),
            msg.Message("tool", [msg.ToolResult("call_b", [msg.Text("noon")])]),
            tools=[WEATHER, CLOCK],
        ),
        _HELLO,
    ),
    "failed_tool": Scenario(
        _asked(
            _user("Weather?"),
            msg.Message("assistant", [msg.ToolCall("call_a", "weather", '{"city":"Oslo"}')]),
            msg.Message("tool", [msg.ToolResult("call_a", [msg.Text("no such city")], failed=True)]),
            tools=[WEATHER],
        ),
        _HELLO,
    ),
    "tool_choice": Scenario(
        msg.Request(
            MODEL,
            [_user("Weather?")],
            tools=[WEATHER, CLOCK],
            tool_choice=msg.ToolChoice("named", "weather"),
            parallel_tools=False,
            sampling=msg.Sampling(max_tokens=500),
        ),
        _says(*_CALL, finish="tool_calls"),
    ),
    "structured_output": Scenario(
        msg.Request(
            MODEL,
            [_user("Where?")],
            sampling=msg.Sampling(max_tokens=500),
            format=msg.Format("schema", "response", "", SCHEMA),
        ),
        _JSON,
    ),
    "json": Scenario(
        msg.Request(MODEL, [_user("JSON: where?")], sampling=msg.Sampling(max_tokens=500), format=msg.Format("json")),
        _JSON,
    ),
    "thinking": Scenario(
        msg.Request(MODEL, [_user("Why?")], sampling=msg.Sampling(max_tokens=9000), reasoning=msg.Reasoning("low")),
        _says(ev.Thinking("It is "), ev.Thinking("so."), ev.Text("Because."), usage=ev.Usage(20, 8, 0, 5)),
    ),
    "image": Scenario(_asked(_user("What is this?", msg.Image(PIXEL))), _HELLO),
    "refusal": Scenario(_asked(), _says(ev.Refusal("I will "), ev.Refusal("not."))),
    "filtered": Scenario(_asked(), _says(ev.Text("Hel"), finish="content_filter")),
    "cached": Scenario(_asked(), _says(ev.Text("Hello"), usage=ev.Usage(20, 8, 12))),
    "unicode": Scenario(_asked(_user(ODD)), _says(ev.Text(ODD), ev.Text(ODD))),
    "two_choices": Scenario(
        msg.Request(MODEL, [_user("Hello?")], sampling=msg.Sampling(max_tokens=500), n=2),
        [START, ev.Text("One"), ev.Text("Two", 1), ev.Text("!"), STOP, ev.Finish("length", 1), USAGE],
    ),
    "error_before": Scenario(_asked(), error=RateLimited("upstream.internal says no")),
    "error_inside": Scenario(_asked(), [START, ev.Text("Hel")], UpstreamError("upstream.internal broke")),
}
