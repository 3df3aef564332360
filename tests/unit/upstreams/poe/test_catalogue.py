"""What Poe's catalogue tells of its models, in the form of the entries recorded in March 2026."""

import msgspec
import pytest

from dragoman.core.capabilities import Capabilities
from dragoman.core.quirks import Quirks
from dragoman.dialects import OUTBOUND
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model, parse_models
from dragoman.upstreams.poe.catalogue import CHAT, CORE, complete, makes_media, tell

CLAUDE = {
    "id": "claude-sonnet-4.6",
    "object": "model",
    "created": 1770262891433,
    "owned_by": "Anthropic",
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
    "supported_features": ["web_search", "tools"],
    "supported_endpoints": ["/v1/messages", "/v1/chat/completions"],
    "pricing": {"prompt": "0.0000026", "completion": "0.000013", "image": None, "request": None},
    "context_window": {"context_length": 983040, "max_output_tokens": 128000},
    "metadata": {"display_name": "Claude-Sonnet-4.6"},
    "reasoning": {"budget": None, "required": False, "supports_reasoning_effort": False},
    "parameters": [
        {"name": "output_effort", "schema": {"enum": ["max", "high", "medium", "low", "none"]}},
        {"name": "web_search", "schema": {"type": "boolean"}, "default_value": False},
    ],
}
BARE: dict[str, object] = {"id": "kimi", "supported_endpoints": [], "supported_features": [], "parameters": []}


def read(**entry: object) -> Model:
    (model,) = parse_models(msgspec.json.encode({"data": [{**BARE, **entry}]}), tell)
    return model


def parameters(*names: str, **enums: list[str]) -> list[object]:
    plain: list[object] = [{"name": name, "schema": {"type": "string"}} for name in names]
    return plain + [{"name": name, "schema": {"enum": values}} for name, values in enums.items()]


def makes(*kinds: str) -> dict[str, object]:
    return {"input_modalities": ["text"], "output_modalities": list(kinds)}


def test_an_entry_tells_how_its_model_is_asked() -> None:
    (model,) = parse_models(msgspec.json.encode({"data": [CLAUDE]}), tell)
    assert model.quirks == Quirks(
        dialects=("anthropic_messages", CHAT),
        developer_role=False,
        instructions=False,
        fields=CORE,
        parameters=frozenset({"output_effort", "web_search"}),
        effort="output_effort",
        efforts=("max", "high", "medium", "low", "none"),
        repeats_reasoning=True,
        sounds_as_files=True,
    )
    assert (model.name, model.created, model.can.tools, model.can.thinking) == (
        "Claude-Sonnet-4.6",
        1770262891,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("endpoints", "owner", "dialects"),
    [
        ([], "Moonshot", (CHAT,)),
        (["/v1/images"], "OpenAI", (CHAT,)),
        (["/v1/videos", 7, "/v1/chat/completions"], "OpenAI", (CHAT,)),
        (["/v1/messages", "/v1/messages"], "Anthropic", ("anthropic_messages",)),
        (["/v1/messages", "/v1/chat/completions"], "Google", (CHAT, "anthropic_messages")),
        (["/v1/messages"], "Google", ("anthropic_messages",)),
    ],
)
def test_a_model_is_asked_at_its_first_endpoint_and_google_s_in_a_chat(
    endpoints: list[object], owner: str, dialects: tuple[str, ...]
) -> None:
    assert read(supported_endpoints=endpoints, owned_by=owner).quirks.dialects == dialects


def test_an_endpoint_that_nobody_here_speaks_to_is_passed_over() -> None:
    spoken = ("openai_responses",) if "openai_responses" in OUTBOUND else ()
    endpoints = ["/v1/responses", "/v1/chat/completions"]
    assert read(supported_endpoints=endpoints).quirks.dialects == (*spoken, CHAT)
    assert read(supported_endpoints=["/v1/new"]).quirks.dialects == (CHAT,)


@pytest.mark.parametrize(
    ("told", "effort", "efforts", "budget", "switch", "thinks"),
    [
        (parameters(reasoning_effort=["low", "high"]), "reasoning_effort", ("low", "high"), "", "", True),
        (parameters(thinking_level=["minimal", "high"]), "thinking_level", ("minimal", "high"), "", "", True),
        (parameters("thinking_budget"), "", (), "thinking_budget", "", True),
        (parameters("enable_thinking", "thinking_budget"), "", (), "thinking_budget", "enable_thinking", True),
        (parameters("voice"), "", (), "", "", None),
        ([7, {"name": 7}, {"schema": 7}], "", (), "", "", None),
        ("none", "", (), "", "", None),
    ],
)
def test_how_much_to_reason_is_said_in_the_models_own_parameter(
    told: object, effort: str, efforts: tuple[str, ...], budget: str, switch: str, thinks: bool | None
) -> None:
    model = read(parameters=told)
    quirks = model.quirks
    assert (quirks.effort, quirks.efforts, quirks.budget, quirks.switch) == (effort, efforts, budget, switch)
    assert model.can.thinking is thinks
    assert "" not in quirks.parameters


def test_a_model_may_know_efforts_and_list_none() -> None:
    assert read(reasoning={"supports_reasoning_effort": True}).quirks.effort == "reasoning_effort"
    assert read(reasoning={"supports_reasoning_effort": False}).quirks.effort == ""


@pytest.mark.parametrize(
    ("told", "shape", "shapes"),
    [
        (parameters(aspect_ratio=["1:1", "3:2"]), "aspect_ratio", ("1:1", "3:2")),
        (parameters(size=["1280x720"], aspect=["1:1"]), "aspect", ("1:1",)),
        (parameters("aspect_ratio"), "", ()),
    ],
)
def test_the_shape_of_a_picture_has_the_models_own_parameter(told: object, shape: str, shapes: tuple[str, ...]) -> None:
    quirks = read(parameters=told).quirks
    assert (quirks.shape, quirks.shapes) == (shape, shapes)


@pytest.mark.parametrize(
    ("kinds", "plain"), [(("image",), True), (("video", "audio"), True), (("text", "image"), False), ((), False)]
)
def test_what_makes_media_alone_is_asked_plainly_and_in_a_chat(kinds: tuple[str, ...], plain: bool) -> None:
    model = read(architecture=makes(*kinds), supported_endpoints=["/v1/messages"])
    assert makes_media(model) is plain
    assert (model.quirks.plain, model.quirks.dialects) == (plain, (CHAT,) if plain else ("anthropic_messages",))


def test_what_is_known_by_name_counts_for_models_that_nobody_lists_too() -> None:
    catalogue = Catalogue(complete=complete)
    assert catalogue.quirks("Claude-Opus-4.7").lacks == {"temperature": "this model takes no temperature"}
    assert catalogue.tell("gpt-4o-search") == Capabilities(tools=False)
    unknown = catalogue.quirks("any")
    assert (unknown.fields, unknown.developer_role, unknown.dialects, unknown.effort) == (CORE, False, (CHAT,), "")


def test_what_the_list_says_of_tools_is_corrected_and_the_rest_is_kept() -> None:
    listed = read(id="GPT-4o-Search", supported_features=["tools"], parameters=parameters("voice"))
    assert listed.can.tools is True
    known = complete(listed)
    assert known.can.tools is False
    assert known.quirks == listed.quirks


def test_a_model_is_found_by_what_people_call_it() -> None:
    catalogue = Catalogue([read(metadata={"display_name": "Kimi K2 Fast"}), read(id="kimi-k2-fast-2")])
    assert [catalogue.spell(name) for name in ("KIMI", "Kimi-K2-Fast", "kimi-k2-fast-2")] == [
        "kimi",
        "kimi",
        "kimi-k2-fast-2",
    ]
