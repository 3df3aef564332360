"""Where a configuration comes from, and which source wins."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dragoman.config.check import ConfigErrors
from dragoman.config.keys import hash_key
from dragoman.config.load import load_config
from dragoman.config.schema import Config, OpenAiUpstream, Secret, SimUpstream

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


def upstream(config: Config, name: str) -> OpenAiUpstream:
    found = config.upstreams[name]
    assert isinstance(found, OpenAiUpstream)
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
    assert list(config.upstreams) == ["poe", "qwen"]
    assert upstream(config, "poe").key == Secret("$p")
    assert upstream(config, "qwen").base_url == "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    assert config.warnings == []


def test_a_variable_moves_a_known_upstream_and_its_mistake_is_named() -> None:
    environ = {"POE_API_KEY": "p", "POE_BASE_URL": "http://127.0.0.1:9/v1/"}
    assert upstream(load_config(environ=environ), "poe").base_url == "http://127.0.0.1:9/v1"
    assert mistakes(environ={"POE_API_KEY": "p q", "POE_BASE_URL": "nowhere"}) == [
        "upstreams.poe.key: expected printable ASCII without spaces (set by POE_API_KEY)",
        "upstreams.poe.base_url: expected http or https URL without user, query and fragment (set by POE_BASE_URL)",
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
    assert list(load_config(environ={"POE_API_KEY": "p"}).upstreams) == ["poe"]


def test_overrides_join_the_upstreams_of_the_environment() -> None:
    environ = {
        "POE_API_KEY": "p",
        "DRAGOMAN__UPSTREAMS__POE__RETRY__ATTEMPTS": "1",
        "DRAGOMAN__UPSTREAMS__SIM": "{}",
    }
    config = load_config(environ=environ)
    assert list(config.upstreams) == ["poe", "sim"]
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
