"""What clients and upstreams really say, in every dialect: what is made wrong here was right once."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dragoman.core.ports import Outbound
from dragoman.dialects import INBOUND, OUTBOUND, outbound
from dragoman.dialects.openai_media import no_reader
from tests.form import TYPE, form
from tests.golden.wirefile import Conversation, read_folder, read_translations
from tests.ollama_examples import read_examples


class Seed(Struct, frozen=True):
    """A request or an answer."""

    dialect: str
    body: bytes
    kind: str = "application/json"
    """The content type of a request."""


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
FORMS = {
    "openai_image_edits": form(model="m", prompt="A hat", image=("a.png", b"\x89PNG"), n="1", user="u"),
    "openai_image_variations": form(model="m", image=("a.png", b"\x89PNG"), size="256x256"),
    "openai_transcriptions": form(
        **{"model": "m", "file": ("a.wav", b"RIFF"), "timestamp_granularities[]": ["word", "segment"]},
        response_format="verbose_json",
        temperature="0.5",
    ),
    "openai_translations": form(model="m", file=("a.wav", b"RIFF"), response_format="text", prompt="Hm"),
    "openai_videos": form(model="m", prompt="A cat", seconds="4", input_reference=("a.png", b"\x89PNG")),
}
_TURNS = b"""[{"role":"user","content":[{"type":"text","text":"Look","cache_control":{"type":"ephemeral"}},{"type":
"image","source":{"type":"base64","media_type":"image/png","data":"%b"}},{"type":"document","title":"t","source":{"type":"text",
"media_type":"text/plain","data":"d"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":
"S"},{"type":"redacted_thinking","data":"R"},{"type":"text","text":"So"},{"type":"tool_use","id":"a","name":"f","input":
{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"r"}],
"is_error":true},{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}]}]"""
_ITEMS = b"""[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image",
"image_url":"https://a.test/i.png","detail":"low"},{"type":"input_file","file_data":"data:a","filename":"f"}]},{"type":
"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"E"},{"type":"function_call",
"call_id":"c","name":"f","arguments":"{\\"a\\":1}","namespace":"n"},{"type":"function_call_output","call_id":"c",
"output":"o"},{"type":"custom_tool_call","call_id":"d","name":"x","input":"i"},{"type":"custom_tool_call_output",
"call_id":"d","output":[{"type":"input_text","text":"o"}]},{"role":"assistant","content":[{"type":"output_text","text":
"t","annotations":[]},{"type":"refusal","refusal":"n"}]},{"type":"web_search_call","id":"w"}]"""
RICH: Mapping[str, list[bytes]] = {
    "anthropic_messages": [
        b'{"model":"m","max_tokens":99,"stream":true,"messages":%b,"system":[{"type":"text","text":"S"}],"tools":[{"name":'
        b'"f","description":"d","input_schema":{"type":"object"},"strict":true},{"type":"web_search_20250305","name":"w"}],'
        b'"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"thinking":{"type":"enabled",'
        b'"budget_tokens":1024},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}},"metadata":'
        b'{"user_id":"u"},"stop_sequences":["a"],"top_k":4,"temperature":0.5,"service_tier":"auto"}'
        % (_TURNS % PIXEL.encode())
    ],
    "anthropic_tokens": [b'{"model":"m","messages":%b,"system":"S"}' % (_TURNS % PIXEL.encode())],
    "openai_responses": [
        b'{"model":"m","input":%b,"instructions":"i","stream":true,"store":false,"tools":[{"type":"function","name":"f",'
        b'"parameters":{"type":"object","properties":{}},"strict":true},{"type":"custom","name":"x","format":{"type":'
        b'"grammar","syntax":"lark","definition":"d"}},{"type":"namespace","name":"n","description":"","tools":[{"type":'
        b'"function","name":"f"}]},{"type":"web_search"}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":'
        b'[{"type":"function","name":"f"}]},"reasoning":{"effort":"low","summary":"auto"},"text":{"format":{"type":'
        b'"json_schema","name":"s","schema":{}},"verbosity":"low"},"include":["reasoning.encrypted_content"],"metadata":'
        b'{"a":"b"},"top_logprobs":2,"truncation":"auto","user":"u","max_output_tokens":9}' % _ITEMS,
        b'{"model":"m","input":"Hi","previous_response_id":"resp_1","parallel_tool_calls":false}',
    ],
    "openai_chat": [
        b'{"model":"m","messages":[{"role":"developer","content":"d","name":"n"},{"role":"user","content":[{"type":"text",'
        b'"text":"a"},{"type":"image_url","image_url":{"url":"https://a.test","detail":"low"}},{"type":"input_audio",'
        b'"input_audio":{"data":"AAAA","format":"wav"}},{"type":"file","file":{"file_id":"f"}}]},{"role":"assistant",'
        b'"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b",'
        b'"type":"custom","custom":{"name":"x","input":"i"}}]},{"role":"tool","tool_call_id":"a","content":"r"},{"role":'
        b'"tool","tool_call_id":"b","content":[{"type":"text","text":"s"}]}],"tools":[{"type":"function","function":{"name":'
        b'"f","parameters":{}}},{"type":"custom","custom":{"name":"x"}}],"tool_choice":{"type":"function","function":{"name":'
        b'"f"}},"n":2,"stop":["a"],"logprobs":true,"top_logprobs":2,"logit_bias":{"1":2},"metadata":{"a":"b"},'
        b'"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{}}},"stream":true,"stream_options":'
        b'{"include_usage":true},"user":"u","seed":1}',
        b'{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","function_call":{"name":"f","arguments":'
        b'""}},{"role":"function","name":"f","content":"r"}],"functions":[{"name":"f"}],"function_call":"auto"}',
    ],
    "openai_completions": [
        b'{"model":"m","prompt":["a","b"],"echo":true,"n":2,"suffix":"s","stream":true,"logit_bias":{"1":2},"stop":"x"}'
    ],
    "openai_embeddings": [
        b'{"model":"m","input":["a","b"],"dimensions":3,"encoding_format":"base64","user":"u"}',
        b'{"model":"m","input":[1,2]}',
    ],
    "openai_images": [b'{"model":"m","prompt":"A hat","n":2,"size":"auto","stream":true,"partial_images":1}'],
    "openai_image_edits": [b'{"model":"m","prompt":"p","images":[{"image_url":"https://a.test"},{"file_id":"f"}]}'],
    "openai_moderations": [
        b'{"input":["a","b"]}',
        b'{"model":"m","input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]}',
    ],
    "openai_speech": [
        b'{"model":"m","input":"Hi","voice":"v","response_format":"wav","speed":1.5,"stream_format":"sse"}',
        b'{"model":"m","input":"Hi","voice":{"id":"v"}}',
    ],
    "openai_videos": [b'{"model":"m","prompt":"A cat","seconds":"4","size":"720x1280"}'],
}  # fmt: skip
"""Requests that say as much as may be."""
_EVENT = b"event: %b\ndata: %b\n\n"
_PIECE = _EVENT % (b"transcript.text.delta", b'{"type":"transcript.text.delta","delta":"a"}')
_HEARD = _EVENT % (
    b"transcript.text.done",
    b'{"type":"transcript.text.done","text":"a","usage":{"type":"tokens","input_tokens":1,"output_tokens":2}}',
)
_SHOWN = (
    b'{"type":"image_%b","b64_json":"AAAA","created_at":1,"size":"auto","quality":"auto","background":"auto",'
    b'"output_format":"png","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}'
)
_SPOKEN = b'{"type":"speech.audio.done","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}'
MEDIA_STREAMS: Mapping[str, bytes] = {
    "openai_images": _EVENT
    % (
        b"image_generation.partial_image",
        b'{"type":"image_generation.partial_image","b64_json":"AA","partial_image_index":0}',
    )
    + _EVENT % (b"image_generation.completed", _SHOWN % b"generation.completed"),
    "openai_image_edits": _EVENT % (b"image_edit.completed", _SHOWN % b"edit.completed"),
    "openai_speech_events": _EVENT % (b"speech.audio.delta", b'{"type":"speech.audio.delta","audio":"AAAA"}')
    + _EVENT % (b"speech.audio.done", _SPOKEN),
    "openai_transcriptions": _PIECE + _HEARD,
    "openai_translations": _PIECE + _PIECE + _HEARD,
}
_PICTURES = b'{"created":1,"data":[{"b64_json":"AAAA","revised_prompt":"p"},{"url":"https://a.test"}],"usage":{"input_tokens":1}}'
_VERBOSE = b'{"text":"a","language":"english","duration":1.5,"segments":[{"start":0,"end":1.5,"text":"a"}]}'
MEDIA_REPLIES: Mapping[str, bytes] = {
    "ollama_embed": b'{"model":"m","embeddings":[[0.5,1],[1e-3,0]],"total_duration":5,"prompt_eval_count":2}',
    "ollama_embeddings": b'{"embedding":[0.6,0.8]}',
    "openai_embeddings": b'{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5,1]},{"object":'
    b'"embedding","index":0,"embedding":"AACAPwAAAAA="}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}',
    "openai_images": _PICTURES,
    "openai_image_edits": _PICTURES,
    "openai_image_variations": _PICTURES,
    "openai_moderations": b'{"id":"modr-1","model":"m","results":[{"flagged":false,"categories":{}}]}',
    "openai_transcriptions": _VERBOSE,
    "openai_translations": _VERBOSE,
    "openai_transcription_text": b"1\n00:00:00,000 --> 00:00:01,500\n\xc3\xa4\n\n",
    "openai_translation_text": b"a\n",
    "openai_videos": b'{"id":"video_1","object":"video","status":"queued","model":"m","created_at":1,"progress":0}',
}
"""What an endpoint without conversations answers."""


def _is_framed(side: Outbound) -> bool:
    return bool(side.stream_type) and side.reader is not no_reader


def _ollama() -> list[Seed]:
    return [
        Seed(endpoint.replace("POST /api/", "ollama_"), example.request.data)
        for example in read_examples().values()
        if (endpoint := example.endpoint).replace("POST /api/", "ollama_") in INBOUND and example.request.data
    ]


def _ollama_replies() -> list[Seed]:
    return [
        Seed(endpoint.replace("POST /api/", "ollama_"), example.response.objects[0])
        for example in read_examples().values()
        if (endpoint := example.endpoint).replace("POST /api/", "ollama_") in OUTBOUND and example.mode == "json"
    ]


CONVERSATIONS: list[Conversation] = [
    conversation for dialect in INBOUND for conversation in (*read_folder(dialect), *read_translations(dialect))
]
FRAMED = [name for name in OUTBOUND if _is_framed(outbound(name))]
"""Dialects of upstreams whose streams are frames, or lines."""
WHOLE = [name for name in OUTBOUND if outbound(name).task != "speech"]
"""Dialects of upstreams that give plain answers."""
STREAMS = [
    *(Seed(one.upstream or one.dialect, one.answers.body) for one in CONVERSATIONS if one.streams),
    *(Seed(*stream) for stream in MEDIA_STREAMS.items()),
]
REPLIES = [
    *_ollama_replies(),
    *(Seed(one.upstream or one.dialect, one.answers.body) for one in CONVERSATIONS if not one.streams),
    *(Seed(*reply) for reply in MEDIA_REPLIES.items()),
]
ASKS = [
    *dict.fromkeys(Seed(one.dialect, one.asks) for one in CONVERSATIONS),
    *dict.fromkeys(_ollama()),
    *(Seed(dialect, body) for dialect, bodies in RICH.items() for body in bodies),
    *(Seed(dialect, body, TYPE) for dialect, body in FORMS.items()),
]
