"""Poe as it is asked: which endpoint, which protocol, which fields, and what its refusals mean."""

import msgspec
import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    TaskNotServed,
    UpstreamAuth,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
)
from dragoman.core.events import Text, Thinking
from dragoman.core.ports import Limits
from dragoman.core.quirks import Quirks
from dragoman.dialects import inbound
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Connector, Wiring
from dragoman.upstreams.listing import Model
from dragoman.upstreams.poe.catalogue import CHAT, CORE, complete
from dragoman.upstreams.poe.rest import STRICT, build, know_bots
from tests.unit.upstreams.wire import JSON, Wire, Written

HI = '"messages":[{"role":"user","content":"Hi"}]'
TOOLS = '"tools":[{"type":"function","function":{"name":"f"}}]'
WHOLE = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)
MESSAGE = (
    b'{"id":"req_poe_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello"}],'
    b'"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}'
)
NO_TOOLS = (
    b'{"error":{"message":"Model X does not support tool calling.","type":"invalid_request_error","param":"model",'
    b'"code":"unsupported_feature_for_model"}}'
)
QUIRKS = Quirks(dialects=(CHAT,), developer_role=False, fields=CORE, effort="", repeats_reasoning=True)
LISTED = [
    Model("gpt", quirks=msgspec.structs.replace(QUIRKS, parameters=frozenset({"voice"}))),
    Model("claude", quirks=msgspec.structs.replace(QUIRKS, dialects=("anthropic_messages", CHAT))),
    Model("picture", can=Capabilities(gives=frozenset({"image"})), quirks=msgspec.structs.replace(QUIRKS, plain=True)),
]
AS_BOT = Answer(Burst([Text("a bot")]), None, lambda: None)


def poe(wire: Wire, catalogue: Catalogue | None = None, *, bots: bool = False, strict: bool = True) -> Connector:
    known = Catalogue(LISTED, complete=complete) if catalogue is None else catalogue
    wiring = Wiring("poe", wire, Clock(lambda: 0, lambda: 0), known, ["k"], b"x-own: 1\r\n")

    async def answer(call: Call) -> Answer:
        return AS_BOT

    rest = build(wiring, strict=strict)
    return build(wiring, strict=strict, bot=Connector(rest.http, lambda model: answer)) if bots else rest


def call(members: str = "", dialect: str = CHAT, messages: str = HI) -> Call:
    return inbound(dialect).read_call(f'{{"model":"up",{members}{messages}}}'.encode(), Limits())


async def failure(answer: Written, asked: Call) -> DragomanError:
    with pytest.raises(DragomanError) as caught:
        await poe(Wire(answer)).ask_model("gpt")(asked)
    return caught.value


@pytest.mark.parametrize(("strict", "flag"), [(True, STRICT), (False, b"")])
async def test_poe_is_asked_to_be_strict_and_told_no_more_than_that(strict: bool, flag: bytes) -> None:
    wire = Wire(Written([WHOLE]), Written([b'{"data":[]}']))
    connector = poe(wire, strict=strict)
    (await connector.ask_model("gpt")(call())).close()
    assert connector.read_models is not None
    await connector.read_models()
    always = b"accept: application/json, text/event-stream\r\n" + flag + b"x-own: 1\r\nauthorization: Bearer k\r\n"
    assert [asked.headers for asked in wire.asked] == [b"content-type: application/json\r\n" + always, always]
    assert [asked.path for asked in wire.asked] == [b"/chat/completions", b"/models"]


async def test_the_catalogue_is_read_with_all_that_poe_tells() -> None:
    entry = b'{"id":"new","supported_endpoints":["/v1/messages"],"parameters":[{"name":"thinking_budget"}]}'
    read = poe(Wire(Written([b'{"data":[%b]}' % entry]))).read_models
    assert read is not None
    (model,) = await read()
    assert (model.quirks.dialects, model.quirks.budget) == (("anthropic_messages",), "thinking_budget")


@pytest.mark.parametrize(
    ("model", "dialect", "path", "reply"),
    [
        ("gpt", CHAT, b"/chat/completions", WHOLE),
        ("claude", CHAT, b"/chat/completions", WHOLE),
        ("claude", "anthropic_messages", b"/messages", MESSAGE),
        ("claude", "ollama_chat", b"/messages", MESSAGE),
        ("gpt", "anthropic_messages", b"/chat/completions", WHOLE),
    ],
)
async def test_a_client_is_served_in_its_own_dialect_or_the_models_best(
    model: str, dialect: str, path: bytes, reply: bytes
) -> None:
    wire = Wire(Written([reply]))
    more = '"max_tokens":9,' if dialect == "anthropic_messages" else '"stream":false,'
    (await poe(wire).ask_model(model)(call(more, dialect))).close()
    assert wire.asked[0].path == path


async def test_fields_that_poe_does_not_take_stay_here_and_are_told() -> None:
    wire, asked = Wire(Written([WHOLE])), call('"seed":3,"store":true,"voice":"Sarah","temperature":1,')
    (await poe(wire).ask_model("gpt")(asked)).close()
    assert wire.asked[0].body == b'{"model":"gpt","voice":"Sarah","temperature":1,%b}' % HI.encode()
    assert list(asked.losses) == ["seed", "store"]


async def test_the_list_of_fields_is_one_of_chats_alone() -> None:
    wire = Wire(Written([MESSAGE]))
    asked = call('"max_tokens":9,"system":"Be brief.","top_k":3,', "anthropic_messages")
    (await poe(wire).ask_model("claude")(asked)).close()
    assert b'"system":"Be brief.","top_k":3' in wire.asked[0].body
    assert not asked.losses


async def test_reasoning_that_poe_tells_twice_is_told_once() -> None:
    twice = b'"content":"Hello","reasoning_content":"Hm","reasoning":"Hm"'
    wire = Wire(Written([WHOLE.replace(b'"content":"Hello"', twice)]))
    answer = await poe(wire).ask_model("gpt")(call())
    assert answer.first.raw is not None
    assert answer.first.raw.count(b'"Hm"') == 1
    assert [event for event in answer.first.events if isinstance(event, Thinking)] == [Thinking("Hm")]


@pytest.mark.parametrize(
    ("dialect", "body"),
    [("openai_images", '{"model":"up","prompt":"A cat"}'), ("openai_speech", '{"model":"up","input":"A cat"}')],
)
async def test_pictures_and_speech_are_asked_for_in_a_chat(dialect: str, body: str) -> None:
    wire = Wire(Written([WHOLE]))
    (await poe(wire).ask_model("picture")(inbound(dialect).read_call(body.encode(), Limits()))).close()
    assert wire.asked[0].path == b"/chat/completions"
    assert b'"messages":[{"role":"user","content":"A cat"}]' in wire.asked[0].body
    assert b'"stream":true' not in wire.asked[0].body


async def test_videos_have_an_endpoint_and_embeddings_have_none() -> None:
    wire = Wire(Written([b'{"id":"v","object":"video","status":"queued","model":"m","created_at":1,"progress":0}']))
    connector = poe(wire)
    video = inbound("openai_videos").read_call(b'{"model":"up","prompt":"A cat"}', Limits())
    (await connector.ask_model("gpt")(video)).close()
    assert wire.asked[0].path == b"/videos"
    with pytest.raises(TaskNotServed):
        await connector.ask_model("gpt")(
            inbound("openai_embeddings").read_call(b'{"model":"up","input":"a"}', Limits())
        )


# Bots


@pytest.mark.parametrize(
    ("model", "members", "dialect", "by_bot"),
    [
        ("gpt", "", CHAT, False),
        ("gpt", '"voice":"Sarah","seed":1,"reasoning_effort":"low",', CHAT, False),
        ("gpt", '"style":"noir",', CHAT, True),
        ("gpt", f'"style":"noir",{TOOLS},', CHAT, False),
        ("gpt", '"max_tokens":9,"style":"noir",', "anthropic_messages", False),
        ("Community-Bot", "", CHAT, True),
        ("Community-Bot", '"max_tokens":9,', "anthropic_messages", True),
    ],
)
async def test_what_the_catalogue_does_not_list_is_asked_as_a_bot(
    model: str, members: str, dialect: str, by_bot: bool
) -> None:
    answer = await poe(Wire(Written([WHOLE])), bots=True).ask_model(model)(call(members, dialect))
    assert (answer is AS_BOT) is by_bot


@pytest.mark.parametrize("catalogue", [Catalogue(complete=complete), Catalogue([], any_name=True, complete=complete)])
async def test_where_nobody_can_know_the_list_rest_is_asked(catalogue: Catalogue) -> None:
    wire = Wire(Written([WHOLE]))
    answer = await poe(wire, catalogue, bots=True).ask_model("any")(call('"seed":1,'))
    assert answer is not AS_BOT
    assert b"seed" not in wire.asked[0].body


async def test_a_bot_makes_no_pictures_for_the_endpoint_of_pictures() -> None:
    wire = Wire(Written([WHOLE]))
    picture = inbound("openai_images").read_call(b'{"model":"up","prompt":"A cat"}', Limits())
    assert await poe(wire, bots=True).ask_model("Community-Bot")(picture) is not AS_BOT


def test_a_bot_takes_any_parameter_and_reasons_as_its_model_does() -> None:
    quirks = msgspec.structs.replace(QUIRKS, parameters=frozenset({"x"}), effort="thinking_level")
    bots = know_bots(Catalogue([Model("gemini", quirks=quirks)]))
    known = bots.quirks("gemini")
    assert (known.fields, known.parameters, known.dialects, known.effort) == (None, frozenset(), (), "thinking_level")
    assert bots.may_serve("Any-Bot")


# Refusals


async def test_a_model_without_tools_is_not_asked_with_tools_again() -> None:
    catalogue = Catalogue(LISTED)
    ask = poe(Wire(Written([NO_TOOLS], 400)), catalogue).ask_model("gpt")
    with pytest.raises(BadRequest) as caught:
        await ask(call(f"{TOOLS},"))
    error = caught.value
    assert (error.code, error.param, error.retry) == ("unsupported_by_model", "tools", "elsewhere")
    assert error.message == '"up" does not support tools'
    assert catalogue.tell("gpt").tools is False


async def test_that_refusal_says_nothing_of_tools_where_none_were_sent() -> None:
    catalogue = Catalogue(LISTED)
    with pytest.raises(UpstreamRejected):
        await poe(Wire(Written([NO_TOOLS], 400)), catalogue).ask_model("gpt")(call())
    assert catalogue.tell("gpt").tools is None


async def test_more_than_one_answer_at_a_time_is_refused_before_anybody_is_asked() -> None:
    wire = Wire()
    with pytest.raises(BadRequest) as caught:
        await poe(wire).ask_model("gpt")(call('"n":2,'))
    assert (caught.value.param, caught.value.retry, wire.asked) == ("n", "elsewhere", [])


@pytest.mark.parametrize(
    ("status", "body", "kind", "told", "code"),
    [
        (400, '{"type":"invalid_request_error"}', UpstreamRejected, 400, None),
        (400, '{"code":400}', UpstreamRejected, 400, None),
        (400, '{"code":"invalid_parameter","param":"n"}', UpstreamRejected, 400, "invalid_parameter"),
        (400, '{"code":"model_not_found"}', ModelNotFound, 404, "model_not_found"),
        (401, '{"type":"authentication_error","code":"invalid_api_key"}', UpstreamAuth, 502, "upstream_auth"),
        (402, '{"type":"insufficient_quota","code":"insufficient_quota"}', UpstreamAuth, 502, "upstream_quota"),
        (402, '{"type":"insufficient_credits","code":402}', UpstreamAuth, 502, "upstream_quota"),
        (403, '{"type":"moderation_error"}', UpstreamAuth, 502, "upstream_auth"),
        (404, '{"type":"not_found_error","code":404}', ModelNotFound, 404, "model_not_found"),
        (408, '{"type":"timeout_error"}', UpstreamTimeout, 504, "upstream_timeout"),
        (413, '{"type":"request_too_large"}', UpstreamRejected, 413, None),
        (429, '{"type":"rate_limit_error","code":"rate_limit_exceeded"}', RateLimited, 429, "rate_limit_exceeded"),
        (500, '{"type":"provider_error","code":500,"metadata":{}}', UpstreamError, 502, "upstream_error"),
        (502, '{"type":"upstream_error"}', UpstreamError, 502, "upstream_error"),
        (503, "{}", Overloaded, 503, "upstream_overloaded"),
        (529, '{"type":"overloaded_error"}', Overloaded, 503, "upstream_overloaded"),
    ],
)
async def test_every_status_means_what_it_says_and_no_hint_about_keys_goes_on(
    status: int, body: str, kind: type[DragomanError], told: int, code: str | None
) -> None:
    said = msgspec.json.decode(body)
    said["message"] = "Visit https://poe.com/api/keys to get more."
    for envelope in ({"error": said}, {"type": "error", "error": said}):
        error = await failure(Written([msgspec.json.encode(envelope)], status, JSON | {"retry-after": "3"}), call())
        assert type(error) is kind
        assert (error.status, error.code) == (told, code)
        assert "poe.com" not in error.message
        assert "poe.com/api/keys" in error.detail


async def test_a_page_in_the_place_of_an_error_is_one() -> None:
    error = await failure(Written([b"<html>Bad gateway</html>"], 502, {"content-type": "text/html"}), call())
    assert (type(error), error.status) == (UpstreamError, 502)
    assert "html" not in error.message


async def test_a_key_without_points_makes_room_for_the_next() -> None:
    wire = Wire(Written([b'{"error":{"code":"insufficient_quota"}}'], 402), Written([WHOLE]))
    wiring = Wiring("poe", wire, Clock(lambda: 0, lambda: 0), Catalogue(LISTED), ["spent", "full"])
    (await build(wiring).ask_model("gpt")(call())).close()
    assert [asked.headers.rpartition(b"Bearer ")[2] for asked in wire.asked] == [b"spent\r\n", b"full\r\n"]
