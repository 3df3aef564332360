"""Any server that speaks OpenAI's dialect."""

import pytest

from dragoman.core.call import Clock
from dragoman.core.errors import TaskNotServed
from dragoman.core.ports import Limits
from dragoman.core.quirks import Quirks
from dragoman.dialects import inbound
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Wiring
from dragoman.upstreams.listing import Model
from dragoman.upstreams.openai_compatible import ACCEPT, ENDPOINTS, build
from tests.unit.upstreams.wire import Wire, Written

ALWAYS = ACCEPT + b"x-own: 1\r\n"
KEY = b"authorization: Bearer k\r\n"
CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
COMPLETION = b'{"model":"m","prompt":"Hi"}'
WHOLE = (
    b'{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)
RESPONSE = b'{"model":"m","input":"Hi"}'
WHOLE_RESPONSE = b'{"id":"resp_1","object":"response","created_at":1,"model":"m","status":"completed","output":[]}'
WHOLE_TEXT = (
    b'{"id":"c-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"Hello",'
    b'"logprobs":null,"finish_reason":"stop"}]}'
)


async def test_the_catalogue_is_read_with_the_first_key() -> None:
    wire = Wire(Written([b'{"data":[{"id":"a"}]}']))
    read = build(Wiring("lab", wire, Clock(lambda: 0, lambda: 0), Catalogue(), ["k", "l"])).read_models
    assert read is not None
    assert [model.id for model in await read()] == ["a"]
    assert (wire.asked[0].path, wire.asked[0].headers) == (b"/models", ACCEPT + KEY)


@pytest.mark.parametrize(
    ("endpoints", "dialect", "body", "path", "reply"),
    [
        (("chat",), "openai_chat", CHAT, b"/chat/completions", WHOLE),
        (("chat",), "openai_completions", COMPLETION, b"/chat/completions", WHOLE),
        (("completions", "chat"), "openai_chat", CHAT, b"/chat/completions", WHOLE),
        (("completions", "chat"), "openai_completions", COMPLETION, b"/completions", WHOLE_TEXT),
        (("completions",), "openai_completions", COMPLETION, b"/completions", WHOLE_TEXT),
        (("chat",), "openai_responses", RESPONSE, b"/chat/completions", WHOLE),
        (("responses", "chat"), "openai_responses", RESPONSE, b"/responses", WHOLE_RESPONSE),
        (("responses", "chat"), "openai_chat", CHAT, b"/chat/completions", WHOLE),
        (("responses",), "openai_chat", CHAT, b"/responses", WHOLE_RESPONSE),
    ],
)
async def test_each_client_is_served_by_its_own_endpoint_or_by_chat(
    endpoints: tuple[str, ...], dialect: str, body: bytes, path: bytes, reply: bytes
) -> None:
    wire = Wire(Written([reply]))
    wired = Wiring("lab", wire, Clock(lambda: 0, lambda: 0), Catalogue(), ["k"], b"x-own: 1\r\n", Patience(total=9), 3)
    upstream = build(wired, endpoints)
    answer = await upstream.ask_model("m")(inbound(dialect).read_call(body, Limits()))
    answer.close()
    (asked,) = wire.asked
    assert (asked.path, asked.headers) == (path, b"content-type: application/json\r\n" + ALWAYS + KEY)
    assert asked.patience == Patience(first=3, total=9)
    assert upstream.http.name == "lab"
    assert upstream.http.transport is wire


async def test_an_endpoint_may_have_several_paths() -> None:
    wire = Wire(Written([b'{"data":[{"url":"https://x"}]}']))
    upstream = build(Wiring("lab", wire, Clock(lambda: 0, lambda: 0), Catalogue()), ("images",))
    call = inbound("openai_image_edits").read_call(b'{"model":"m","prompt":"a","images":[]}', Limits())
    (await upstream.ask_model("m")(call)).close()
    assert wire.asked[0].path == b"/images/edits"


async def test_an_endpoint_that_a_server_does_not_have_is_not_asked() -> None:
    upstream = build(Wiring("lab", Wire(), Clock(lambda: 0, lambda: 0), Catalogue()))
    with pytest.raises(TaskNotServed):
        await upstream.ask_model("m")(inbound("openai_embeddings").read_call(b'{"model":"m","input":"a"}', Limits()))


def test_every_endpoint_has_a_dialect() -> None:
    for endpoint in ENDPOINTS:
        build(Wiring("lab", Wire(), Clock(lambda: 0, lambda: 0), Catalogue()), (endpoint,))


async def test_a_field_that_a_model_refuses_is_learnt_and_told_otherwise_at_once() -> None:
    refusal = b'{"error":{"message":"no","type":"invalid_request_error","param":"max_tokens","code":"%b"}}'
    wire = Wire(Written([refusal % b"unsupported_parameter"], 400), Written([WHOLE]), Written([WHOLE]))
    upstream = build(Wiring("lab", wire, Clock(lambda: 0, lambda: 0), Catalogue()))
    ask, call = upstream.ask_model("m"), inbound("openai_chat").read_call(CHAT[:-1] + b',"max_tokens":5}', Limits())
    (await ask(call)).close()
    assert [b"max_completion_tokens" in asked.body for asked in wire.asked] == [False, True]
    assert call.attempts == 2
    (await ask(inbound("openai_chat").read_call(CHAT[:-1] + b',"max_tokens":5}', Limits()))).close()
    assert b"max_completion_tokens" in wire.asked[2].body


@pytest.mark.parametrize(("dialect", "body"), [("openai_chat", CHAT), ("openai_responses", RESPONSE)])
async def test_a_model_of_responses_alone_is_asked_so_whatever_its_client_speaks(dialect: str, body: bytes) -> None:
    wire = Wire(Written([WHOLE_RESPONSE]))
    alone = Model("m", quirks=Quirks(dialects=("openai_responses",)))
    upstream = build(Wiring("lab", wire, Clock(lambda: 0, lambda: 0), Catalogue([alone])), ("chat", "responses"))
    (await upstream.ask_model("m")(inbound(dialect).read_call(body, Limits()))).close()
    assert wire.asked[0].path == b"/responses"
