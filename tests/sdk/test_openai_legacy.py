"""OpenAI's own Python SDK on what is older than chat: text completions, and the list of models."""

import pytest
from openai import APIError, BadRequestError, OpenAI

from tests.sdk.chat import SAY
from tests.sdk.conftest import Check

EACH = pytest.mark.parametrize("model", ["sim/instant", "lab/instant", "text/instant"])
"""In the gateway's process; through chat upstream; at an upstream that has the endpoint itself."""
PROMPT = f"Say: {SAY}"


@EACH
def test_a_completion_is_what_the_specification_says(client: OpenAI, check: Check, model: str) -> None:
    answer = client.completions.create(model=model, prompt=PROMPT)
    check("CreateCompletionResponse", answer)
    assert answer.id.startswith("cmpl-")
    assert answer.choices[0].text == SAY
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@EACH
def test_a_streamed_completion_says_the_same(client: OpenAI, check: Check, model: str) -> None:
    chunks = list(client.completions.create(model=model, prompt=PROMPT, stream=True))
    for chunk in chunks:
        check("CompletionStreamChunk", chunk)
    assert "".join(chunk.choices[0].text for chunk in chunks) == SAY
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1


@EACH
def test_the_usage_of_a_streamed_completion_comes_last(client: OpenAI, model: str) -> None:
    plain = client.completions.create(model=model, prompt=PROMPT)
    *_, last = client.completions.create(
        model=model, prompt=PROMPT, stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == []
    assert last.usage is not None
    assert plain.usage is not None
    assert last.usage.total_tokens == plain.usage.total_tokens


@EACH
def test_sixteen_tokens_are_the_default(client: OpenAI, model: str) -> None:
    answer = client.completions.create(model=model, prompt="Tell me a long story")
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 16


@EACH
@pytest.mark.parametrize("stream", [False, True])
def test_several_prompts_have_several_answers_each(client: OpenAI, model: str, stream: bool) -> None:
    prompts = ["Say: one", "Say: two", "Say: three"]
    said = [""] * 6
    if stream:
        for chunk in client.completions.create(model=model, prompt=prompts, n=2, stream=True):
            said[chunk.choices[0].index] += chunk.choices[0].text
    else:
        answer = client.completions.create(model=model, prompt=prompts, n=2)
        for choice in answer.choices:
            said[choice.index] = choice.text
    assert said == ["one", "one", "two", "two", "three", "three"]


@EACH
@pytest.mark.parametrize("stream", [False, True])
def test_an_echo_repeats_the_prompt(client: OpenAI, model: str, stream: bool) -> None:
    prompts = ["Say: one", "Say: two"]
    said = ["", ""]
    if stream:
        for chunk in client.completions.create(model=model, prompt=prompts, echo=True, stream=True):
            said[chunk.choices[0].index] += chunk.choices[0].text
    else:
        answer = client.completions.create(model=model, prompt=prompts, echo=True)
        said = [choice.text for choice in answer.choices]
    assert said == ["Say: oneone", "Say: twotwo"]


@EACH
def test_a_gap_is_filled(client: OpenAI, model: str) -> None:
    answer = client.completions.create(model=model, prompt="def add(a, b):", suffix="    return c", max_tokens=64)
    assert answer.choices[0].text


@EACH
def test_a_stop_ends_a_completion(client: OpenAI, model: str) -> None:
    assert client.completions.create(model=model, prompt=PROMPT, stop=[" fox"]).choices[0].text == "The quick brown"


@pytest.mark.parametrize(
    ("body", "param"),
    [({"prompt": [1, 2, 3]}, "prompt"), ({"logprobs": 2}, "logprobs"), ({"best_of": 3}, "best_of")],
    ids=["tokens", "logprobs", "best_of"],
)
def test_what_chat_cannot_do_is_refused_by_name(client: OpenAI, body: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.completions.create(model="lab/instant", prompt=PROMPT, extra_body=body)
    assert caught.value.param == param


@pytest.mark.parametrize("model", ["lab/cut", "text/cut", "hasty/stall"])
def test_a_completion_that_breaks_raises(client: OpenAI, model: str) -> None:
    stream = client.completions.create(model=model, prompt=PROMPT, stream=True)
    with pytest.raises(APIError):
        list(stream)


def test_the_list_of_models_names_what_can_be_asked_for(client: OpenAI, check: Check) -> None:
    page = client.models.list()
    check("ListModelsResponse", page)
    names = {model.id: model.owned_by for model in page}
    assert names["instant"] == "dragoman"
    assert names["sim/instant"] == "sim"
    assert names["listed/instant"] == "listed"  # what that upstream's own catalogue says
    assert not any("*" in name for name in names)


@pytest.mark.parametrize("name", ["instant", "sim/instant", "listed/instant", "lab/any/name/it/likes"])
def test_a_model_is_found_by_its_name(client: OpenAI, check: Check, name: str) -> None:
    model = client.models.retrieve(name)
    check("Model", model)
    assert model.id == name


def test_a_model_is_found_whether_its_slash_is_written_plain_or_not(client: OpenAI) -> None:
    for path in ("/models/sim/instant", "/models/sim%2Finstant"):
        raw = client.get(path, cast_to=object)
        assert isinstance(raw, dict)
        assert raw["id"] == "sim/instant"
