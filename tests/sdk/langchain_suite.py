"""What LangChain's standard tests for chat models need here, whatever the client: files without a network, and flags.

One of the tests is skipped: `test_stream_time` wants HTTP recordings (VCR), and times LangChain itself.
"""

from typing import ClassVar, Literal

import httpx
import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_tests.integration_tests import ChatModelIntegrationTests

Detail = Literal["audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"]

FILES = {
    "jpg": b"\xff\xd8\xff\xe0 a picture",
    "png": b"\x89PNG\r\n\x1a\n a picture",
    "pdf": b"%PDF-1.7 a document",
    "wav": b"RIFF....WAVE a sound",
}
"""Files of the kinds that the suite asks for, as far as anybody looks into them: how they begin."""


class Standard(ChatModelIntegrationTests):
    """What is true of all our models, asked through any of LangChain's clients."""

    thinker: ClassVar[str] = ""
    """The model that reasons, where the client can tell its thoughts."""

    @pytest.fixture
    def benchmark(self) -> None:
        """Stand in for the plugin that is switched off; the test that asks for it is skipped."""

    @pytest.fixture
    def vcr(self) -> None:
        """The same."""

    @pytest.fixture(autouse=True)
    def files_of_the_suite(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hand out small files where the suite would download a picture, a sound or a document."""

        def get(url: str, **_options: object) -> httpx.Response:
            kind = next((kind for kind in FILES if kind in url), "")
            return httpx.Response(200, content=FILES.get(kind, f"the bytes of {url}".encode()))

        monkeypatch.setattr(httpx, "get", get)
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "none")

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        """Ask the model that reasons."""
        thinker = self.chat_model_class.model_validate({**self.chat_model_params, "model": self.thinker})
        if stream:
            first, *others = thinker.stream("Why is the sky blue?")
            return add_ai_message_chunks(first, *others)
        return thinker.invoke("Why is the sky blue?")
