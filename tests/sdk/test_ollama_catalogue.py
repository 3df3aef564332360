"""The real Ollama client for Python against a live gateway: what is there, what it can, what a gateway does not do."""

from collections.abc import Callable, Generator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from ollama import Client, ResponseError

from tests.sdk.conftest import Gateway

REFUSED = "not supported: this server is a gateway, its models are configured on the server"


def connect(gateway: Gateway, key: str) -> closing[Client]:
    return closing(Client(host=gateway.served.address, headers={"Authorization": f"Bearer {key}"}, timeout=20))


@pytest.fixture(scope="module")
def ollama(gateway: Gateway) -> Generator[Client]:
    with connect(gateway, gateway.key) as client:
        yield client


def test_every_model_is_listed_under_its_tagged_name(ollama: Client) -> None:
    listed = {model.model: model for model in ollama.list().models}
    assert {"instant:latest", "fallback:latest", "sim/reasoning:latest", "sim/embed:latest"} < set(listed)
    chat = listed["sim/chat:latest"]
    assert chat.modified_at is not None
    assert (chat.modified_at.year, chat.size) == (2026, 0)
    assert chat.digest is not None
    assert len(chat.digest) == 64
    assert chat.details is not None
    assert (chat.details.format, chat.details.family, chat.details.families) == ("gguf", "chat", ["chat"])


@pytest.mark.parametrize(
    ("model", "capabilities"),
    [
        ("sim/chat", ["completion", "tools", "vision", "audio"]),
        ("sim/reasoning:latest", ["completion", "tools", "vision", "thinking", "audio"]),
        ("SIM/Text-Only", ["completion"]),
        ("sim/embed", ["embedding"]),
        ("instant", ["completion", "tools"]),
    ],
)
def test_it_is_told_what_a_model_can(ollama: Client, model: str, capabilities: list[str]) -> None:
    shown = ollama.show(model)
    assert shown.capabilities == capabilities
    assert shown.modelinfo is not None
    family = shown.modelinfo["general.architecture"]
    assert isinstance(shown.modelinfo[f"{family}.context_length"], int)
    assert isinstance(shown.modelinfo[f"{family}.embedding_length"], int)
    assert shown.template == "{{ .Prompt }}"


def test_what_was_asked_for_counts_as_loaded(ollama: Client) -> None:
    ollama.chat("sim/instant", [{"role": "user", "content": "Hi"}])
    running = {model.model: model for model in ollama.ps().models}
    used = running["sim/instant:latest"]
    assert used.expires_at is not None
    assert used.expires_at.tzinfo is not None
    assert (used.size, used.size_vram, used.context_length) == (0, 0, 131_072)


def test_a_download_is_done_at_once(ollama: Client) -> None:
    steps = [step.status for step in ollama.pull("sim/chat", stream=True)]
    assert steps == ["pulling manifest", "verifying sha256 digest", "writing manifest", "success"]
    assert ollama.pull("sim/chat").status == "success"


def test_a_key_sees_its_own_models_alone(gateway: Gateway) -> None:
    with connect(gateway, gateway.guest_key) as guest:
        with pytest.raises(ResponseError, match="may not use the model"):
            guest.pull("sim/chat")
        assert [model.model for model in guest.list().models] == ["instant:latest"]


def test_what_changes_models_is_refused(ollama: Client) -> None:
    refused: list[Callable[[], object]] = [
        lambda: ollama.push("sim/chat"),
        lambda: ollama.create("mine", from_="sim/chat"),
        lambda: ollama.copy("sim/chat", "mine"),
        lambda: ollama.delete("sim/chat"),
    ]
    for ask in refused:
        with pytest.raises(ResponseError) as caught:
            ask()
        assert (caught.value.status_code, caught.value.error) == (403, REFUSED)


def test_without_a_key_nothing_is_told(gateway: Gateway) -> None:
    with connect(gateway, "wrong") as stranger, pytest.raises(ResponseError) as caught:
        stranger.list()
    assert (caught.value.status_code, caught.value.error) == (401, "unauthorized")


def test_the_key_may_stand_in_the_url_as_a_password(gateway: Gateway) -> None:
    place = urlsplit(gateway.served.address).netloc
    answer = httpx.get(f"http://any:{gateway.key}@{place}/api/tags")
    assert (answer.status_code, b'"sim/chat:latest"' in answer.content) == (200, True)
