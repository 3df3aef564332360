"""The wire form of text completions: complete when we write it, lenient when others do."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from dragoman.dialects.openai_completions.schema import DONE, OBJECT, TRUE, Choice, Completion, Usage
from tests.schema import mismatches

HEAD = b'{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":'


@pytest.mark.parametrize(
    ("usage", "written"),
    [
        (UNSET, b""),
        (None, b',"usage":null'),
        (Usage(1, 2, 3), b',"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'),
        (Usage(1, 2, 3, TRUE), b',"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"estimated":true}'),
    ],
)
def test_what_is_written_has_every_field_and_usage_only_when_it_is_set(
    usage: Usage | UnsetType | None, written: bytes
) -> None:
    body = msgspec.json.encode(Completion("cmpl-1", OBJECT, 1, "m", [Choice("a", 2, finish_reason="stop")], usage))
    choice = b'[{"text":"a","index":2,"logprobs":null,"finish_reason":"stop"}]'
    assert body == HEAD + choice + written + b"}"
    assert mismatches("CompletionStreamChunk", body) == []
    assert usage is None or mismatches("CreateCompletionResponse", body) == []


def test_logprobs_pass_untouched() -> None:
    body = HEAD + b'[{"text":"","index":0,"logprobs":{ "tokens" : [] },"finish_reason":null}]}'
    assert msgspec.json.encode(msgspec.json.decode(body, type=Completion)) == body


@pytest.mark.parametrize("body", [b"{}", b'{"unknown":[1],"usage":null,"choices":[]}'])
def test_nothing_is_required_of_an_upstream(body: bytes) -> None:
    completion = msgspec.json.decode(body, type=Completion)
    assert (completion.id, completion.created, completion.model, completion.choices) == ("", 0, "", [])
    assert completion.error is UNSET


def test_an_empty_choice_is_the_first_and_goes_on() -> None:
    (choice,) = msgspec.json.decode(b'{"choices":[{"text":null}]}', type=Completion).choices
    assert (choice.text, choice.index, choice.finish_reason) == (None, 0, None)
    assert bytes(choice.logprobs) == b"null"


def test_the_success_marker_is_a_frame() -> None:
    assert DONE == b"data: [DONE]\n\n"
