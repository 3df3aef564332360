"""The reference page and the JSON Schema say what the Structs say."""

import runpy
import sys
import tomllib
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

from dragoman.config.known import KNOWN
from dragoman.config.load import load_config
from dragoman.config.reference import EXAMPLE, json_schema, main, write_page
from dragoman.config.upstreams import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def is_valid(text: str) -> bool:
    return jsonschema_rs.Draft202012Validator(json_schema()).is_valid(tomllib.loads(text))


def test_the_page_in_the_repository_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == write_page(), "run: python -m dragoman.config.reference > docs/configuration.md"


@pytest.mark.parametrize(
    "line",
    [
        "| `port` | port, 0 to 65535 | 8484 | The TCP port to listen on; 0 takes any free one. |",
        "| `timeout.first` | seconds | none | To begin its answer; when absent, 60 for a stream, "
        "and only `total` for a plain answer. |",
        '| `endpoints` | list: `"chat"` or `"responses"` or `"completions"` or `"embeddings"` or `"images"` '
        'or `"videos"` or `"audio"` or `"moderations"` '
        '| `["chat","embeddings","images","videos","audio","moderations"]` '
        "| Which of OpenAI's endpoints it has; OpenAI itself has `responses` too. |",
        "| `seed` | whole number | 0 | The same seed gives the same answers. |",
        "| `key_in_path` | true or false | `false` | Whether `/k/<key>/` before any path holds the client's key, "
        "for clients that can send no header. |",
        "| `body` | bytes | 32 MiB | A request body. |",
        "| `head` | bytes | 32 KiB | A whole request head. |",
        *(f'### `kind = "{kind}"`' for kind in KINDS),
        "| `headers` | table | none | Headers that every request has. |",
        "| `cn` | https://dashscope.aliyuncs.com/compatible-mode/v1 |",
        "| `keep` | seconds | 2592000 | How long; 30 days unless said otherwise. |",
    ],
)
def test_the_page_tells_type_default_and_meaning(line: str) -> None:
    assert line in write_page().splitlines()


def test_every_variable_of_a_known_upstream_is_on_the_page() -> None:
    page = write_page()
    for known in KNOWN.values():
        key = f"`{known.key_variable}`{', if any' if known.host else ''}"
        assert not known.variable or f"| {key} | `{known.url_variable}` | {known.base_url} |" in page


def test_the_example_works(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("sk-lab")
    file = tmp_path / "dragoman.toml"
    file.write_text(EXAMPLE.replace("/run/secrets", str(tmp_path)))
    config = load_config(file, {"POE_API_KEY": "p", "NOTEBOOK_KEY": "dg-notebook"})
    assert (list(config.upstreams), config.warnings) == (["poe", "lab"], [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        EXAMPLE,
        "models.a = 'lab/x'",
        "models.a = ['lab/x']",
        "models.a.targets = ['lab/x']",
        "upstreams.sim.seed = 3",
        "upstreams.poe.kind = 'sim'",
        "upstreams.poe.refresh = 5",
        "upstreams.poe.strict = false",
        "upstreams.poe_bot.upload_limit = 5",
        "upstreams.qwen.region = 'cn'",
        "upstreams.ollama.base_url = 'http://lab'",
        "upstreams.lab = { kind = 'qwen', region = 'us' }",
        "upstreams.lab = { kind = 'anthropic', base_url = 'http://lab', about.'x*' = { tools = true } }",
        "names.presets = ['short_names']",
        "attachments.fetch = true",
    ],
)
def test_the_schema_accepts_what_is_right(text: str) -> None:
    assert is_valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "prot = 1",
        "server.port = 65536",
        "server.port = true",
        "models.a = 'x'",
        "models.a = []",
        "upstreams.lab.kind = 'openai'",
        "upstreams.lab.base_url = 'http://lab'",
        "upstreams.sim.base_url = 'http://lab'",
        "upstreams.poe.speed.rate = 1",
        "upstreams.poe.region = 'cn'",
        "upstreams.qwen.region = 'moon'",
        "upstreams.lab.kind = 'grok'",
        "names.presets = ['long_names']",
        "server.tokens = 'exact'",
        "upstreams.'a b'.kind = 'sim'",
    ],
)
def test_the_schema_refuses_what_is_wrong(text: str) -> None:
    assert not is_valid(text)


def test_the_schema_explains_every_key_to_the_editor() -> None:
    properties = msgspec.convert(json_schema()["$defs"], dict[str, dict[str, object]])
    server = msgspec.convert(properties["Server"]["properties"], dict[str, dict[str, object]])
    assert server["port"]["description"] == "The TCP port to listen on; 0 takes any free one."


def test_the_command_prints_the_page_or_the_schema(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reference"])
    main()
    assert capsys.readouterr().out == write_page()
    monkeypatch.setattr(sys, "argv", ["reference", "--schema"])
    main()
    assert msgspec.json.decode(capsys.readouterr().out) == msgspec.json.decode(msgspec.json.encode(json_schema()))


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["reference"])
    monkeypatch.delitem(sys.modules, "dragoman.config.reference")
    runpy.run_module("dragoman.config.reference", run_name="__main__")
    assert capsys.readouterr().out == write_page()
