"""LangChain's standard tests through its OpenAI client: what a chain, an agent or a structured answer needs."""

from collections.abc import AsyncGenerator
from typing import ClassVar, Literal

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient

from tests.sdk.conftest import Gateway
from tests.sdk.langchain_suite import Detail, Standard

pytestmark = [
    pytest.mark.may_skip,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # LangChain's own: on names of files, on old pydantic
]


class OpenAi(Standard):
    """Everything is true but tokens that came from a cache or made a sound."""

    name: ClassVar[str]
    """The model asked."""
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
    def supports_image_urls(self) -> bool:
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


class TestInTheProcess(OpenAi):
    """The simulator inside the gateway."""

    name = "sim/instant"
    thinker = "sim/reasoning"


class TestOverHttp(OpenAi):
    """The simulator behind a real connection, under a name of the gateway's own."""

    name = "instant"
    thinker = "lab/reasoning"


class TestStructuredByTool(OpenAi):
    """Structured answers by way of a tool, where the two above use the model's own schema mode."""

    name = "instant"
    thinker = "lab/reasoning"

    @property
    def structured_output_kwargs(self) -> dict[str, object]:
        return {"method": "function_calling"}
