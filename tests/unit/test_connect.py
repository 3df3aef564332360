"""From the configuration of an upstream to the upstream: its kind, its way there, what only the network can judge."""

import asyncio
import time
import tomllib
from pathlib import Path

import pytest

from dragoman.config.check import ConfigErrors, check_document
from dragoman.config.schema import Attachments
from dragoman.config.upstreams import KINDS, Upstream
from dragoman.connect import JUDGES, Connected, allow_links, connect
from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities, Prices
from dragoman.core.errors import BadRequest
from dragoman.core.message import File, Image, Message, Request
from dragoman.core.quirks import Quirks
from dragoman.net.deadlines import Deadlines
from dragoman.upstreams.catalogue import Catalogue

AT = 'base_url = "http://127.0.0.1:9/v1"\n'
PICTURE = Image("http://127.0.0.1:9/secret.png")


def configure(kind: str, text: str = "") -> Upstream:
    document = tomllib.loads(f'[upstreams.lab]\nkind = "{kind}"\n{text}')
    return check_document(document, {}, {}, JUDGES).upstreams["lab"]


def build(kind: str, text: str = "") -> Connected:
    deadlines = Deadlines(asyncio.get_running_loop())
    return connect("lab", configure(kind, text), deadlines, Clock(time.monotonic, time.time))


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_becomes_an_upstream_that_is_ready_to_be_asked(kind: str) -> None:
    connected = build(kind, "" if kind == "sim" else AT)
    assert callable(connected.connector.ask_model("any"))
    assert connected.transports
    for transport in connected.transports:
        transport.close()


async def test_the_models_that_are_named_are_all_there_is() -> None:
    named = build("openai", AT + 'models = ["a", "b-1"]\ndeny = ["b*"]').catalogue
    assert ([model.id for model in named.models()], named.known, named.any_name) == (["a"], True, False)
    assert build("openai", AT + 'models = ["*"]').catalogue.any_name
    assert not build("openai", AT).catalogue.known


async def test_what_is_told_of_a_model_is_known() -> None:
    catalogue = build("openai", AT + 'models = ["a"]\nabout.a = { tools = true, context = 5, developer_role = false }')
    assert (catalogue.catalogue.tell("a").tools, catalogue.catalogue.tell("a").context) == (True, 5)
    assert catalogue.catalogue.quirks("a").developer_role is False


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            'proxy = "socks5://user@proxy"',
            "proxy: a SOCKS proxy wants user and password, each 1 to 255 ASCII characters",
        ),
        ('proxy = "http://a%3Ab:c@proxy"', "proxy: the user of an HTTP proxy must not have a colon"),
        ('proxy = "http://proxy:99999"', "proxy: the proxy URL has an invalid host or port, or a path"),
        ('ca = "/nowhere/ca.pem"', "ca: the CA file cannot be read: No such file or directory"),
    ],
)
def test_what_the_network_layer_cannot_use_is_a_mistake_of_the_configuration(text: str, mistake: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        configure("openai", AT + text)
    assert caught.value.errors == [f"upstreams.lab.{mistake}"]


def test_a_file_without_certificates_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigErrors) as caught:
        configure("openai", f'{AT}ca = "{tmp_path}/ca.pem"')
    assert caught.value.errors == ["upstreams.lab.ca: the CA file holds no certificate in PEM form"]


async def test_a_proxy_that_can_be_used_is_on_the_way() -> None:
    assert build("openai", AT + 'proxy = "socks5h://user:p%40ss@127.0.0.1:1080"').transports


async def test_links_are_fetched_only_where_the_operator_allows_it() -> None:
    deadlines = Deadlines(asyncio.get_running_loop())
    assert allow_links(Attachments(), deadlines) is None
    links = allow_links(Attachments(fetch=True), deadlines)
    assert links is not None
    request = Request("m", [Message("user", [PICTURE, File("data:application/pdf;base64,AA==")])])
    assert await links(request, set()) is request
    with pytest.raises(BadRequest) as caught:  # an address that is not public, which is all that is tested here
        await links(request, {"linked_image"})
    assert caught.value.code == "invalid_image_url"


# What is known of models


async def catalogue(name: str, kind: str, text: str = AT) -> Catalogue:
    """Return the catalogue of an upstream by a name that may be a known one."""
    config = check_document(tomllib.loads(f'[upstreams.{name}]\nkind = "{kind}"\n{text}'), {}, {}, JUDGES)
    deadlines = Deadlines(asyncio.get_running_loop())
    return connect(name, config.upstreams[name], deadlines, Clock(time.monotonic, time.time)).catalogue


async def test_all_that_is_told_of_a_model_and_of_all_models_is_known() -> None:
    text = """
[upstreams.lab.quirks]
stream_usage = false
sampling = ["top_k", "repetition_penalty"]
[upstreams.lab.about."my-*"]
vision = true
output = 9
input_price = 2_000_000
max_tokens = "max_tokens"
"""
    lab = build("openai", AT + text).catalogue
    assert lab.tell("My-Model") == Capabilities(vision=True, output=9, prices=Prices(input=2_000_000))
    sampling = {"top_k": "top_k", "repeat_penalty": "repetition_penalty"}
    assert lab.quirks("my-model") == Quirks(stream_usage=False, sampling=sampling, max_tokens="max_tokens")
    assert lab.quirks("other") == Quirks(stream_usage=False, sampling=sampling)
    assert lab.tell("other") == Capabilities()


async def test_a_server_is_known_by_its_name_or_by_its_address() -> None:
    at = 'base_url = "https://api.mistral.ai/v1"'
    for known in (await catalogue("mistral", "openai"), await catalogue("french", "openai", at)):
        assert known.quirks("mistral-large").max_tokens == "max_tokens"
    assert (await catalogue("lab", "openai")).quirks("mistral-large") == Quirks()
    assert (await catalogue("openai", "openai")).quirks("o3").max_tokens == "max_completion_tokens"


@pytest.mark.parametrize(
    ("kind", "model", "context"),
    [
        ("openai", "gpt-4o", 128_000),
        ("anthropic", "claude-sonnet-4-6", 1_000_000),
        ("qwen", "qwen-plus", 1_000_000),
        ("ollama", "gpt-4o", None),
        ("poe", "gpt-4o", None),
    ],
)
async def test_families_are_known_wherever_their_makers_list_may_be_missing(
    kind: str, model: str, context: int | None
) -> None:
    assert build(kind, AT).catalogue.tell(model).context == context


async def test_qwen_lists_models_before_its_list_is_read_unless_the_operator_names_them() -> None:
    qwen = build("qwen", AT).catalogue
    assert ([model.id for model in qwen.models()][:1], qwen.known) == (["qwen3-max"], False)
    assert qwen.quirks("qwen-plus").switch == "enable_thinking"
    assert [model.id for model in build("qwen", AT + 'models = ["a"]').catalogue.models()] == ["a"]


async def test_it_is_known_whether_an_upstream_is_asked_with_a_key() -> None:
    assert build("openai", AT + 'key = "k"').credentials is True
    assert build("openai", AT).credentials is False
    assert build("sim").credentials is None
