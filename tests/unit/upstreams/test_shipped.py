"""What is shipped of families of models and of servers."""

import pytest

from dragoman.core.capabilities import Capabilities
from dragoman.core.quirks import Quirks
from dragoman.upstreams.listing import Model
from dragoman.upstreams.lore import Preset, know
from dragoman.upstreams.shipped import FAMILIES, PRESETS


def of(name: str, server: str = "") -> Model:
    """Return what is known of a model at a server of which no list tells anything."""
    return know(PRESETS.get(server, Preset()), FAMILIES)(Model(name))


@pytest.mark.parametrize(
    ("name", "context", "output", "vision"),
    [
        ("gpt-4o-mini", 128_000, 16_384, True),
        ("gpt-4.1-nano", 1_047_576, 32_768, True),
        ("gpt-5-mini-2025-08-07", 400_000, 128_000, True),
        ("gpt-5.4", 1_050_000, 128_000, True),
        ("o3-mini", 200_000, 100_000, False),
        ("claude-sonnet-4-6", 1_000_000, 128_000, True),
        ("models/gemini-2.5-flash", 1_048_576, 65_536, True),
        ("deepseek-v4-pro", 1_000_000, 384_000, False),
        ("qwen-turbo", 131_072, 16_384, None),
        ("grok-4", 256_000, None, True),
        ("meta-llama/Llama-3.3-70B-Instruct", 131_072, None, False),
        ("gpt-4o-transcribe", None, None, None),
        ("gpt-5.7", None, None, None),
        ("my-own", None, None, None),
    ],
)
def test_a_well_known_family_is_known(name: str, context: int | None, output: int | None, vision: bool | None) -> None:
    can = of(name).can
    assert (can.context, can.output, can.vision) == (context, output, vision)


def test_every_name_is_written_as_names_are_compared() -> None:
    assert [name for name in FAMILIES if name != name.lower() or "/" in name] == []
    assert all(isinstance(can, Capabilities) for can in FAMILIES.values())
    assert [name for preset in PRESETS.values() for name in preset.models if name != name.lower()] == []


@pytest.mark.parametrize("name", ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.6-mini"])
def test_reasoning_models_of_openai_know_one_name_for_the_limit(name: str) -> None:
    assert of(name, "openai").quirks == Quirks(max_tokens="max_completion_tokens")
    assert of(name).quirks == Quirks()


def test_other_models_of_openai_are_asked_as_the_dialect_is_written() -> None:
    assert of("gpt-4o", "openai").quirks == Quirks()


def test_no_other_server_has_a_developer() -> None:
    assert [server for server in PRESETS if not of("m", server).quirks.developer_role] == ["deepseek", "mistral"]
    assert [server for server in PRESETS if of("m", server).quirks.max_tokens] == ["deepseek", "mistral"]
    assert of("mistral-large", "mistral").quirks.sampling == {"seed": "random_seed"}
    assert list(of("m", "groq").quirks.lacks) == ["logprobs", "logit_bias", "name"]


def test_the_effort_of_groks_depends_on_the_model() -> None:
    assert of("grok-4.3", "xai").quirks.efforts == ("none", "low", "medium", "high")
    assert of("grok-4-0709", "xai").quirks.effort == ""
    assert of("grok-3", "xai").quirks == Quirks()


@pytest.mark.parametrize(
    ("name", "dialects"),
    [("gpt-5-codex", ("openai_responses",)), ("o1-pro-2025", ("openai_responses",)), ("gpt-5", ()), ("o1", ())],
)
def test_some_models_of_openai_are_served_by_responses_alone(name: str, dialects: tuple[str, ...]) -> None:
    quirks = know(PRESETS["openai"], FAMILIES)(Model(name)).quirks
    assert (quirks.dialects, quirks.max_tokens) == (dialects, "max_completion_tokens")
