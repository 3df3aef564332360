"""Known upstreams: each has an address we can use, and variables named after it."""

import pytest

from dragoman.config.known import KNOWN


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
