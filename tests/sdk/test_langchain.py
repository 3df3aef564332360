"""LangChain's standard tests for chat models, over the simulator: what a chain, an agent or a structured answer needs.

One of them is skipped: `test_stream_time` wants HTTP recordings (VCR), and times LangChain itself.
"""

from collections.abc import AsyncGenerator
from typing import ClassVar, Literal

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from openai import DefaultAsyncHttpxClient

from tests.sdk.conftest import Gateway

pytestmark = [
    pytest.mark.may_skip,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # LangChain's own: on names of files, on old pydantic
]
Detail = Literal["audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"]


@pytest.fixture
def benchmark() -> None:
    """Stand in for the plugin that is switched off; the test that asks for it is skipped."""


@pytest.fixture
def vcr() -> None:
    """The same."""


@pytest.fixture(autouse=True)
def files_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand out small files where the suite would download a picture, a sound or a document: we stay on the loopback."""

    def get(url: str, **_options: object) -> httpx.Response:
        return httpx.Response(200, content=f"the bytes of {url}".encode())

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "none")


class Standard(ChatModelIntegrationTests):
    """What is true of all our models: everything but tokens that came from a cache or made a sound."""

    name: ClassVar[str]
    """The model asked."""
    thinker: ClassVar[str]
    """The one that reasons."""
    _params: dict[str, object]

    @pytest.fixture(autouse=True)
    async def gateway_to_ask(self, gateway: Gateway) -> AsyncGenerator[None]:
        """Each test has a client of its own: the one that LangChain would share belongs to the loop of the first."""
        async with DefaultAsyncHttpxClient() as http:
            params = {"base_url": gateway.base_url, "api_key": gateway.key, "max_retries": 0, "stream_usage": True}
            self._params = {**params, "http_async_client": http}
            yield

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, object]:
        return {"model": self.name, **self._params}

    @property
    def model_override_value(self) -> str:
        return "chat"

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Detail]]:
        return {"invoke": ["reasoning_output"], "stream": ["reasoning_output"]}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        """Ask the model that reasons."""
        thinker = ChatOpenAI.model_validate({**self._params, "model": self.thinker})
        if stream:
            first, *others = thinker.stream("Why is the sky blue?")
            return add_ai_message_chunks(first, *others)
        return thinker.invoke("Why is the sky blue?")


class TestInTheProcess(Standard):
    """The simulator inside the gateway."""

    name = "sim/instant"
    thinker = "sim/reasoning"


class TestOverHttp(Standard):
    """The simulator behind a real connection, under a name of the gateway's own."""

    name = "instant"
    thinker = "lab/reasoning"


class TestStructuredByTool(Standard):
    """Structured answers by way of a tool, where the two above use the model's own schema mode."""

    name = "instant"
    thinker = "lab/reasoning"

    @property
    def structured_output_kwargs(self) -> dict[str, object]:
        return {"method": "function_calling"}
