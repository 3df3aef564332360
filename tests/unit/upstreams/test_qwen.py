"""Qwen on DashScope."""

import msgspec
import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.ask import Answer
from dragoman.core.call import Call, Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError, RateLimited
from dragoman.core.ports import Limits
from dragoman.core.quirks import Quirks
from dragoman.dialects import inbound
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Connector, Wiring
from dragoman.upstreams.listing import Model
from dragoman.upstreams.qwen import ENDPOINTS, LORE, MODELS, build, complete
from dragoman.wire.json import read_fields
from tests.unit.upstreams.wire import SSE, Wire, Written

USAGE = (
    '"usage":{"prompt_tokens":9,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0}}'
)
HEAD = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"qwen-plus","system_fingerprint":null,'


def frame(choices: str, tokens: int) -> bytes:
    """Return a chunk as DashScope writes it: each tells what has been used so far."""
    return f'data: {HEAD}"choices":[{choices}],{USAGE % (tokens, 9 + tokens)}}}\n\n'.encode()


STREAM = b"".join(
    (
        frame(
            '{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Hm"},"finish_reason":null}', 1
        ),
        frame('{"index":0,"delta":{"content":"Hello","reasoning_content":null},"finish_reason":null}', 2),
        frame('{"index":0,"delta":{"content":""},"finish_reason":"stop"}', 3),
        frame("", 4),
        b"data: [DONE]\n\n",
    )
)
HI = '"messages":[{"role":"developer","content":"Be brief"},{"role":"user","content":"Hi"}]'


def connector(wire: Wire) -> Connector:
    catalogue = Catalogue(complete=LORE.complete, always=LORE.always)
    return build(Wiring("qwen", wire, Clock(lambda: 0, lambda: 0), catalogue, ["k"]))


def call(body: str, dialect: str = "openai_chat") -> Call:
    return inbound(dialect).read_call(body.encode(), Limits())


async def ask(wire: Wire, model: str, body: str, dialect: str = "openai_chat") -> tuple[Answer, dict[str, str], Call]:
    """Return the answer, the body that was sent (without its messages), and the call."""
    asked = call(body, dialect)
    answer = await connector(wire).ask_model(model)(asked)
    sent = read_fields(Raw(wire.asked[0].body))
    del sent["messages"]
    return answer, {name: bytes(raw).decode() for name, raw in sent.items()}, asked


def read(answer: Answer) -> list[ev.Event]:
    """Return the events of an answer that is whole."""
    assert answer.rest is None
    answer.close()
    return answer.first.events


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3-max", "qwen-turbo", "qwen3-32b", "qwq-plus"])
async def test_a_plain_answer_of_a_model_that_may_reason_is_made_of_a_stream(model: str) -> None:
    wire = Wire(Written([STREAM], headers=SSE))
    answer, sent, _ = await ask(wire, model, f'{{"model":"x","enable_thinking":true,{HI}}}')
    assert (sent["stream"], sent["stream_options"], sent["enable_thinking"]) == (
        "true",
        '{"include_usage":true}',
        "true",
    )
    assert b'"role":"system","content":"Be brief"' in wire.asked[0].body
    events = read(answer)
    assert [event.text for event in events if isinstance(event, ev.Thinking)] == ["Hm"]
    assert "".join(event.text for event in events if isinstance(event, ev.Text)) == "Hello"
    assert [event for event in events if isinstance(event, ev.Usage)] == [ev.Usage(9, 4, cached=0)]
    assert answer.first.raw is None


async def test_the_plain_answer_is_written_as_any_other() -> None:
    wire = Wire(Written([STREAM], headers=SSE))
    answer, _, asked = await ask(wire, "qwen-plus", f'{{"model":"x",{HI}}}')
    body = inbound("openai_chat").write_reply(asked, answer.first)

    class Message(msgspec.Struct):
        content: str
        reasoning_content: str

    class Choice(msgspec.Struct):
        message: Message
        finish_reason: str

    class Whole(msgspec.Struct):
        object: str
        choices: list[Choice]
        usage: dict[str, Raw]

    whole = msgspec.json.decode(body, type=Whole)
    assert whole.object == "chat.completion"
    assert whole.choices == [Choice(Message("Hello", "Hm"), "stop")]
    assert {name: bytes(whole.usage[name]) for name in ("completion_tokens", "total_tokens")} == {
        "completion_tokens": b"4",
        "total_tokens": b"13",
    }


async def test_a_model_that_never_reasons_is_asked_plainly() -> None:
    reply = b'{"id":"c","object":"chat.completion","created":1,"model":"qwen-max","choices":[{"index":0,"message":'
    reply += b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
    _, sent, asked = await ask(Wire(Written([reply])), "qwen-max", f'{{"model":"x","seed":3,{HI}}}')
    assert sent == {"model": '"qwen-max"', "seed": "3"}
    assert asked.losses == {}


@pytest.mark.parametrize(
    ("think", "model", "sent", "lost"),
    [
        ("true", "qwen-plus", {"enable_thinking": "true", "thinking_budget": "8192"}, []),
        ("false", "qwen-plus", {"enable_thinking": "false"}, []),
        ('"low"', "qwen3-32b", {"enable_thinking": "true", "thinking_budget": "2048"}, []),
        ('"low"', "qwq-plus", {}, ["think"]),
        ("false", "qwen3-next-80b-a3b-thinking", {}, ["think"]),
        ("false", "qwen-max", {}, []),
        ("true", "qwen3-coder-plus", {}, ["think"]),
    ],
)
async def test_how_much_to_think_is_told_in_its_own_words(
    think: str, model: str, sent: dict[str, str], lost: list[str]
) -> None:
    body = f'{{"model":"x","stream":true,"think":{think},"messages":[{{"role":"user","content":"Hi"}}]}}'
    _, told, asked = await ask(Wire(Written([STREAM], headers=SSE)), model, body, "ollama_chat")
    assert {name: value for name, value in told.items() if "think" in name} == sent
    assert list(asked.losses) == lost


async def test_how_to_choose_words_is_told_in_its_own_fields() -> None:
    options = '"options":{"top_k":40,"repeat_penalty":1.1,"min_p":0.1,"seed":3}'
    body = f'{{"model":"x","stream":true,{options},"messages":[{{"role":"user","content":"Hi"}}]}}'
    _, sent, asked = await ask(Wire(Written([STREAM], headers=SSE)), "qwen-plus", body, "ollama_chat")
    assert {name: sent.get(name) for name in ("top_k", "repetition_penalty", "seed", "min_p")} == {
        "top_k": "40",
        "repetition_penalty": "1.1",
        "seed": "3",
        "min_p": None,
    }
    assert list(asked.losses) == ["options.min_p"]


async def test_its_errors_are_read() -> None:
    body = b'{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded","request_id":"1-2"}'
    with pytest.raises(RateLimited) as caught:
        await ask(Wire(Written([body], 429)), "qwen-plus", f'{{"model":"x",{HI}}}')
    assert isinstance(caught.value, DragomanError)
    assert caught.value.status == 429


@pytest.mark.parametrize(
    ("name", "thinking", "streams", "switch"),
    [
        ("qwen-flash", True, True, "enable_thinking"),
        ("qwen3.5-plus", True, True, "enable_thinking"),
        ("Qwen3-235B-A22B-Thinking-2507", True, True, ""),
        ("qvq-max", True, True, ""),
        ("qwen3-30b-a3b-instruct-2507", False, False, ""),
        ("qwen-max-latest", False, False, ""),
        ("qwen-vl-ocr", None, False, ""),
        ("deepseek-v3", None, False, ""),
    ],
)
def test_there_are_three_sorts_of_models(name: str, thinking: bool | None, streams: bool, switch: str) -> None:
    model = complete(Model(name))
    assert (model.can.thinking, model.quirks.streams_only, model.quirks.switch) == (thinking, streams, switch)
    assert model.quirks.developer_role is False


def test_what_its_list_tells_counts_before_what_is_known_of_the_sort() -> None:
    model = complete(Model("qwen-plus", can=Capabilities(thinking=False, context=5), quirks=Quirks(streams_only=True)))
    assert (model.can.thinking, model.can.context, model.can.output) == (False, 5, 32_768)


async def test_its_models_are_listed_though_there_may_be_no_list() -> None:
    wire = Wire(Written([b"no"], 404), Written([b'{"data":[{"id":"qwen-plus","created":5},{"id":"qwen3-32b"}]}']))
    catalogue = Catalogue(complete=LORE.complete, always=LORE.always)
    upstream = build(Wiring("qwen", wire, Clock(lambda: 0, lambda: 0), catalogue))
    assert [model.id for model in catalogue.models()] == list(MODELS)
    assert upstream.read_models is not None
    with pytest.raises(DragomanError):
        await upstream.read_models()
    catalogue.replace(await upstream.read_models())
    assert [model.id for model in catalogue.models()] == [
        "qwen-plus",
        "qwen3-32b",
        "qwen3-max",
        "qwen-max",
        "qwen-turbo",
    ]


async def test_it_gives_vectors_too() -> None:
    vectors = b'{"object":"list","model":"e","data":[{"object":"embedding","index":0,"embedding":[0.5]}]}'
    wire = Wire(Written([vectors]))
    answer = await connector(wire).ask_model("text-embedding-v4")(
        inbound("openai_embeddings").read_call(b'{"model":"e","input":"Hi"}', Limits())
    )
    answer.close()
    assert (ENDPOINTS, wire.asked[0].path) == (("chat", "embeddings"), b"/embeddings")
