"""The catalogue as Ollama writes it. Whole answers are held against examples in the tests of the server."""

import re

import msgspec
import pytest

from dragoman.core.capabilities import Capabilities, Entry
from dragoman.dialects.ollama_models import (
    CONTEXT,
    EMBEDDING_LENGTH,
    Details,
    Tag,
    Tags,
    show_tag,
    write_name,
    write_progress,
    write_running,
    write_shown,
    write_tags,
    write_version,
)


class Shown(msgspec.Struct):
    """What the clients read of one model."""

    modelfile: str
    parameters: str
    template: str
    license: str
    details: Details
    model_info: dict[str, str | int]
    capabilities: list[str]
    modified_at: str


def tags(*entries: Entry) -> list[Tag]:
    return msgspec.json.decode(write_tags(list(map(show_tag, entries))), type=Tags).models


def shown(entry: Entry) -> Shown:
    return msgspec.json.decode(write_shown(entry), type=Shown)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4.1", "gpt-4.1:latest"),
        ("lab/org/big", "lab/org/big:latest"),
        ("llama:8b", "llama:8b"),
        ("host:80/llama", "host:80/llama:latest"),
        ("a b", "a b:latest"),
    ],
)
def test_a_name_has_its_tag(model: str, name: str) -> None:
    assert write_name(model) == name
    listed = tags(Entry(model, "lab"))[0]
    assert (listed.name, listed.model) == (name, name)


def test_no_text_and_no_number_is_missing() -> None:
    listed = tags(Entry("42", "lab", 0))[0]
    assert listed == Tag(
        "42:latest",
        "42:latest",
        "1970-01-01T00:00:00Z",
        listed.digest,
        Details("model", ["model"]),
        listed.capabilities,
    )
    assert re.fullmatch("[0-9a-f]{64}", listed.digest)
    assert listed.digest == tags(Entry("42", "other", 9, Capabilities(vision=True)))[0].digest
    assert listed.digest != tags(Entry("43", "lab"))[0].digest
    assert b"null" not in write_tags([show_tag(Entry("42", "lab"))]) + write_shown(Entry("42", "lab"))


def test_a_list_without_models_is_a_list() -> None:
    assert write_tags([]) == b'{"models":[]}'
    assert write_running([]) == b'{"models":[]}'


@pytest.mark.parametrize("model", ["big-cloud:cloud", "gpt-oss:120b-cloud", "x:local"])
def test_names_that_mean_something_else_to_the_command_line_are_not_listed(model: str) -> None:
    assert tags(Entry(model, "lab"), Entry("a", "lab")) == tags(Entry("a", "lab"))


@pytest.mark.parametrize(
    ("can", "words"),
    [
        (Capabilities(), ["completion", "tools"]),
        (Capabilities(tools=False, vision=False, embedding=False), ["completion"]),
        (Capabilities(tools=True, thinking=True), ["completion", "tools", "thinking"]),
        (Capabilities(embedding=True, tools=True), ["embedding"]),
        (
            Capabilities(tools=True, vision=True, audio=True, thinking=True, insert=True),
            ["completion", "tools", "insert", "vision", "thinking", "audio"],
        ),
    ],
)
def test_what_a_model_can_is_told_in_known_words(can: Capabilities, words: list[str]) -> None:
    assert tags(Entry("m", "lab", 0, can))[0].capabilities == shown(Entry("m", "lab", 0, can)).capabilities == words


@pytest.mark.parametrize(
    ("model", "family"),
    [("gpt-4.1", "gpt"), ("lab/Qwen3-VL", "qwen"), ("poe/7b-llama", "b"), ("o3", "o"), ("\u6a21\u578b", "model")],
)
def test_the_family_is_also_the_architecture(model: str, family: str) -> None:
    told = shown(Entry(model, "lab"))
    assert (told.details.family, told.details.families, told.model_info["general.architecture"]) == (
        family,
        [family],
        family,
    )


def test_what_is_not_known_has_a_figure_all_the_same() -> None:
    told = shown(Entry("gpt", "lab"))
    assert told.model_info == {
        "general.architecture": "gpt",
        "general.basename": "gpt",
        "general.parameter_count": 0,
        "gpt.context_length": CONTEXT,
        "gpt.embedding_length": EMBEDDING_LENGTH,
    }
    assert re.fullmatch(r"\S+\s+\S+", told.parameters)
    assert (told.template, told.license) == ("{{ .Prompt }}", "")
    assert f"\nFROM gpt:latest\nPARAMETER num_ctx {CONTEXT}\n" in told.modelfile


def test_what_is_known_is_told() -> None:
    can = Capabilities(context=8192, embedding_length=64)
    told, listed = shown(Entry("lab/gpt:latest", "lab", 7, can)), tags(Entry("lab/gpt:latest", "lab", 7, can))[0]
    assert (told.model_info["gpt.context_length"], told.model_info["gpt.embedding_length"]) == (8192, 64)
    assert told.model_info["general.basename"] == "lab/gpt"
    assert (listed.details.context_length, listed.details.embedding_length) == (8192, 64)
    assert (told.modified_at, listed.modified_at) == ("1970-01-01T00:00:07Z", "1970-01-01T00:00:07Z")


def test_what_runs_is_named_once_the_latest_first() -> None:
    entry = Entry("a", "lab", 0, Capabilities(context=9))
    uses = [(entry, 300.5), (Entry("b", "lab"), 200.0), (Entry("a:latest", "lab"), 100.0)]
    body = write_running(uses)
    assert re.findall(rb'"model":"([^"]*)"', body) == [b"a:latest", b"b:latest"]
    assert re.findall(rb'"expires_at":"([^"]*)","context_length":(\d+)', body) == [
        (b"1970-01-01T00:05:00.500000Z", b"9"),
        (b"1970-01-01T00:03:20.000000Z", str(CONTEXT).encode()),
    ]


def test_a_download_is_told_line_by_line() -> None:
    assert write_progress("pulling manifest", "success") == [
        b'{"status":"pulling manifest"}\n',
        b'{"status":"success"}\n',
    ]


def test_the_version_is_told() -> None:
    assert write_version("0.33.0") == b'{"version":"0.33.0"}'
