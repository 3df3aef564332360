"""Known upstreams: each has an address we can use, and variables named after it."""

import pytest

from dragoman.config.known import KNOWN, REGIONS, read_host


@pytest.mark.parametrize("name", [name for name, known in KNOWN.items() if known.kind == "openai"])
def test_every_known_server_is_asked_over_tls_at_a_base_without_a_trailing_slash(name: str) -> None:
    assert KNOWN[name].base_url.startswith("https://")
    assert not KNOWN[name].base_url.endswith("/")
    assert KNOWN[name].variable.isupper()


def test_the_variables_of_qwen_are_those_of_its_operator() -> None:
    assert KNOWN["qwen"].key_variable == "DASHSCOPE_API_KEY"
    assert KNOWN["qwen"].url_variable == "DASHSCOPE_BASE_URL"


def test_the_simulator_needs_neither_an_address_nor_a_variable() -> None:
    assert (KNOWN["sim"].kind, KNOWN["sim"].base_url, KNOWN["sim"].variable) == ("sim", "", "")


def test_the_bots_of_poe_share_its_key_and_not_its_address() -> None:
    bot = KNOWN["poe_bot"]
    assert (bot.kind, bot.key_variable, bot.url_variable) == ("poe_bot", "POE_API_KEY", "POE_BOT_BASE_URL")
    assert bot.sign == KNOWN["poe"].sign == "POE_API_KEY"


def test_ollama_is_there_when_its_host_is_named_and_needs_no_key() -> None:
    ollama = KNOWN["ollama"]
    assert (ollama.kind, ollama.sign, ollama.url_variable, ollama.homes) == ("ollama", "OLLAMA_HOST", "OLLAMA_HOST", [])


def test_an_operator_may_have_several_homes() -> None:
    assert set(KNOWN["qwen"].homes) == set(REGIONS.values())
    assert KNOWN["poe"].homes == ["https://api.poe.com/v1"]
    assert KNOWN["sim"].homes == []


@pytest.mark.parametrize(
    ("name", "text", "url"),
    [
        ("openai", "http://a/v1/", "http://a/v1"),
        ("openai", "http://a", "http://a"),
        ("anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1"),
        ("anthropic", "https://a/x/v1/", "https://a/x/v1"),
        ("ollama", "lab", "http://lab:11434"),
    ],
)
def test_a_variable_is_read_as_everybody_else_reads_it(name: str, text: str, url: str) -> None:
    assert KNOWN[name].read_url(text) == url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("lab", "http://lab:11434"),
        ("lab:80", "http://lab:80"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::]:1", "http://127.0.0.1:1"),
        ("[::1]", "http://[::1]:11434"),
        ("http://lab", "http://lab:80"),
        ("https://lab/ollama/", "https://lab:443/ollama"),
        (' "lab" ', "http://lab:11434"),
        ("ftp://lab", "ftp://lab"),
        ("a b", "a b"),
    ],
)
def test_the_host_of_ollama_may_be_written_in_many_ways(text: str, url: str) -> None:
    assert read_host(text) == url
