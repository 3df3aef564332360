"""Any server that speaks OpenAI's dialect."""

import pytest

from dragoman.core.call import Clock
from dragoman.core.errors import TaskNotServed
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.net.reply import Patience
from dragoman.upstreams.openai_compatible import ENDPOINTS, Options, build, write_headers
from tests.unit.upstreams.wire import Wire, Written

CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
COMPLETION = b'{"model":"m","prompt":"Hi"}'
WHOLE = (
    b'{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)
WHOLE_TEXT = (
    b'{"id":"c-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"Hello",'
    b'"logprobs":null,"finish_reason":"stop"}]}'
)


def test_the_key_is_a_bearer_token() -> None:
    always = b"accept: application/json, text/event-stream\r\n"
    assert write_headers("") == always
    assert write_headers("sk-1") == always + b"authorization: Bearer sk-1\r\n"


@pytest.mark.parametrize(
    ("endpoints", "dialect", "body", "path", "reply"),
    [
        (("chat",), "openai_chat", CHAT, b"/chat/completions", WHOLE),
        (("chat",), "openai_completions", COMPLETION, b"/chat/completions", WHOLE),
        (("completions", "chat"), "openai_chat", CHAT, b"/chat/completions", WHOLE),
        (("completions", "chat"), "openai_completions", COMPLETION, b"/completions", WHOLE_TEXT),
        (("completions",), "openai_completions", COMPLETION, b"/completions", WHOLE_TEXT),
    ],
)
async def test_each_client_is_served_by_its_own_endpoint_or_by_chat(
    endpoints: tuple[str, ...], dialect: str, body: bytes, path: bytes, reply: bytes
) -> None:
    wire = Wire(Written([reply]))
    upstream = build("lab", wire, Clock(lambda: 0, lambda: 0), Options("k", endpoints, Patience(total=9), 3))
    answer = await upstream.ask_model("m")(inbound(dialect).read_call(body, Limits()))
    answer.close()
    (asked,) = wire.asked
    assert (asked.path, asked.headers) == (path, b"content-type: application/json\r\n" + write_headers("k"))
    assert asked.patience == Patience(first=3, total=9)
    assert upstream.name == "lab"
    assert upstream.transport is wire


async def test_an_endpoint_may_have_several_paths() -> None:
    wire = Wire(Written([b'{"data":[{"url":"https://x"}]}']))
    upstream = build("lab", wire, Clock(lambda: 0, lambda: 0), Options(endpoints=("images",)))
    call = inbound("openai_image_edits").read_call(b'{"model":"m","prompt":"a","images":[]}', Limits())
    (await upstream.ask_model("m")(call)).close()
    assert wire.asked[0].path == b"/images/edits"


async def test_an_endpoint_that_a_server_does_not_have_is_not_asked() -> None:
    upstream = build("lab", Wire(), Clock(lambda: 0, lambda: 0), Options(endpoints=("chat",)))
    with pytest.raises(TaskNotServed):
        await upstream.ask_model("m")(inbound("openai_embeddings").read_call(b'{"model":"m","input":"a"}', Limits()))


def test_every_endpoint_has_a_dialect() -> None:
    for endpoint in ENDPOINTS:
        build("lab", Wire(), Clock(lambda: 0, lambda: 0), Options(endpoints=(endpoint,)))
