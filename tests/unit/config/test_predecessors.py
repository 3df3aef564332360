"""Variables of other programs: what each becomes, what is told of it, and that the TOML says the same."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from dragoman.config.check import ConfigErrors
from dragoman.config.keys import hash_key
from dragoman.config.load import load_config
from dragoman.config.predecessors import read_predecessors
from dragoman.config.schema import Config
from dragoman.config.upstreams import PoeBotUpstream, PoeUpstream
from dragoman.config.values import Secret

BRIDGE = {
    "SYSTEM_TOKEN": "p-secret",
    "CUSTOM_TOKEN": "c-secret",
    "MODEL_MAPPING": '{"gpt-4": "GPT-4o", "claude 3": "Claude-Opus-4.8", "ü.1": "x"}',
    "TIME_OUT": "120",
    "CORE_NUM": "4",
    "HTTPS_PROXY": "socks5://me:hunter2@proxy:1080",
}
MAPPING = '{"gpt-4": "GPT-4o", "claude.3": "Claude-Opus-4.8"}'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(environ: Mapping[str, str]) -> Config:
    return load_config(environ=environ)


def mistakes(environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(environ)
    return caught.value.errors


def poe(config: Config) -> PoeUpstream:
    found = config.upstreams["poe"]
    assert isinstance(found, PoeUpstream)
    return found


def plain(config: Config) -> Config:
    """Return what the configuration says, whoever said it."""
    return msgspec.structs.replace(config, file=None, recognised=[], toml="")


def test_a_bridge_to_poe_is_understood_whole() -> None:
    config = load({**BRIDGE, "MODEL_MAPPING": MAPPING})
    found, bot = poe(config), config.upstreams["poe_bot"]
    assert isinstance(bot, PoeBotUpstream)
    assert list(config.upstreams) == ["poe", "poe_bot"]
    assert found.key == bot.key == Secret("p-secret")
    assert found.proxy == bot.proxy == Secret(BRIDGE["HTTPS_PROXY"])
    assert found.timeout.total == bot.timeout.total == 120
    assert config.keys["custom"].hash == hash_key("c-secret")
    assert {name: alias.targets for name, alias in config.models.items()} == {
        "gpt-4": ("poe/GPT-4o",),
        "claude.3": ("poe/Claude-Opus-4.8",),
    }
    assert config.recognised == [
        "SYSTEM_TOKEN → upstreams.poe.key, upstreams.poe_bot.key",
        "HTTPS_PROXY → upstreams.poe.proxy, upstreams.poe_bot.proxy",
        "CUSTOM_TOKEN → keys.custom.key",
        "MODEL_MAPPING → models (2)",
        "TIME_OUT → upstreams.poe.timeout.total, upstreams.poe_bot.timeout.total",
        "CORE_NUM: not used, server.workers is not there yet, one process serves",
        "the port is 8484, not 39527; DRAGOMAN__SERVER__PORT=39527 keeps the old one",
    ]
    assert config.warnings == []


@pytest.mark.parametrize(
    "environ",
    [
        {**BRIDGE, "MODEL_MAPPING": MAPPING},
        {"SYSTEM_TOKEN": "p", "OPENAI_API_KEY": "o", "DASHSCOPE_API_KEY": "q"},
        {"POE_API_KEY": "p", "TIME_OUT": "0.5", "MODEL_MAPPING": MAPPING},
        {"OPENAI_COMPAT_PORT": "8001"},
        {"CUSTOM_TOKEN": "c", "OPENAI_COMPAT_PORT": "0"},
    ],
)
def test_the_toml_says_the_same_and_shows_no_secret(folder: Path, environ: Mapping[str, str]) -> None:
    config = load(environ)
    shown = config.toml + "".join(config.recognised)
    assert not any(secret in shown for secret in ("p-secret", "c-secret", "hunter2"))
    (folder / "dragoman.toml").write_text(config.toml)
    again = load(environ)
    assert plain(again) == plain(config)
    assert (again.toml, again.file) == ("", "dragoman.toml")


def test_nothing_is_said_where_nothing_is_set() -> None:
    config = load({"POE_API_KEY": "p", "HTTPS_PROXY": "http://proxy", "SYSTEM_TOKEN": " "})
    assert (config.recognised, config.toml) == ([], "")
    assert not isinstance(poe(config).proxy, Secret)


def test_our_own_key_counts_more_than_the_bridges() -> None:
    config = load({**BRIDGE, "POE_API_KEY": "mine", "MODEL_MAPPING": MAPPING})
    assert (poe(config).key, poe(config).timeout.total) == (Secret("mine"), 120)
    assert config.recognised[0] == "SYSTEM_TOKEN: not used, POE_API_KEY is set"
    assert "p-secret" not in config.toml


def test_our_own_variables_count_more() -> None:
    environ = {
        **BRIDGE,
        "MODEL_MAPPING": MAPPING,
        "DRAGOMAN__UPSTREAMS__POE__TIMEOUT__TOTAL": "5",
        "DRAGOMAN__MODELS__GPT-4": "poe/other",
        "DRAGOMAN__SERVER__PORT": "39527",
    }
    config = load(environ)
    assert (poe(config).timeout.total, config.models["gpt-4"].targets) == (5, ("poe/other",))
    assert not any("39527" in line for line in config.recognised)


@pytest.mark.parametrize(
    ("file", "left"),
    [
        ("[upstreams.sim]", ["CUSTOM_TOKEN → keys.custom.key"]),
        ("[upstreams.sim]\n[keys.app]\nkey = '$CUSTOM_TOKEN'", []),
        ("[server]\nhost = 'localhost'\n[upstreams.poe]\nkey='x'\n[keys.app]\nkey='y'", ["MODEL_MAPPING → models (2)"]),
    ],
)
def test_the_file_alone_counts_for_the_tables_that_it_has(folder: Path, file: str, left: list[str]) -> None:
    (folder / "dragoman.toml").write_text(file)
    config = load({**BRIDGE, "MODEL_MAPPING": MAPPING})
    assert [line for line in config.recognised if "not used" not in line and "39527" not in line] == left


def test_a_file_with_a_server_table_says_where_it_listens(folder: Path) -> None:
    (folder / "dragoman.toml").write_text("[server]\nkey_in_path = true")
    config = load({"OPENAI_COMPAT_PORT": "1"})
    assert (config.server.port, config.recognised, config.toml) == (8484, [], "")


def test_a_file_that_names_no_models_but_poe_has_those_of_the_bridge(folder: Path) -> None:
    (folder / "dragoman.toml").write_text("[upstreams.poe]\nkey = 'x'\nproxy = 'http://own'")
    config = load({**BRIDGE, "MODEL_MAPPING": MAPPING})
    assert config.models["gpt-4"].targets == ("poe/GPT-4o",)
    assert (poe(config).proxy, poe(config).timeout.total) == (Secret("http://own"), 600)


def test_names_that_nobody_could_be_asked_for_are_not_used() -> None:
    assert load({"MODEL_MAPPING": MAPPING}).recognised == ["MODEL_MAPPING: not used, there is no key of Poe's"]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"])
def test_the_proxy_of_the_bridge_may_have_many_names(name: str) -> None:
    config = load({"SYSTEM_TOKEN": "p", name: "socks5h://proxy:1080", "OPENAI_API_KEY": "o"})
    assert poe(config).proxy == Secret("socks5h://proxy:1080")
    assert config.toml.count(f'proxy = "${name}"') == 2


def test_an_agents_front_is_told_what_became_of_its_variables() -> None:
    environ = {
        "OPENAI_COMPAT_ENABLE": "true",
        "OPENAI_COMPAT_PORT": "8001",
        "OPENAI_COMPAT_MODEL_NAME": "cortex-flow",
        "OPENAI_COMPAT_MAX_CONTEXT_TOKENS": "8192",
        "OPENAI_COMPAT_TOKEN_MODEL": "gpt-4",
    }
    config = load(environ)
    assert config.server.port == 8001
    assert config.recognised == [
        "OPENAI_COMPAT_PORT → server.port",
        "OPENAI_COMPAT_ENABLE: not used, OpenAI's dialect is always served",
        "OPENAI_COMPAT_MODEL_NAME: not used, there are no agents yet; [models] gives names to models",
        "OPENAI_COMPAT_MAX_CONTEXT_TOKENS: not used, a model's own context counts; "
        "[upstreams.NAME.about] may say another",
        "OPENAI_COMPAT_TOKEN_MODEL: not used, tokens are counted by the model that is asked",
    ]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("MODEL_MAPPING", "{", "expected a JSON object from names to names of Poe's models"),
        ("MODEL_MAPPING", '["a"]', "expected a JSON object from names to names of Poe's models"),
        ("MODEL_MAPPING", '{"a": 5}', "expected a JSON object from names to names of Poe's models"),
        ("TIME_OUT", "soon", "expected seconds, above 0 and at most 86400"),
        ("TIME_OUT", "0", "expected seconds, above 0 and at most 86400"),
        ("TIME_OUT", "nan", "expected seconds, above 0 and at most 86400"),
        ("TIME_OUT", "86401", "expected seconds, above 0 and at most 86400"),
        ("CORE_NUM", "all", "expected a whole number above 0"),
        ("CORE_NUM", "0", "expected a whole number above 0"),
        ("CORE_NUM", "1.5", "expected a whole number above 0"),
        ("CORE_NUM", "inf", "expected a whole number above 0"),
        ("OPENAI_COMPAT_PORT", "65536", "expected a port, 0 to 65535"),
        ("OPENAI_COMPAT_PORT", "-1", "expected a port, 0 to 65535"),
        ("OPENAI_COMPAT_PORT", "9" * 5000, "expected a port, 0 to 65535"),
        ("OPENAI_COMPAT_MAX_CONTEXT_TOKENS", "many", "expected a whole number above 0"),
    ],
)
def test_a_malformed_variable_is_an_error_with_its_name(name: str, text: str, reason: str) -> None:
    assert mistakes({"SYSTEM_TOKEN": "p", name: text}) == [f"{name}: {reason}"]
    assert read_predecessors({name: text}, {}).errors == [f"{name}: {reason}"]


def test_every_malformed_variable_is_told_with_all_other_mistakes() -> None:
    name = "expected model name of 1 to 256 printable ASCII characters without spaces (set by MODEL_MAPPING)"
    proxy = "expected http://, socks5:// or socks5h:// and a host, perhaps with user and port (set by HTTPS_PROXY)"
    assert mistakes({**BRIDGE, "TIME_OUT": "x", "CUSTOM_TOKEN": "a b", "HTTPS_PROXY": "proxy:3128"}) == [
        "TIME_OUT: expected seconds, above 0 and at most 86400",
        "keys.custom.key: expected printable ASCII without spaces (set by CUSTOM_TOKEN)",
        f'models."claude 3": {name}',
        f'models."ü.1": {name}',
        f"upstreams.poe.proxy: {proxy}",
        f"upstreams.poe_bot.proxy: {proxy}",
    ]
