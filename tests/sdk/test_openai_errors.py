"""Every way to fail, as OpenAI's own Python SDK sees it: the class it raises, and how often it asks again."""

from uuid import uuid4

import pytest
from openai import (
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
)
from openai.types.chat import ChatCompletionChunk

from tests.sdk.chat import HELLO, RIDDLE, SAY, TWO_CITIES, WEATHER, text
from tests.sdk.conftest import Check, Gateway


def test_a_wrong_key_is_an_authentication_error(client: OpenAI) -> None:
    wrong = client.with_options(api_key="dg-wrong")
    for ask in (lambda: wrong.models.list(), lambda: wrong.chat.completions.create(model="instant", messages=HELLO)):
        with pytest.raises(AuthenticationError) as caught:
            ask()
        assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")
        assert caught.value.request_id
        assert "dg-wrong" not in str(caught.value.body)


def test_a_model_that_the_key_may_not_use_is_a_permission_error(gateway: Gateway, client: OpenAI) -> None:
    guest = client.with_options(api_key=gateway.guest_key)
    with pytest.raises(PermissionDeniedError) as caught:
        guest.chat.completions.create(model="sim/instant", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_allowed", "model")
    with pytest.raises(PermissionDeniedError):
        guest.models.retrieve("sim/instant")


@pytest.mark.parametrize("model", ["nothing", "sim/nothing", "lab/error-404", "listed/nothing"])
def test_an_unknown_model_is_a_not_found_error(client: OpenAI, model: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        client.chat.completions.create(model=model, messages=HELLO)
    assert caught.value.code == "model_not_found"


def test_what_is_not_served_is_told_in_json(client: OpenAI) -> None:
    with pytest.raises(NotFoundError) as missing:
        client.fine_tuning.jobs.list()
    assert missing.value.code == "unknown_url"
    with pytest.raises(APIStatusError) as refused:
        client.models.delete("instant")
    assert (refused.value.status_code, refused.value.code) == (405, "method_not_supported")
    assert refused.value.response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "invalid_type"),
        ({"n": 1000}, "n", "invalid_value"),
        ({"temperature": 5}, "temperature", "invalid_value"),
    ],
    ids=["type", "empty", "null", "limit", "refused-upstream"],
)
@pytest.mark.parametrize("model", ["sim/instant", "lab/instant"])
def test_a_wrong_field_is_named(client: OpenAI, model: str, body: dict[str, object], param: str, code: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=HELLO, extra_body=body)
    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("model", "kind", "status", "code"),
    [
        ("lab/error-400", BadRequestError, 400, "invalid_value"),
        ("lab/error-401", InternalServerError, 502, "upstream_auth"),
        ("lab/error-402", InternalServerError, 502, "upstream_quota"),
        ("lab/error-403", InternalServerError, 502, "upstream_auth"),
        ("error-429", RateLimitError, 429, "rate_limit_exceeded"),
        ("lab/error-500", InternalServerError, 502, "upstream_error"),
        ("lab/error-503", InternalServerError, 503, "upstream_overloaded"),
        ("lab/error-html", InternalServerError, 502, "upstream_invalid"),
        ("lab/error-redirect", InternalServerError, 502, "upstream_invalid"),
        ("lab/error-inband", InternalServerError, 502, "upstream_error"),
        ("lab/reset", InternalServerError, 502, "upstream_unavailable"),
        ("gone/any", InternalServerError, 502, "upstream_unavailable"),
        ("hasty/slow", InternalServerError, 504, "upstream_timeout"),
        ("hasty/silent", InternalServerError, 504, "upstream_timeout"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failing_upstream_has_its_status(
    client: OpenAI, check: Check, model: str, kind: type[APIStatusError], status: int, code: str, stream: bool
) -> None:
    if model == "error-429":  # for a second it is not asked again
        model = "hasty/error-429" if stream else "spare/error-429"
    with pytest.raises(kind) as caught:
        client.chat.completions.create(model=model, messages=HELLO, stream=stream)
    error = caught.value
    assert (error.status_code, error.code) == (status, code)
    assert error.request_id == error.response.headers["x-request-id"]
    assert error.response.headers["x-dragoman-attempts"] == "1"
    assert (error.response.headers.get("x-should-retry") == "false") is (kind is not RateLimitError)
    assert "on purpose" not in error.response.text
    check("ErrorResponse", error.response.json())


@pytest.mark.parametrize("model", ["lab/error-500", "lab/error-503", "hasty/silent", "gone/any"])
def test_what_was_tried_here_is_not_tried_again_there(gateway: Gateway, client: OpenAI, model: str) -> None:
    asked = uuid4().hex
    with pytest.raises(InternalServerError):
        client.with_options(max_retries=3).chat.completions.create(
            model=model, messages=HELLO, extra_headers={"X-Request-Id": asked}
        )
    assert gateway.logged(asked) == 1


def test_a_rate_limit_says_when_to_come_back_and_the_client_does(gateway: Gateway, client: OpenAI) -> None:
    asked = uuid4().hex
    with pytest.raises(RateLimitError) as caught:
        client.with_options(max_retries=1).chat.completions.create(
            model="lab/error-429", messages=HELLO, extra_headers={"X-Request-Id": asked}
        )
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "1"
    assert gateway.logged(asked) == 2


def test_an_upstream_that_fails_at_first_is_asked_again(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="stubborn", messages=[{"role": "user", "content": f"Hello {uuid4().hex}"}]
    )
    assert raw.headers["x-dragoman-attempts"] == "3"
    assert raw.parse().choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("sim/cut", "upstream_incomplete"),
        ("lab/cut", "upstream_incomplete"),
        ("sim/eof", "upstream_incomplete"),
        ("lab/eof", "upstream_incomplete"),
        ("lab/malformed", "upstream_invalid"),
        ("sim/error-midstream", "upstream_error"),
        ("lab/error-midstream", "upstream_error"),
        ("lab/huge-event", "upstream_too_large"),
        ("hasty/stall", "upstream_timeout"),
    ],
)
def test_a_stream_that_breaks_raises_and_never_finishes(client: OpenAI, model: str, code: str) -> None:
    chunks = list[ChatCompletionChunk]()
    with pytest.raises(APIError) as caught:
        chunks.extend(client.chat.completions.create(model=model, messages=RIDDLE, stream=True))
    assert caught.value.code == code
    assert SAY.startswith(text(chunks))
    assert {choice.finish_reason for chunk in chunks for choice in chunk.choices} <= {None}


@pytest.mark.parametrize("model", ["no-done", "no-finish", "no-usage", "repeat-role"])
def test_what_is_only_untidy_upstream_is_whole_for_the_client(client: OpenAI, model: str) -> None:
    with client.chat.completions.stream(model=f"lab/{model}", messages=RIDDLE) as stream:
        choice = stream.get_final_completion().choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", SAY, "stop")


def test_tool_calls_without_numbers_are_told_apart(client: OpenAI) -> None:
    with client.chat.completions.stream(model="lab/tool-gaps", messages=TWO_CITIES, tools=[WEATHER]) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls or []
    assert [call.function.arguments for call in calls] == ['{"city":"Paris"}', '{"city":"Rome"}']


def test_a_client_that_has_no_patience_ends_its_call(gateway: Gateway, client: OpenAI) -> None:
    with pytest.raises(APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(model="lab/slow", messages=HELLO)
    assert gateway.settles()


@pytest.mark.parametrize("model", ["sim/stall", "lab/stall"])
def test_a_stream_that_is_closed_early_ends_its_call(gateway: Gateway, client: OpenAI, model: str) -> None:
    stream = client.chat.completions.create(model=model, messages=RIDDLE, stream=True)
    assert next(iter(stream)).choices[0].delta.role == "assistant"
    assert gateway.settles(1)
    stream.close()
    assert gateway.settles()
