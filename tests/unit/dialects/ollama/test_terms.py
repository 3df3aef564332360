"""What an upstream of Ollama's cannot be told."""

from __future__ import annotations

import pytest
from msgspec import Raw, structs

from dragoman.core import message as msg
from dragoman.core.call import Words
from dragoman.core.loss import carry
from dragoman.dialects.ollama.compose import compose
from dragoman.dialects.ollama.terms import CHAT_TERMS, EMBED_TERMS, SINGLE_TERMS
from dragoman.dialects.ollama.words import WORDS

ASKED = msg.Request("m", [msg.Message("user", [msg.Text("Hi")])])
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA"


def lost(request: msg.Request, dialect: str = "x") -> list[str]:
    return list(carry(request, dialect, Words(), CHAT_TERMS)[1])


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (msg.Image(PNG), []),
        (msg.Image("https://x.test/a.png"), ["image"]),
        (msg.Audio("AAAA", "wav"), ["audio"]),
        (msg.Video("data:video/mp4;base64,AAAA"), ["video"]),
        (msg.File("data:application/pdf;base64,AAAA"), ["file"]),
        (msg.Thinking("Hm"), []),
        (msg.Thinking("", "sealed", redacted=True), ["signature"]),
        (msg.ToolResult("c", [msg.Text("no")], failed=True), []),
    ],
)
def test_only_the_bytes_of_pictures_are_carried(part: msg.Part, names: list[str]) -> None:
    assert lost(msg.Request("m", [msg.Message("user", [part, msg.Text("Hi")])])) == names


def test_all_that_samples_is_carried_but_for_biases() -> None:
    sampling = msg.Sampling(0.5, 0.5, 4, 0.5, 9, ["x"], 7, 0.5, 0.5, 1.5, logprobs=2)
    assert lost(structs.replace(ASKED, sampling=sampling)) == []
    assert lost(structs.replace(ASKED, sampling=msg.Sampling(logit_bias={"1": 2}))) == ["logit_bias"]


@pytest.mark.parametrize("request_", [
    structs.replace(ASKED, n=2),
    structs.replace(ASKED, user="u"),
    structs.replace(ASKED, metadata={"a": "b"}),
    structs.replace(ASKED, parallel_tools=True),
    structs.replace(ASKED, tool_choice=msg.ToolChoice("required")),
    structs.replace(ASKED, reasoning=msg.Reasoning(budget=9)),
    structs.replace(ASKED, tools=[msg.Tool("f", strict=True)]),
    msg.Request("m", [msg.Message("user", [msg.Text("Hi")], "me")]),
])  # fmt: skip
def test_what_has_no_field_is_told(request_: msg.Request) -> None:
    assert len(lost(request_)) == 1


def test_fields_of_its_own_go_from_endpoint_to_endpoint() -> None:
    extra = {"keep_alive": Raw(b"5"), "options.num_ctx": Raw(b"9"), "truncate": Raw(b"true"), "raw": Raw(b"true")}
    request = structs.replace(ASKED, extra=extra)
    carried, losses = carry(request, "ollama_generate", WORDS, CHAT_TERMS)
    assert list(losses) == ["raw"]
    assert compose(carried, "m").startswith(b'{"keep_alive":5,"truncate":true,"options":{"num_ctx":9},')
    assert list(carry(request, "openai_chat", Words(), CHAT_TERMS)[0].extra) == ["keep_alive"]
    vectors = msg.Request("m", [], inputs=["a"], dimensions=3, extra=extra)
    assert carry(vectors, "ollama_embeddings", WORDS, EMBED_TERMS)[0].extra.keys() == extra.keys() - {"raw"}
    assert list(carry(vectors, "ollama_embed", WORDS, SINGLE_TERMS)[1]) == ["dimensions", "raw"][::-1]
