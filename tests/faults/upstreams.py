"""How an upstream of each chat dialect answers, well and badly: written from its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.faults.hostile import DONE, JSON, ROLE, RUMOUR, SECRET, SSE, Script, event, response, stream
from tests.faults.test_upstream_faults import AUTH, FAILED, LIMITED, OVERLOADED, Wanted, rejected

NDJSON = b"content-type: application/x-ndjson\r\n"
COUNT = b"4711"
"""The tokens that every good answer says it took."""
_RUMOUR = RUMOUR.encode()


QUOTA = AUTH._replace(code="upstream_quota")
IDLE = Wanted(504, "timeout_error", "upstream_timeout", 2, "idle_timeout")


class Upstream(NamedTuple):
    """What an upstream of one dialect says, as bytes of a body."""

    config: str
    """The lines that say what it is and where, with ``{port}``."""
    clients: tuple[str, ...]
    """The dialects of the clients that ask it: its own where it has one, and a foreign one."""
    path: str
    """Where it is asked."""
    stream_type: bytes
    whole: bytes
    """A plain answer that says Hello; nothing where all answers are streams."""
    frame: Callable[[bytes], bytes]
    """Makes one event of a JSON object."""
    begin: bytes
    """How a stream begins: it says nothing yet."""
    said: bytes
    """The object that says something: ``%b``."""
    finish: bytes
    """The completion signal, usage, and what ends the stream."""
    ping: bytes
    """What may come at any time and says nothing."""
    wrong: bytes
    """An object whose fields have wrong types."""
    error: bytes
    """The body of an error."""
    errors: Mapping[str, tuple[bytes, Wanted]]
    """Events that tell of an error, and what they mean before anything was said."""
    whole_errors: Mapping[str, tuple[bytes, Wanted]]
    """The same as a body with status 200."""
    numbered: bytes = b""
    """Events that call a tool by a number: ``%b``."""

    @property
    def streams_only(self) -> bool:
        """Whether it never gives a plain answer."""
        return not self.whole

    def say(self, words: bytes) -> bytes:
        """Return the event that says `words`, which are the inside of a JSON string."""
        return self.frame(self.said.replace(b"%b", words))

    def stream(self, *frames: bytes) -> bytes:
        """Return a response with these events."""
        return stream(*frames, headers=self.stream_type)

    def fault(self, status: bytes, headers: bytes = b"") -> Script:
        """Return an error, with a message nobody may see."""
        return Script((response(self.error, JSON + headers, status),))

    def good(self, *, streamed: bool) -> Script:
        """Return an answer that says Hello."""
        if self.whole and not streamed:
            return Script((response(self.whole),))
        return Script((self.stream(self.begin, self.say(b"Hello"), self.finish),))


def _data(payload: bytes) -> bytes:
    return b"data: %b\n\n" % payload


def _named(payload: bytes) -> bytes:
    name = payload.partition(b'"type":"')[2].partition(b'"')[0]
    return b"event: %b\ndata: %b\n\n" % (name, payload)


def _line(payload: bytes) -> bytes:
    return payload + b"\n"


def _text(payload: bytes) -> bytes:
    return b"event: text\ndata: %b\n\n" % payload


def _event(name: bytes, payload: bytes = b"{}") -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, payload)


_MESSAGE = b"%b, key %b" % (_RUMOUR, SECRET.encode())
_ERROR = b'{"error":{"message":"%b","type":"x","param":null,"code":null}}' % _MESSAGE
_CODED = b'{"error":{"message":"' + _RUMOUR + b'","code":%b}}'
_OPENAI_ERRORS = {
    "failed": (_CODED % b"null", FAILED),
    "overloaded": (_CODED % b"503", OVERLOADED),
    "limited": (_CODED % b'"429"', LIMITED),
    "refused": (_CODED % b"401", AUTH),
    "rejected": (_CODED % b"400", rejected(400)),
}
_TOLD = b'{"type":"error","error":{"type":"%b","message":"' + _RUMOUR + b'"}}'
_ANTHROPIC_ERRORS = {
    "failed": (_TOLD % b"api_error", FAILED),
    "overloaded": (_TOLD % b"overloaded_error", OVERLOADED),
    "limited": (_TOLD % b"rate_limit_error", LIMITED),
    "refused": (_TOLD % b"authentication_error", AUTH),
    "spent": (_TOLD % b"billing_error", QUOTA),
    "rejected": (_TOLD % b"invalid_request_error", rejected(400)),
}
_OLLAMA_ERRORS = {"failed": (b'{"error":"%b"}' % _MESSAGE, FAILED)}
_BOT_ERROR = b'{"allow_retry":%b,"text":"' + _RUMOUR + b'","error_type":%b}'
_BOT_ERRORS = {
    "failed": (_event(b"error", _BOT_ERROR % (b"true", b"null")), FAILED),
    "for_good": (_event(b"error", _BOT_ERROR % (b"false", b"null")), FAILED._replace(asked=1)),
    "too_long": (
        _event(b"error", _BOT_ERROR % (b"false", b'"user_message_too_long"')),
        rejected(413)._replace(code="context_length_exceeded"),
    ),
    "spent": (_event(b"error", _BOT_ERROR % (b"false", b'"insufficient_fund"')), QUOTA),
    "rejected": (
        _event(b"error", _BOT_ERROR % (b"false", b'"user_caused_error"')),
        rejected(400)._replace(code="user_caused_error"),
    ),
    "forbidden": (_event(b"error", _BOT_ERROR % (b"false", b'"privacy_authorization_error"')), AUTH),
    "in_a_chunk": (_event(b"json", _CODED % b"null"), FAILED),
}


def _frames(
    frame: Callable[[bytes], bytes], errors: Mapping[str, tuple[bytes, Wanted]]
) -> Mapping[str, tuple[bytes, Wanted]]:
    return {name: (frame(payload), wanted) for name, (payload, wanted) in errors.items()}


def _strip(frame: bytes) -> bytes:
    return frame.removeprefix(b"data: ").strip()


_OPENAI = 'kind = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
_OLLAMA = 'kind = "ollama"\nbase_url = "http://127.0.0.1:{port}"\n'
_CALLED = '{"tool_calls":[{"index":%b,"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}'
_CHUNK = b'{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[%b]%b}'
_CHOICE = b'{"index":0,"text":"%b","logprobs":null,"finish_reason":%b}'
_USED = b',"usage":{"prompt_tokens":3,"completion_tokens":4711,"total_tokens":4714}'
_LINE = b'{"model":"m","created_at":"2026-11-21T10:00:00.5Z",%b,"done":%b%b}'
_LAST = b',"done_reason":"stop","total_duration":9,"prompt_eval_count":3,"eval_count":4711'
_TURN = b'"message":{"role":"assistant","content":"%b"}'
_BLOCK = b'{"type":"content_block_start","index":%b,"content_block":%b}'
_MESSAGE_START = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[%b],"stop_reason":%b,'
    b'"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":%b}}'
)
_RESPONSE = (
    b'{"id":"resp_1","object":"response","created_at":1,"model":"m","status":"%b","error":null,'
    b'"incomplete_details":null,"output":[%b],"usage":{"input_tokens":3,"output_tokens":%b,"total_tokens":4714}}'
)
_BEGUN = _RESPONSE % (b"in_progress", b"", b"0")
_ITEM = b'{"type":"message","id":"msg_1","role":"assistant","status":"%b","content":[%b]}'
_PART = b'{"type":"output_text","text":"%b","annotations":[],"logprobs":[]}'
_ADDED = b'{"type":"response.output_item.added","sequence_number":1,"output_index":%b,"item":%b}'
_FAILED = _RESPONSE.replace(b'"error":null', b'"error":{"code":"%b","message":"' + _RUMOUR + b'"}') % (
    b"failed",
    b"%b",
    b"",
    b"0",
)
_RESPONSES_ERRORS = {
    "failed": (b'{"type":"response.failed","sequence_number":4,"response":%b}' % (_FAILED % b"server_error"), FAILED),
    "limited": (
        b'{"type":"response.failed","sequence_number":4,"response":%b}' % (_FAILED % b"rate_limit_exceeded"),
        LIMITED,
    ),
    "error": (b'{"type":"error","sequence_number":4,"code":null,"message":"%b","param":null}' % _RUMOUR, FAILED),
    "busy": (
        b'{"type":"error","sequence_number":4,"code":"server_is_overloaded","message":"%b","param":null}' % _RUMOUR,
        OVERLOADED,
    ),
}

UPSTREAMS: Mapping[str, Upstream] = {
    "openai_chat": Upstream(
        config=_OPENAI,
        clients=("openai_chat", "anthropic_messages"),
        path="/v1/chat/completions",
        stream_type=SSE,
        whole=b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":"stop"}]' + _USED + b"}",
        frame=_data,
        begin=ROLE,
        said=_strip(event('{"content":"%b"}')),
        finish=event("{}", '"stop"')
        + b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]'
        + _USED
        + b"}\n\n"
        + DONE,
        ping=b": ping\n\n",
        wrong=b'{"choices":7}',
        error=_ERROR,
        errors=_frames(_data, _OPENAI_ERRORS),
        whole_errors=_OPENAI_ERRORS,
        numbered=event(_CALLED),
    ),
    "openai_completions": Upstream(
        config=_OPENAI + 'endpoints = ["completions"]\n',
        clients=("openai_completions",),
        path="/v1/completions",
        stream_type=SSE,
        whole=_CHUNK % (_CHOICE % (b"Hello", b'"stop"'), _USED),
        frame=_data,
        begin=_data(_CHUNK % (_CHOICE % (b"", b"null"), b"")),
        said=_CHUNK % (_CHOICE % (b"%b", b"null"), b""),
        finish=_data(_CHUNK % (_CHOICE % (b"", b'"stop"'), b"")) + _data(_CHUNK % (b"", _USED)) + DONE,
        ping=b": ping\n\n",
        wrong=b'{"choices":7}',
        error=_ERROR,
        errors=_frames(_data, _OPENAI_ERRORS),
        whole_errors=_OPENAI_ERRORS,
    ),
    "openai_responses": Upstream(
        config=_OPENAI + 'endpoints = ["responses"]\n',
        clients=("openai_responses", "ollama_chat"),
        path="/v1/responses",
        stream_type=SSE,
        whole=_RESPONSE % (b"completed", _ITEM % (b"completed", _PART % b"Hello"), COUNT),
        frame=_named,
        begin=_named(b'{"type":"response.created","sequence_number":0,"response":%b}' % _BEGUN)
        + _named(_ADDED % (b"0", _ITEM % (b"in_progress", b"")))
        + _named(
            b'{"type":"response.content_part.added","sequence_number":2,"item_id":"msg_1","output_index":0,'
            b'"content_index":0,"part":%b}' % (_PART % b"")
        ),
        said=b'{"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1","output_index":0,'
        b'"content_index":0,"delta":"%b","logprobs":[]}',
        finish=_named(
            b'{"type":"response.completed","sequence_number":9,"response":%b}'
            % (_RESPONSE % (b"completed", _ITEM % (b"completed", _PART % b"Hello"), COUNT))
        ),
        ping=b": ping\n\n",
        wrong=b'{"type":"response.output_text.delta","delta":7}',
        error=_ERROR,
        errors=_frames(_named, _RESPONSES_ERRORS),
        whole_errors={
            "failed": (_FAILED % b"server_error", FAILED),
            "limited": (_FAILED % b"rate_limit_exceeded", LIMITED),
            "error": (_CODED % b"null", FAILED),
        },
        numbered=_named(
            _ADDED
            % (
                b"%b",
                b'{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f",'
                b'"arguments":"{}","status":"completed"}',
            )
        ),
    ),
    "anthropic_messages": Upstream(
        config='kind = "anthropic"\nbase_url = "http://127.0.0.1:{port}/v1"\n',
        clients=("anthropic_messages", "openai_chat"),
        path="/v1/messages",
        stream_type=SSE,
        whole=_MESSAGE_START % (b'{"type":"text","text":"Hello"}', b'"end_turn"', COUNT),
        frame=_named,
        begin=_named(b'{"type":"message_start","message":%b}' % (_MESSAGE_START % (b"", b"null", b"1")))
        + _named(_BLOCK % (b"0", b'{"type":"text","text":""}')),
        said=b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%b"}}',
        finish=_named(b'{"type":"content_block_stop","index":0}')
        + _named(
            b'{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
            b'"usage":{"output_tokens":4711}}'
        )
        + _named(b'{"type":"message_stop"}'),
        ping=_event(b"ping", b'{"type":"ping"}'),
        wrong=b'{"type":"content_block_delta","index":0,"delta":7}',
        error=b'{"type":"error","error":{"type":"x","message":"%b"},"request_id":"req_1"}' % _MESSAGE,
        errors=_frames(_named, _ANTHROPIC_ERRORS),
        whole_errors=_ANTHROPIC_ERRORS,
        numbered=_named(_BLOCK % (b"%b", b'{"type":"tool_use","id":"toolu_1","name":"f","input":{}}'))
        + _named(b'{"type":"content_block_stop","index":%b}'),
    ),
    "ollama_chat": Upstream(
        config=_OLLAMA,
        clients=("ollama_chat", "openai_chat"),
        path="/api/chat",
        stream_type=NDJSON,
        whole=_LINE % (_TURN % b"Hello", b"true", _LAST),
        frame=_line,
        begin=_line(_LINE % (_TURN % b"", b"false", b"")),
        said=_LINE % (_TURN % b"%b", b"false", b""),
        finish=_line(_LINE % (_TURN % b"", b"true", _LAST)),
        ping=b"\n",
        wrong=b'{"done":7}',
        error=b'{"error":"%b"}' % _MESSAGE,
        errors=_frames(_line, _OLLAMA_ERRORS),
        whole_errors=_OLLAMA_ERRORS,
    ),
    "ollama_generate": Upstream(
        config=_OLLAMA,
        clients=("ollama_generate",),
        path="/api/generate",
        stream_type=NDJSON,
        whole=_LINE % (b'"response":"Hello"', b"true", _LAST),
        frame=_line,
        begin=_line(_LINE % (b'"response":""', b"false", b"")),
        said=_LINE % (b'"response":"%b"', b"false", b""),
        finish=_line(_LINE % (b'"response":""', b"true", _LAST)),
        ping=b"\n",
        wrong=b'{"done":7}',
        error=b'{"error":"%b"}' % _MESSAGE,
        errors=_frames(_line, _OLLAMA_ERRORS),
        whole_errors=_OLLAMA_ERRORS,
    ),
    "poe_bot": Upstream(
        config='kind = "poe_bot"\nbase_url = "http://127.0.0.1:{port}/bot"\n'
        'upload_url = "http://127.0.0.1:{port}/poe_api"\n',
        clients=("openai_chat", "anthropic_messages"),
        path="/bot/m",
        stream_type=SSE,
        whole=b"",
        frame=_text,
        begin=_event(b"meta", b'{"content_type":"text/markdown","suggested_replies":false}'),
        said=b'{"text":"%b"}',
        finish=_event(b"json", b'{"choices":[]' + _USED + b"}") + _event(b"done"),
        ping=_event(b"ping"),
        wrong=b'{"text":7}',
        error=_ERROR,
        errors=_BOT_ERRORS,
        whole_errors={"failed": (_CODED % b"null", FAILED)},
        numbered=_event(b"json", b'{"choices":[{"index":0,"delta":%b,"finish_reason":null}]}' % _CALLED.encode()),
    ),
}
