"""Qwen on DashScope, pretended: OpenAI's chat completions with deviations of its own.

Source: Alibaba Model Studio's pages on deep thinking, streaming and error codes, 2025 and 2026; error bodies that users
of compatible mode have published. Not confirmed: that it lists its models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, structs

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.call import Call, Clock
from dragoman.core.errors import DragomanError
from dragoman.dialects import inbound
from dragoman.testing.simulator import speak
from dragoman.testing.simulator.brain import think
from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.judge import judge
from dragoman.testing.simulator.models import BORN
from dragoman.testing.simulator.script import Cadence, Piece, Script, play_at_once
from dragoman.testing.simulator.tokens import count
from dragoman.wire.json import encode

_JSON = [("content-type", "application/json")]
_ERROR = re.compile(r"sim-error-([45]\d\d)")
_KEY = "Incorrect API key provided. For details, see: https://help.aliyun.com/zh/model-studio/error-code#apikey-error"
_DONE = b"data: [DONE]\n\n"
_NATIVE = {400: "InvalidParameter", 401: "InvalidApiKey", 403: "AccessDenied", 404: "ModelNotFound", 429: "Throttling"}


class Qwen(Struct, frozen=True):
    """One model."""

    id: str
    output: int
    """Most tokens that may be asked for."""
    thinks: bool = True
    """Whether it thinks when told to."""
    object: str = "model"
    created: int = BORN
    owned_by: str = "system"


MODELS = {
    model.id: model
    for model in (
        Qwen("qwen3-max", 65_536),
        Qwen("qwen-max", 8_192, thinks=False),
        Qwen("qwen-plus", 32_768),
        Qwen("qwen-turbo", 16_384),
    )
}


class _Listed(Struct):
    id: str
    object: str
    created: int
    owned_by: str


class _List(Struct):
    data: list[_Listed]
    object: str = "list"


class _Error(Struct):
    code: str
    message: str
    param: str | None = None
    type: str = "invalid_request_error"


class _Compatible(Struct):
    error: _Error
    id: str
    request_id: str


class _Native(Struct):
    code: str
    message: str
    request_id: str


class _Wishes(Struct):
    enable_thinking: bool = False
    thinking_budget: int | None = None


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, int]
    completion_tokens_details: dict[str, int] | UnsetType = UNSET


class _Refused(Exception):
    """A request that is refused, in OpenAI's envelope."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class QwenFace:
    """DashScope in compatible mode."""

    def __init__(self, seed: int, now: Callable[[], int], cadence: Cadence) -> None:
        """`now` gives the Unix time, `cadence` is how fast all models speak."""
        self._seed = seed
        self._now = now
        self._cadence = cadence

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request for what `path` names below ``compatible-mode/v1/``."""
        serial, path = _serial(self._seed, body), path.partition("?")[0]
        try:
            _check_key(headers)
            if (method, path) == ("GET", "models"):
                listed = [_Listed(model.id, model.object, model.created, model.owned_by) for model in MODELS.values()]
                return play_at_once(200, _JSON, encode(_List(listed)))
            if (method, path) != ("POST", "chat/completions"):
                return play_at_once(404, _JSON, b"")
            return self._ask(headers, body, serial)
        except _Refused as error:
            told = _Compatible(_Error(error.code, str(error)), f"chatcmpl-{serial}", serial)
            return play_at_once(error.status, _JSON, encode(told))
        except DragomanError as error:
            told = _Compatible(_Error("invalid_parameter_error", error.message), f"chatcmpl-{serial}", serial)
            return play_at_once(error.status, _JSON, encode(told))

    def _ask(self, headers: Mapping[str, str], body: bytes, serial: str) -> Script:
        side = inbound("openai_chat")
        call = speak.read_call(side, headers, body)
        if found := _ERROR.fullmatch(call.model):
            status = int(found[1])
            native = _Native(_NATIVE.get(status, "InternalError"), "This model fails on purpose.", serial)
            return play_at_once(status, _JSON, encode(native))
        model = _find(call.model)
        call.id = call.serial = serial
        call.clock = Clock(float, self._now)
        request = call.request
        judge(request)
        wishes = _read_wishes(request)
        _check(call, request, model, wishes)
        events = think(_as_thinker(request, model, wishes), self._seed)
        events[0] = ev.Start(f"chatcmpl-{serial}", call.model, self._now())
        pieces = speak.write_pieces(side, call, events, self._cadence)
        if call.stream:
            pieces = _count_on(pieces, events) if call.show_usage else pieces
        return Script(200, speak.write_headers(side, call), [(delay, _change(data)) for delay, data in pieces])


def _serial(seed: int, body: bytes) -> str:
    """Return a request id, which looks like a UUID."""
    text = digest(seed, body).hex() + digest(seed, b"id", body).hex()[:8]
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def _check_key(headers: Mapping[str, str]) -> None:
    key = headers.get("authorization", "").removeprefix("Bearer ")
    if not key or key.startswith("bad"):
        raise _Refused(401, "invalid_api_key", _KEY)


def _find(name: str) -> Qwen:
    if name not in MODELS:
        message = f"The model `{name}` does not exist or you do not have access to it."
        raise _Refused(404, "model_not_found", message)
    return MODELS[name]


def _read_wishes(request: msg.Request) -> _Wishes:
    try:
        return msgspec.json.decode(encode(request.extra), type=_Wishes)
    except msgspec.ValidationError as error:
        raise _Refused(400, "invalid_parameter_error", str(error)) from None


def _check(call: Call, request: msg.Request, model: Qwen, wishes: _Wishes) -> None:
    wanted = request.sampling.max_tokens
    if wanted is not None and not 1 <= wanted <= model.output:
        message = f"<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, {model.output}]"
        raise _Refused(400, "invalid_parameter_error", message)
    if wishes.enable_thinking and model.thinks and not call.stream:
        message = "parameter.enable_thinking must be set to false for non-streaming calls"
        raise _Refused(400, "invalid_parameter_error", message)


def _as_thinker(request: msg.Request, model: Qwen, wishes: _Wishes) -> msg.Request:
    thinks = wishes.enable_thinking and model.thinks
    reasoning = msg.Reasoning(budget=wishes.thinking_budget)
    return structs.replace(request, model="reasoning" if thinks else "instant", reasoning=reasoning)


def _change(data: bytes) -> bytes:
    """Put frames into DashScope's words: no refusals and annotations, but a fingerprint that is null."""
    for absent in (b',"refusal":null', b',"annotations":[]'):
        data = data.replace(absent, b"")
    data = data.replace(b'"delta":{"reasoning_content"', b'"delta":{"content":null,"reasoning_content"')
    return re.sub(rb'("created":\d+,)', rb'\1"system_fingerprint":null,', data)


def _count_on(pieces: list[Piece], events: list[ev.Event]) -> list[Piece]:
    """Tell in every chunk what has been used so far; the chunk after the finish, without choices, tells it all."""
    usage = next((event for event in events if isinstance(event, ev.Usage)), ev.Usage(0, 0))
    so_far, thought = 0, 0
    counted: list[Piece] = []
    spoken = iter([event for event in events if not isinstance(event, ev.Start | ev.Usage)])
    for delay, data in pieces:
        event = next(spoken, None) if data != _DONE else None
        if isinstance(event, ev.Text | ev.Thinking):
            so_far += count(event.text)
            thought += count(event.text) * isinstance(event, ev.Thinking)
        elif isinstance(event, ev.ToolDelta):
            so_far += count(event.arguments) + count(event.name or "")
        told = encode(_write_usage(usage.prompt, so_far, thought))
        counted.append((delay, data.replace(b'"usage":null', b'"usage":' + told)))
    return counted


def _write_usage(prompt: int, completion: int, thought: int) -> Raw:
    details = {"reasoning_tokens": thought} if thought else UNSET
    return Raw(encode(_Usage(prompt, completion, prompt + completion, {"cached_tokens": 0}, details)))
