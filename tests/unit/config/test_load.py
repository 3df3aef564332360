"""Where a configuration comes from, and which source wins."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec import UNSET

from dragoman.config.check import ConfigErrors
from dragoman.config.keys import hash_key
from dragoman.config.load import load_config
from dragoman.config.schema import Config
from dragoman.config.upstreams import OpenAiUpstream, PoeUpstream, Remote, SimUpstream
from dragoman.config.values import CaFile, Secret

SEARCHED = [str(Path(path).absolute()) for path in sys.path]
"""Where modules are found, from whatever working directory."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = "dragoman.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def mistakes(file: Path | None = None, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load_config(file, environ or {})
    return caught.value.errors


def upstream(config: Config, name: str) -> Remote:
    found = config.upstreams[name]
    assert isinstance(found, Remote)
    return found


def test_with_nothing_at_all_the_simulator_serves() -> None:
    config = load_config(environ={})
    assert config == Config(upstreams={"sim": SimUpstream()})
    assert config.file is None


def test_a_named_file_wins_over_the_variable_and_the_variable_over_the_working_directory(folder: Path) -> None:
    write(folder, "server.port = 1")
    environ = {"DRAGOMAN_CONFIG": str(write(folder, "server.port = 2", "two.toml"))}
    named = write(folder, "server.port = 3", "three.toml")
    assert load_config(environ={}).server.port == 1
    assert load_config(environ={"DRAGOMAN_CONFIG": ""}).server.port == 1
    assert load_config(environ=environ).server.port == 2
    assert load_config(named, environ).server.port == 3
    assert load_config(named, environ).file == str(named)


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN__SERVER__PORT", "9000")
    assert load_config().server.port == 9000


def test_a_named_file_that_is_not_there_is_a_mistake(folder: Path) -> None:
    assert mistakes(folder / "no.toml") == [f"{folder}/no.toml: no such file"]
    assert mistakes(environ={"DRAGOMAN_CONFIG": "no.toml"}) == ["no.toml: no such file"]


def test_a_file_that_cannot_be_read_is_a_mistake(folder: Path) -> None:
    assert mistakes(folder) == [f"{folder}: Is a directory"]


def test_a_file_that_is_not_utf_8_is_a_mistake(folder: Path) -> None:
    (folder / "dragoman.toml").write_bytes(b"\xff")
    assert mistakes() == ["dragoman.toml: not UTF-8"]


def test_a_byte_order_mark_is_tolerated(folder: Path) -> None:
    write(folder, "\ufeffserver.port = 1")
    assert load_config(environ={}).server.port == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[server]\nport == 1", "(at line 2, column 7)"),
        ("[server]\nport =", "(at line 2, column 7)"),
        ("[server", "(at line 1, column 8)"),
        ("[a]\n[a]", "(at line 2, column 3)"),
    ],
)
def test_a_syntax_error_has_its_line_and_column(folder: Path, text: str, place: str) -> None:
    write(folder, text)
    (mistake,) = mistakes()
    assert mistake.startswith("dragoman.toml: ")
    assert mistake.endswith(place)


def test_an_integer_of_too_many_digits_is_a_mistake(folder: Path) -> None:
    write(folder, "server.port = " + "9" * 5000)
    (mistake,) = mistakes()
    assert mistake.startswith("dragoman.toml: ")


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(folder: Path) -> None:
    write(folder, "[server]\nport = 1\nhost = '::1'")
    environ = {"DRAGOMAN__SERVER__PORT": "2"}
    assert load_config(environ=environ).server.port == 2
    config = load_config(environ=environ, settings={"server.port": 3})
    assert (config.server.port, config.server.host) == (3, "::1")


def test_the_host_of_the_command_line_is_held_to_loopback_too() -> None:
    with pytest.raises(ConfigErrors, match=r"server\.host: without any client key"):
        load_config(environ={}, settings={"server.host": "0.0.0.0"})


def test_the_case_of_a_variable_does_not_matter(folder: Path) -> None:
    write(folder, "[upstreams.Lab]\nkind = 'openai'\nbase_url = 'http://a/v1'")
    config = load_config(environ={"dragoman__upstreams__LAB__base_url": "http://b/v1"})
    assert list(config.upstreams) == ["Lab"]
    assert upstream(config, "Lab").base_url == "http://b/v1"


def test_a_variable_may_hold_a_list_or_a_table_and_the_deeper_one_wins() -> None:
    config = load_config(
        environ={
            "DRAGOMAN__UPSTREAMS__LAB__MODELS": '["a", "b"]',
            "DRAGOMAN__UPSTREAMS__LAB": '{ kind = "openai", base_url = "http://a/v1" }',
            "DRAGOMAN__UPSTREAMS__LAB__BASE_URL": "http://b/v1",
            "DRAGOMAN__MODELS__FAST": "lab/a",
        }
    )
    assert upstream(config, "lab").models == ("a", "b")
    assert upstream(config, "lab").base_url == "http://b/v1"
    assert config.models["fast"].targets == ("lab/a",)


def test_a_variable_cannot_smuggle_in_a_second_key() -> None:
    assert mistakes(environ={"DRAGOMAN__SERVER__PORT": "1\n[limits]"}) == [
        "server.port: expected int, got str (set by DRAGOMAN__SERVER__PORT)"
    ]


def test_a_mistyped_variable_is_named() -> None:
    assert mistakes(environ={"DRAGOMAN__SEVER__PORT": "1", "DRAGOMAN__": "1", "DRAGOMAN__SERVER__PORT__X": "1"}) == [
        '"": unknown key (set by DRAGOMAN__)',
        "sever: unknown key; did you mean server?",
        "server.port: expected int, got table",
    ]


def test_keys_in_the_environment_make_the_upstreams() -> None:
    config = load_config(environ={"DASHSCOPE_API_KEY": "sk-q", "POE_API_KEY": "$p", "GROQ_API_KEY": ""})
    assert list(config.upstreams) == ["poe", "poe_bot", "qwen"]
    assert upstream(config, "poe").key == upstream(config, "poe_bot").key == Secret("$p")
    assert upstream(config, "poe_bot").base_url == "https://api.poe.com/bot"
    assert upstream(config, "qwen").base_url == "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    assert config.warnings == []


def test_a_variable_moves_a_known_upstream_and_its_mistake_is_named() -> None:
    environ = {"POE_API_KEY": "p", "POE_BASE_URL": "http://127.0.0.1:9/v1/"}
    assert upstream(load_config(environ=environ), "poe").base_url == "http://127.0.0.1:9/v1"
    assert mistakes(environ={"POE_API_KEY": "p q", "POE_BASE_URL": "nowhere"}) == [
        "upstreams.poe.key: expected printable ASCII without spaces (set by POE_API_KEY)",
        "upstreams.poe.base_url: expected http or https URL without user, query and fragment (set by POE_BASE_URL)",
        "upstreams.poe_bot.key: expected printable ASCII without spaces (set by POE_API_KEY)",
    ]


def test_a_file_that_names_upstreams_has_no_others_but_they_take_their_keys_from_the_environment(folder: Path) -> None:
    write(folder, "[upstreams.poe]\n[upstreams.qwen]\nkey = '$OTHER'\nbase_url = 'http://q/v1'")
    environ = {"POE_API_KEY": "p", "DASHSCOPE_API_KEY": "q", "OTHER": "o", "GROQ_API_KEY": "g"}
    config = load_config(environ=environ)
    assert list(config.upstreams) == ["poe", "qwen"]
    assert upstream(config, "poe").key == Secret("p")
    assert (upstream(config, "qwen").key, upstream(config, "qwen").base_url) == (Secret("o"), "http://q/v1")


def test_a_file_that_names_no_upstream_leaves_them_to_the_environment(folder: Path) -> None:
    write(folder, "[upstreams]\n[models]\nfast = 'poe/x'")
    assert list(load_config(environ={"POE_API_KEY": "p"}).upstreams) == ["poe", "poe_bot"]


def test_overrides_join_the_upstreams_of_the_environment() -> None:
    environ = {
        "POE_API_KEY": "p",
        "DRAGOMAN__UPSTREAMS__POE__RETRY__ATTEMPTS": "1",
        "DRAGOMAN__UPSTREAMS__SIM": "{}",
    }
    config = load_config(environ=environ)
    assert list(config.upstreams) == ["poe", "poe_bot", "sim"]
    assert upstream(config, "poe").retry.attempts == 1


def test_a_known_name_of_another_kind_takes_nothing_from_the_environment(folder: Path) -> None:
    write(folder, "[upstreams.poe]\nkind = 'sim'\n[upstreams.lab]\nkind = 'openai'\nbase_url = 'http://lab'")
    config = load_config(environ={"POE_API_KEY": "p", "LAB_API_KEY": "l"})
    assert config.upstreams["poe"] == SimUpstream()
    assert upstream(config, "lab") == OpenAiUpstream(base_url="http://lab")


def test_upstreams_that_are_no_table_are_a_mistake(folder: Path) -> None:
    write(folder, "upstreams = 5")
    assert mistakes() == ["upstreams: expected table, got int"]
    write(folder, "upstreams.poe = 5")
    assert mistakes() == ["upstreams.poe: expected table, got int"]


def test_one_client_key_comes_from_the_environment() -> None:
    config = load_config(environ={"DRAGOMAN_KEY": "dg-one", "DRAGOMAN__SERVER__HOST": "0.0.0.0"})
    assert config.keys["env"].hash == hash_key("dg-one")
    assert config.warnings == []
    assert load_config(environ={"DRAGOMAN_KEY": ""}).keys == {}


def test_the_key_of_the_environment_keeps_what_the_file_allows_it(folder: Path) -> None:
    write(folder, "keys.env.models = ['sim/*']")
    config = load_config(environ={"DRAGOMAN_KEY": "dg-one"})
    assert config.keys["env"].models == ("sim/*",)


def test_the_key_of_the_environment_does_not_replace_a_hash_of_the_file(folder: Path) -> None:
    write(folder, f"keys.env.hash = '{hash_key('dg-two')}'")
    assert mistakes(environ={"DRAGOMAN_KEY": "dg-one"}) == ["keys.env: expected hash or key, not both"]


def test_a_configuration_without_a_file_needs_no_toml_parser() -> None:
    code = (
        "import sys, dragoman.config as config\n"
        "config.load_config(environ={'POE_API_KEY': 'p'})\n"
        "print(*({'tomllib', 'difflib', 'secrets', 'asyncio'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    environ = {"PYTHONPATH": os.pathsep.join(SEARCHED)}
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, env=environ)
    assert run.stdout.split() == []


def test_the_region_of_qwen_counts_unless_its_variable_names_an_address(folder: Path) -> None:
    write(folder, "[upstreams.qwen]\nregion = 'us'")
    qwen = upstream(load_config(environ={"DASHSCOPE_API_KEY": "q"}), "qwen")
    assert qwen.base_url == "https://dashscope-us.aliyuncs.com/compatible-mode/v1"
    moved = {"DASHSCOPE_API_KEY": "q", "DASHSCOPE_BASE_URL": "http://127.0.0.1:9/v1"}
    assert upstream(load_config(environ=moved), "qwen").base_url == "http://127.0.0.1:9/v1"
    assert load_config(environ={}).warnings == ["upstreams.qwen.key: missing, and DASHSCOPE_API_KEY is not set"]


def test_the_host_of_ollama_makes_it_an_upstream() -> None:
    config = load_config(environ={"OLLAMA_HOST": "lab"})
    assert (list(config.upstreams), upstream(config, "ollama").base_url) == (["ollama"], "http://lab:11434")
    assert (config.warnings, upstream(config, "ollama").key) == ([], UNSET)
    locked = load_config(environ={"OLLAMA_HOST": "https://ollama.com", "OLLAMA_API_KEY": "o"})
    assert upstream(locked, "ollama").key == Secret("o")
    assert load_config(environ={"OLLAMA_API_KEY": "o"}).upstreams == {"sim": SimUpstream()}
    assert mistakes(environ={"OLLAMA_HOST": "ftp://lab"}) == [
        "upstreams.ollama.base_url: expected http or https URL without user, query and fragment (set by OLLAMA_HOST)"
    ]


def test_the_variable_of_anthropic_leaves_the_version_out() -> None:
    environ = {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_BASE_URL": "https://proxy.lab"}
    assert upstream(load_config(environ=environ), "anthropic").base_url == "https://proxy.lab/v1"


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "http://localhost:9000", "[::1]:9000", "0.0.0.0:9000"])
def test_a_host_of_ollama_that_is_ourselves_is_no_upstream(host: str) -> None:
    config = load_config(environ={"OLLAMA_HOST": host}, settings={"server.port": 9000})
    assert config.upstreams == {"sim": SimUpstream()}
    assert config.recognised == ["OLLAMA_HOST: not used, it is where this server listens"]
    assert list(load_config(environ={"OLLAMA_HOST": host}).upstreams) == ["ollama"]


def test_a_variable_that_leads_clients_to_us_does_not_lead_us_to_ourselves(folder: Path) -> None:
    environ = {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_BASE_URL": "http://127.0.0.1:8484"}
    config = load_config(environ=environ)
    assert upstream(config, "anthropic").base_url == "https://api.anthropic.com/v1"
    assert config.recognised == ["ANTHROPIC_BASE_URL: not used, it is where this server listens"]
    write(folder, "[server]\nport = 84840\n[upstreams.anthropic]")
    assert mistakes(environ=environ) == ["server.port: expected int <= 65535"]
    write(folder, "server = 5\n[upstreams.anthropic]")
    assert mistakes(environ=environ) == ["server: expected table, got int"]
    write(folder, "[upstreams.ollama]\nrpm = 5")
    ollama = upstream(load_config(environ={"OLLAMA_HOST": "127.0.0.1:8484"}), "ollama")
    assert ollama.base_url == "http://127.0.0.1:11434"


def test_what_the_network_has_against_a_value_is_told(folder: Path) -> None:
    def judge(text: str) -> None:
        raise ValueError("not today")

    write(folder, "[upstreams.poe]\nkey = '$K'\nca = 'ca.pem'")
    with pytest.raises(ConfigErrors) as caught:
        load_config(environ={"K": "k"}, judges={CaFile: judge})
    assert caught.value.errors == ["upstreams.poe.ca: not today"]


def test_the_bots_of_poe_are_asked_where_their_variable_says_by_both_upstreams(folder: Path) -> None:
    environ = {"POE_API_KEY": "p", "POE_BOT_BASE_URL": "http://127.0.0.1:9/bot/"}
    config = load_config(environ=environ)
    poe = config.upstreams["poe"]
    assert isinstance(poe, PoeUpstream)
    assert poe.bot_url == upstream(config, "poe_bot").base_url == "http://127.0.0.1:9/bot"
    write(folder, "[upstreams.poe]\nbot_url = 'http://a'")
    poe = load_config(environ=environ).upstreams["poe"]
    assert isinstance(poe, PoeUpstream)
    assert poe.bot_url == "http://a"
    write(folder, "[upstreams.poe]")
    assert mistakes(environ={**environ, "POE_BOT_BASE_URL": "nowhere"}) == [
        "upstreams.poe.bot_url: expected http or https URL without user, query and fragment (set by POE_BOT_BASE_URL)"
    ]


def test_a_malformed_variable_of_another_program_is_a_mistake_like_all_others() -> None:
    assert mistakes(environ={"TIME_OUT": "x"}) == ["TIME_OUT: expected seconds, above 0 and at most 86400"]
    assert mistakes(environ={"TIME_OUT": "x", "DRAGOMAN__SERVER__PORT": "y"}) == [
        "TIME_OUT: expected seconds, above 0 and at most 86400",
        "server.port: expected int, got str (set by DRAGOMAN__SERVER__PORT)",
    ]
    assert load_config(environ={"CUSTOM_TOKEN": "c"}).toml == '[keys.custom]\nkey = "$CUSTOM_TOKEN"\n'


def test_openai_itself_has_responses_unless_its_table_or_its_address_says_otherwise() -> None:
    def endpoints(**environ: str) -> tuple[str, ...]:
        upstream = load_config(environ={"OPENAI_API_KEY": "k", **environ}).upstreams["openai"]
        assert isinstance(upstream, OpenAiUpstream)
        return upstream.endpoints

    assert "responses" in endpoints()
    assert "responses" not in endpoints(OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert endpoints(DRAGOMAN__UPSTREAMS__OPENAI__ENDPOINTS='["chat"]') == ("chat",)
