"""The upstream side of Messages: what it offers, and a client's own bytes for it."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.call import Call, Words
from dragoman.core.loss import carry
from dragoman.core.ports import Limits
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.anthropic_messages.inbound import read_call
from dragoman.dialects.anthropic_messages.outbound import NOT_TAKEN, OUTBOUND, TERMS, fitted
from dragoman.dialects.anthropic_messages.schema import NAME, UNSIGNED

BODY = b'{ "model": "fast", "max_tokens": 9,  "messages": [{"role":"user","content":"Hi"}], "new": {"a" :1} }'


def call(body: bytes = BODY) -> Call:
    return read_call(body, Limits())


def test_only_the_models_name_is_exchanged() -> None:
    assert OUTBOUND.patch_request(call(), "up") == BODY.replace(b'"fast"', b'"up"')
    assert OUTBOUND.patch_request(call(), "fast") is BODY


def test_who_is_asked_is_not_the_clients_to_say() -> None:
    body = BODY.replace(b'"new"', b'"api_key":"k","base_url":"http://evil","new"')
    assert msgspec.json.decode(OUTBOUND.patch_request(call(body), "up")) == msgspec.json.decode(
        BODY.replace(b"fast", b"up")
    )


def turns(*blocks: bytes) -> bytes:
    said = b"[%b]" % b",".join(blocks)
    return BODY.replace(
        b'"content":"Hi"}]', b'"content":"Hi"},{"role":"assistant","content":%b},{"role":"user","content": "x"}]' % said
    )


OURS = b'{"type":"thinking","thinking":"hm","signature":"%b"}' % UNSIGNED.encode()
THEIRS = b'{"type":"thinking", "thinking":"hm", "signature":"U0lH"}'
TEXT = b'{"type":"text", "text":"a"}'


def test_thinking_that_nobody_has_signed_stays_here() -> None:
    mixed = call(turns(OURS, THEIRS, TEXT))
    assert OUTBOUND.patch_request(mixed, "fast") == turns(THEIRS, TEXT)
    assert mixed.losses == {}, "it was never the model's"
    assert OUTBOUND.patch_request(call(turns(THEIRS, TEXT)), "fast") == turns(THEIRS, TEXT)


def test_a_turn_that_holds_nothing_else_is_left_out() -> None:
    body = msgspec.json.decode(OUTBOUND.patch_request(call(turns(OURS)), "fast"), type=dict[str, object])
    assert body["messages"] == [{"role": "user", "content": "Hi"}, {"role": "user", "content": "x"}]


def test_our_signature_in_a_text_is_a_text() -> None:
    said = turns(b'{"type":"text","text":"%b"}' % UNSIGNED.encode())
    assert msgspec.json.decode(OUTBOUND.patch_request(call(said), "fast")) == msgspec.json.decode(said)


def test_what_a_server_does_not_take_is_left_out_and_told() -> None:
    side = fitted(Quirks(fields=frozenset({"system"}), always={"speed": Raw(b'"fast"'), "max_tokens": Raw(b"1")}))
    asked = call()
    body = msgspec.json.decode(side.patch_request(asked, "up"), type=dict[str, object])
    assert body == {
        "model": "up",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
        "speed": "fast",
    }
    assert asked.losses == {"new": NOT_TAKEN}
    assert fitted(Quirks(fields=frozenset(), parameters=frozenset({"new"}))).patch_request(call(), "fast") is BODY


def test_a_model_that_is_never_asked_for_a_stream_is_not() -> None:
    body = BODY.replace(b'"new"', b'"stream":true, "new"')
    assert fitted(Quirks(plain=True)).patch_request(call(body), "fast") == body.replace(b"true", b"false")
    assert fitted(Quirks(plain=True)).patch_request(call(), "fast") is BODY


def test_a_model_without_quirks_is_asked_as_the_dialect_is_written() -> None:
    assert fitted(NO_QUIRKS) is OUTBOUND


def test_a_model_lacks_what_its_quirks_say() -> None:
    side = fitted(Quirks(lacks={"schema": "no schemas"}, effort="", always={"max_tokens": Raw(b"99")}))
    assert side.terms.cannot == {**TERMS.cannot, "schema": "no schemas"}
    asked = msg.Request("m", [msg.Message("user", [msg.Text("Hi")])], reasoning=msg.Reasoning("low"))
    told, lost = carry(asked, "openai_chat", Words(), side.terms)
    assert (told.reasoning, list(lost)) == (msg.Reasoning(), ["effort"]), "the answer has no room for a budget"
    assert b'"max_tokens":99' in side.write_request(told, "up")


@pytest.mark.parametrize(
    "word", ["seed", "logit_bias", "logprobs", "n", "metadata", "name", "json", "audio", "video", "min_p"]
)
def test_what_messages_have_no_place_for_is_told(word: str) -> None:
    assert TERMS.cannot[word]


def test_a_mark_for_the_cache_means_the_same_to_clients_of_chat_completions() -> None:
    extra = {"cache_control": Raw(b"{}"), "service_tier": Raw(b'"auto"')}
    told, lost = carry(msg.Request("a", [], extra=extra), "openai_chat", Words(), TERMS)
    assert (list(told.extra), list(lost)) == (["cache_control"], ["service_tier"])


def test_the_dialect_offers_its_upstream_side() -> None:
    assert (OUTBOUND.name, OUTBOUND.path, OUTBOUND.id_prefix) == (NAME, b"/messages", "msg_")
    assert OUTBOUND.headers == {"anthropic-version": "2023-06-01"}
