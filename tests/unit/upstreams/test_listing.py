"""What catalogues tell of their models."""

import pytest

from dragoman.core.capabilities import Capabilities, Prices
from dragoman.core.errors import UpstreamInvalid
from dragoman.upstreams.listing import (
    Model,
    Said,
    find_object,
    find_text,
    list_objects,
    list_words,
    parse_models,
    read_each,
)

OPENROUTER = b"""{"id":"vendor/chat-1","canonical_slug":"vendor/chat-1","name":"Vendor: Chat 1","created":1784000000,
 "context_length":200000,"architecture":{"modality":"text+image->text","input_modalities":["text","image","audio"],
 "output_modalities":["text"],"tokenizer":"Other","instruct_type":null},"pricing":{"prompt":"0.000003"},
 "top_provider":{"context_length":180000,"max_completion_tokens":64000,"is_moderated":false},
 "supported_parameters":["include_reasoning","max_tokens","reasoning","temperature","tool_choice","tools"]}"""
POE = b"""{"id":"thinker-4.6","object":"model","created":1770262891433,"owned_by":"Maker","root":"thinker-4.6",
 "architecture":{"input_modalities":["text","image"],"output_modalities":["text"],"modality":"text,image->text"},
 "supported_features":["web_search"],"supported_endpoints":[],"pricing":null,
 "context_window":{"context_length":983040,"max_output_tokens":128000},"context_length":null,
 "metadata":{"display_name":"Thinker-4.6"},"reasoning":{"budget":null,"required":false}}"""
POE_BARE = b"""{"id":"picture","object":"model","created":1770262891433,"supported_features":[],"reasoning":null,
 "architecture":{"input_modalities":["text"],"output_modalities":["image"]},"context_window":null}"""
VLLM = b"""{"id":"org/model","object":"model","created":1780000000,"owned_by":"vllm","root":"org/model",
 "parent":null,"max_model_len":32768,"permission":[{"id":"modelperm-1"}]}"""
LLAMA = b"""{"id":"tiny","created":1780000000,"meta":{"n_ctx":1024,"n_ctx_train":4096},
 "architecture":{"input_modalities":["text"]}}"""
GROQ = b'{"id":"fast","created":1780000000,"active":true,"context_window":131072,"max_completion_tokens":8192}'
MISTRAL = b"""{"id":"small","created":1780000000,"name":"small-2603","max_context_length":65536,"type":"base",
 "capabilities":{"completion_chat":true,"function_calling":false,"vision":true}}"""
OPENAI = b'{"id":"plain","object":"model","created":1780000000,"owned_by":"system"}'


def read(*entries: bytes) -> list[Model]:
    return parse_models(b'{"object":"list","data":[%b]}' % b",".join(entries))


@pytest.mark.parametrize(
    ("entry", "model"),
    [
        (
            OPENROUTER,
            Model(
                "vendor/chat-1",
                1784000000,
                Capabilities(
                    tools=True,
                    vision=True,
                    audio=True,
                    thinking=True,
                    context=200_000,
                    output=64_000,
                    gives=frozenset({"text"}),
                    prices=Prices(input=3_000_000),
                ),
                "Vendor: Chat 1",
            ),
        ),
        (
            POE,
            Model(
                "thinker-4.6",
                1770262891,
                Capabilities(
                    tools=False,
                    vision=True,
                    audio=False,
                    thinking=True,
                    context=983_040,
                    output=128_000,
                    gives=frozenset({"text"}),
                ),
                "Thinker-4.6",
            ),
        ),
        (POE_BARE, Model("picture", 1770262891, Capabilities(vision=False, audio=False, gives=frozenset({"image"})))),
        (VLLM, Model("org/model", 1780000000, Capabilities(context=32_768))),
        (LLAMA, Model("tiny", 1780000000, Capabilities(vision=False, audio=False, context=1_024))),
        (GROQ, Model("fast", 1780000000, Capabilities(context=131_072, output=8_192))),
        (MISTRAL, Model("small", 1780000000, Capabilities(tools=False, vision=True, context=65_536), "small-2603")),
        (OPENAI, Model("plain", 1780000000)),
    ],
)
def test_each_server_tells_it_in_its_own_words(entry: bytes, model: Model) -> None:
    assert read(entry) == [model]


@pytest.mark.parametrize(
    "told", [b'"type":"embedding"', b'"architecture":{"output_modalities":["embeddings"]}', b'"type":"embeddings"']
)
def test_a_model_for_embeddings_is_known_by_what_it_gives(told: bytes) -> None:
    assert read(b'{"id":"e",%b}' % told)[0].can.embedding is True


@pytest.mark.parametrize(
    "told",
    [
        b'"architecture":null,"supported_parameters":{},"context_length":"8192","capabilities":["vision"]',
        b'"architecture":[],"supported_parameters":"tools","context_window":0,"max_model_len":-1,"top_provider":7',
        b'"architecture":{"input_modalities":[7,null]},"context_length":true,"metadata":"x","name":7,"type":["chat"]',
        b'"architecture":{"input_modalities":"image"},"context_length":1.5,"reasoning":true,"capabilities":{"vision":1}',
    ],
)
def test_what_makes_no_sense_is_not_known(told: bytes) -> None:
    assert read(b'{"id":"m",%b}' % told) == [Model("m")]


@pytest.mark.parametrize(
    ("created", "seconds"),
    [
        (b"1.9", 1),
        (b"1770262891433", 1770262891),
        (b"1770262891433.7", 1770262891),
        (b"253402300799", 253402300),
        (b"1e300", 0),
        (b"1e400", 0),
        (b"-5", 0),
        (b"null", 0),
        (b"true", 0),
        (b"[1]", 0),
        (b'"2026-01-01"', 0),
    ],
)
def test_a_time_is_a_number_of_seconds_or_milliseconds(created: bytes, seconds: int) -> None:
    assert read(b'{"id":"m","created":%b}' % created) == [Model("m", seconds)]


def test_what_is_no_model_is_left_out() -> None:
    strange = [b'{"id":""}', b'{"id":7}', b"{}", b"7", b"null", b'"g"', b'{"name":"h"}', b"[]"]
    assert read(b'{"id":"a"}', *strange, b'{"id":"b"}') == [Model("a"), Model("b")]


def test_bad_text_is_mended() -> None:
    assert parse_models(b'{"data":[{"id":"a\xff\\ud800"}]}') == [Model("a\ufffd\ufffd")]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"data":{}}', b'{"data":null}', b'{"data":' + b"[" * 100_000]
)
def test_a_body_that_is_no_list_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        parse_models(body)


@pytest.mark.parametrize(
    ("pricing", "prices"),
    [
        (
            b'{"prompt":"0.0000026","completion":"0.000013","image":null,"request":null,'
            b'"input_cache_read":"0.00000026","input_cache_write":"0.0000032"}',
            Prices(2_600_000, 13_000_000, 260_000, 3_200_000),
        ),
        (b'{"prompt":0.000001,"request":"0.0039"}', Prices(1_000_000, request=3_900)),
        (b'{"prompt":"0","completion":"0.00"}', Prices(0, 0)),
        (b'{"prompt":"-1","completion":"free","request":"NaN","input_cache_read":true}', None),
        (b'{"prompt":"1e30"}', None),
        (b"null", None),
    ],
)
def test_prices_are_told_for_a_million_tokens(pricing: bytes, prices: Prices | None) -> None:
    (model,) = read(b'{"id":"m","pricing":%b}' % pricing)
    assert model.can.prices == prices


def test_what_only_one_kind_of_server_says_can_be_added() -> None:
    def add(model: Model, said: Said) -> Model:
        words = [*list_words(said, "words"), find_text(said, "text"), find_text(find_object(said, "in"), "text")]
        more = [find_text(each, "text") for each in list_objects(said, "objects")]
        return Model(model.id, name=" ".join([*words, *more]))

    entry = b'{"id":"m","words":["b",7,"a"],"text":"c","in":{"text":"d"},"objects":[{"text":"e"},7,{}]}'
    body = b'{"data":[%b,{"id":"n","words":7,"text":[],"in":[],"objects":{}},{"no":1}]}'
    assert parse_models(body % entry, add) == [Model("m", name="b a c d e "), Model("n", name=" ")]


def test_broken_text_makes_no_model_go_missing_wherever_it_stands() -> None:
    body = b'{"object":"\xff","data":[{"id":"a","description":"\xff\xfe"},{"id":"b","name":"\\ud83d"},{"id":7}]}'
    assert [(model.id, model.name) for model in parse_models(body)] == [("a", ""), ("b", "\ufffd")]


def test_a_long_list_is_read_model_by_model() -> None:
    seen: list[str] = []

    def tell(model: Model, said: Said) -> Model:
        seen.append(model.id)
        return model

    models = read_each(b'{"data":[{"id":"a"},{"id":"b"}]}', tell)
    assert (next(models), seen) == (Model("a"), ["a"])
    assert (list(models), seen) == ([Model("b")], ["a", "b"])
