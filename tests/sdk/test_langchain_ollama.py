"""LangChain's standard tests through its client of Ollama."""

from typing import ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_ollama import ChatOllama

from tests.sdk.conftest import Gateway
from tests.sdk.langchain_suite import Standard

pytestmark = [pytest.mark.may_skip, pytest.mark.filterwarnings("ignore::UserWarning")]


class Ollama(Standard):
    """What holds of all models that are reached this way."""

    name: ClassVar[str]
    _params: dict[str, object]

    @pytest.fixture(autouse=True)
    def gateway_to_ask(self, gateway: Gateway) -> None:
        headers = {"Authorization": f"Bearer {gateway.key}"}
        self._params = {"base_url": gateway.served.address, "client_kwargs": {"headers": headers}}

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOllama

    @property
    def chat_model_params(self) -> dict[str, object]:
        return {"model": self.name, **self._params}

    @property
    def model_override_value(self) -> str:
        return "chat"

    @property
    def has_tool_choice(self) -> bool:
        return False  # this API has no word for it


class TestInTheProcess(Ollama):
    """The simulator inside the gateway."""

    name = "sim/instant"


class TestOverHttp(Ollama):
    """The simulator behind a real connection, under a name of the gateway's own."""

    name = "instant"


class TestStructuredByTool(Ollama):
    """Structured answers by way of a tool, where the two above use a schema."""

    name = "instant"

    @property
    def structured_output_kwargs(self) -> dict[str, object]:
        return {"method": "function_calling"}
