"""The tables of upstreams: each kind takes what belongs to it, and nothing else."""

import tomllib

import pytest

from dragoman.config.check import ConfigErrors, check_document
from dragoman.config.known import REGIONS
from dragoman.config.upstreams import (
    KINDS,
    About,
    OpenAiUpstream,
    PoeBotUpstream,
    PoeUpstream,
    QuirkTable,
    QwenUpstream,
    SimUpstream,
    Upstream,
)
from dragoman.config.values import Secret

AT = 'base_url = "http://127.0.0.1:9/v1"\n'


def read(kind: str, text: str = "") -> Upstream:
    document = tomllib.loads(f'[upstreams.lab]\nkind = "{kind}"\n{text}')
    return check_document(document, {}, {}).upstreams["lab"]


def mistakes(kind: str, text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        read(kind, text)
    return caught.value.errors


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_kind_is_called_by_its_name(name: str, kind: type[Upstream]) -> None:
    assert kind.__struct_config__.tag == name
    assert isinstance(read(name, "" if kind is SimUpstream else AT), kind)


@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"sim", "qwen"}))
def test_a_kind_without_a_place_of_its_own_needs_an_address(name: str) -> None:
    assert mistakes(name, "") == ["upstreams.lab.base_url: missing"]


@pytest.mark.parametrize(
    ("text", "url"),
    [("", REGIONS["intl"]), *((f"region = '{region}'", url) for region, url in REGIONS.items())],
)
def test_the_region_of_qwen_says_where_it_is_asked(text: str, url: str) -> None:
    qwen = read("qwen", text)
    assert isinstance(qwen, QwenUpstream)
    assert qwen.base_url == url


def test_a_base_url_of_qwen_counts_more_than_its_region() -> None:
    qwen = read("qwen", AT + "region = 'cn'")
    assert isinstance(qwen, QwenUpstream)
    assert (qwen.base_url, qwen.region) == ("http://127.0.0.1:9/v1", "cn")
    assert mistakes("qwen", "region = 'moon'") == ["upstreams.lab.region: expected intl or cn or us"]


def test_what_all_remote_kinds_have_in_common_is_read_to_the_last_key() -> None:
    remote = read(
        "openai",
        AT
        + """
        keys = ["a", "b"]
        models = ["x"]
        allow = ["gpt-*"]
        deny = ["gpt-3*"]
        rpm = 500
        proxy = "http://proxy:3128"
        ca = "/etc/ca.pem"
        headers = { X-Title = "us" }
        retry = { attempts = 1 }
        breaker = { failures = 2, seconds = 3 }
        quirks = { max_tokens = "max_completion_tokens", developer_role = false }
        about."gpt-*" = { tools = true, context = 8192, input_price = 0, plain = true }
        """,
    )
    assert isinstance(remote, OpenAiUpstream)
    assert remote.keys == (Secret("a"), Secret("b"))
    assert (remote.allow, remote.deny, remote.rpm) == (("gpt-*",), ("gpt-3*",), 500)
    assert (remote.proxy, remote.ca, remote.headers) == (
        Secret("http://proxy:3128"),
        "/etc/ca.pem",
        {"X-Title": Secret("us")},
    )
    assert (remote.breaker.failures, remote.breaker.seconds) == (2, 3)
    assert remote.quirks == QuirkTable(max_tokens="max_completion_tokens", developer_role=False)
    assert remote.about == {"gpt-*": About(tools=True, context=8192, input_price=0, plain=True)}


@pytest.mark.parametrize(
    ("kind", "text", "mistake"),
    [
        ("openai", "region = 'cn'", "region: unknown key"),
        ("poe", "strict = 1", "strict: expected bool, got int"),
        ("poe", "upload_url = 'x'", "upload_url: expected http or https URL without user, query and fragment"),
        ("poe_bot", "upload_limit = 0", "upload_limit: expected int >= 1"),
        ("poe_bot", "strict = true", "strict: unknown key"),
        ("ollama", "endpoints = ['chat']", "endpoints: unknown key"),
        ("anthropic", "rpm = 0", "rpm: expected int >= 1"),
        ("openai", "about.x = { tols = true }", "about.x.tols: unknown key; did you mean tools?"),
        ("openai", "about.'x*y' = {}", 'about."x*y": expected model name that may end in *'),
        ("openai", "about.x = { input_price = -1 }", "about.x.input_price: expected int >= 0"),
        ("openai", "quirks.max_tokens = 'x'", "quirks.max_tokens: expected max_tokens or max_completion_tokens"),
    ],
)
def test_a_mistake_in_a_kind_is_told_with_its_path(kind: str, text: str, mistake: str) -> None:
    assert mistakes(kind, AT + text) == [f"upstreams.lab.{mistake}"]


def test_poe_knows_where_its_bots_and_their_files_are() -> None:
    poe, bot = read("poe", AT), read("poe_bot", AT)
    assert isinstance(poe, PoeUpstream)
    assert isinstance(bot, PoeBotUpstream)
    assert (poe.bot_url, poe.strict) == ("https://api.poe.com/bot", True)
    assert poe.upload_url == bot.upload_url == "https://www.quora.com/poe_api"
    assert poe.upload_limit == bot.upload_limit == 50 << 20
