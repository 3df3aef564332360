"""Poe's own library against the pretended Poe: it has to behave as it does against the real one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest

from dragoman.testing.simulator.poe.face import Heard
from tests.poe_library import client, types
from tests.sdk.process import Served

Parts = list[types.PartialResponse]
TOOL = types.ToolDefinition(
    type="function",
    function=types.FunctionDefinition(
        name="get_weather",
        description="Get the weather",
        parameters=types.ParametersDefinition(
            type="object", properties={"city": {"type": "string"}}, required=["city"]
        ),
    ),
)
PLACES = "What is the weather in Paris and Oslo?"


@dataclass
class User:
    """One user of the library, with a key that nobody else has."""

    address: str
    key: str
    errors: list[str] = field(default_factory=list[str])

    async def ask(
        self,
        bot: str,
        text: str = "Say: one two",
        tools: list[types.ToolDefinition] | None = None,
        executables: list[Callable[..., object]] | None = None,
    ) -> Parts:
        """Return all parts of an answer."""
        parts: Parts = []
        await self.collect(parts, bot, text, tools, executables)
        return parts

    async def collect(
        self,
        parts: Parts,
        bot: str,
        text: str = "Say: one two",
        tools: list[types.ToolDefinition] | None = None,
        executables: list[Callable[..., object]] | None = None,
    ) -> None:
        """Collect the parts of an answer, also of one that breaks."""
        async for part in client.stream_request(
            self.request(text),
            bot,
            self.key,
            tools=tools,
            tool_executables=executables,
            on_error=self.note,
            retry_sleep_time=0,
            base_url=f"{self.address}/poe/bot/",
        ):
            parts.append(part)

    async def final(self, bot: str, text: str = "Say: one two") -> str:
        """Return the text of an answer."""
        return await client.get_final_response(
            self.request(text),
            bot,
            self.key,
            on_error=self.note,
            retry_sleep_time=0,
            base_url=f"{self.address}/poe/bot/",
        )

    async def upload(
        self, file: bytes | None = None, file_name: str | None = None, file_url: str | None = None
    ) -> types.Attachment:
        """Upload a file."""
        return await client.upload_file(
            file,
            file_url,
            file_name,
            self.key,
            on_error=self.note,
            num_tries=1,
            base_url=f"{self.address}/poe/poe_api/",
        )

    def request(self, text: str) -> types.QueryRequest:
        """Return what is asked."""
        turn = types.ProtocolMessage(role="user", content=text)
        return types.QueryRequest(
            query=[turn], version="1.2", type="query", user_id="", conversation_id="", message_id=""
        )

    def note(self, error: Exception, message: str) -> None:
        """Take what the library would print."""
        self.errors.append(str(error))

    async def fetch(self, url: str) -> tuple[str, bytes]:
        """Return the type and the bytes of a file."""
        async with httpx.AsyncClient(timeout=30) as session:
            response = await session.get(url)
        return response.headers["content-type"], response.content

    def heard(self, kind: str) -> int:
        """Return how many requests of a type this user has sent."""
        heard = msgspec.json.decode(httpx.get(f"{self.address}/poe/heard", timeout=30).content, type=list[Heard])
        own = [one.body for one in heard if one.headers.get("authorization") == f"Bearer {self.key}"]
        return sum(f'"type":"{kind}"' in body.replace(": ", ":") for body in own)


@pytest.fixture
def user(upstream: Served, request: pytest.FixtureRequest) -> User:
    return User(upstream.address, f"user-of-{request.node.name}")


def joined(parts: Parts) -> str:
    return "".join(part.text for part in parts if not part.is_suggested_reply)


async def test_a_plain_answer_comes_in_pieces(user: User) -> None:
    parts = await user.ask("Grok-4")
    assert isinstance(parts[0], types.MetaResponse)
    assert [part.text for part in parts[1:]] == ["one", " two"]
    assert user.heard("report_error") == 0


async def test_the_final_answer_honours_replacements(user: User) -> None:
    for bot in ("sim-replace", "sim-replace-prefix", "sim-progress", "sim-suggest"):
        assert await user.final(bot) == "one two"


async def test_an_unknown_event_is_skipped_and_reported(user: User) -> None:
    parts = await user.ask("sim-events")
    assert [part.text for part in parts if part.is_suggested_reply] == ["Go on"]
    assert [part.text for part in parts if part.index == 1] == ["another answer"]
    assert user.errors == ["Unknown event type: data", "Unknown event type: sim_unknown"]
    assert user.heard("report_error") == 2


async def test_a_file_is_an_attachment(user: User) -> None:
    [attachment] = [part.attachment for part in await user.ask("sim-file-last", "a cat") if part.attachment]
    assert (attachment.content_type, attachment.inline_ref) == ("image/png", "a1b2c3d4")
    kind, _ = await user.fetch(attachment.url)
    assert kind == "image/png"
    [plain] = [part.attachment for part in await user.ask("sim-file", "a cat") if part.attachment]
    assert plain.inline_ref is None


async def test_calls_of_tools_are_handed_over(user: User) -> None:
    parts = await user.ask("Grok-4", PLACES, [TOOL])
    deltas = [delta for part in parts for delta in part.tool_calls]
    assert [delta.function.name for delta in deltas if delta.id] == ["get_weather"] * 2
    for index, city in enumerate(("Paris", "Oslo")):
        said = "".join(delta.function.arguments for delta in deltas if delta.index == index)
        assert msgspec.json.decode(said) == {"city": city}
    assert [part.data["choices"] for part in parts if part.data] == [[]]  # the usage, and not the finish


async def test_functions_are_run_once_and_told(user: User) -> None:
    asked: list[str] = []

    def get_weather(city: str) -> str:
        asked.append(city)
        return f"sunny in {city}"

    parts = await user.ask("Grok-4", PLACES, [TOOL], [get_weather])
    assert asked == ["Paris", "Oslo"]
    assert "sunny in Oslo" in joined(parts)
    assert user.heard("query") == 2


async def test_text_in_chunks_is_text_where_tools_were_sent(user: User) -> None:
    assert joined(await user.ask("sim-json-text", tools=[TOOL])) == "one two"
    parts = await user.ask("sim-json-text")
    assert joined(parts) == ""
    assert any(part.data for part in parts)
    assert user.errors == ["Bot returned no text in response"]


async def test_an_error_at_once_is_tried_once_more(user: User) -> None:
    with pytest.raises(client.BotError) as error:
        await user.ask("sim-error")
    assert not isinstance(error.value, client.BotErrorNoRetry)
    assert msgspec.json.decode(str(error.value), type=dict[str, object])["allow_retry"] is True
    assert user.heard("query") == 2


async def test_a_first_failure_is_overcome(user: User) -> None:
    assert joined(await user.ask("sim-flaky")) == "one two"
    assert user.heard("query") == 2


async def test_an_error_behind_text_ends_the_answer(user: User) -> None:
    parts: Parts = []
    with pytest.raises(client.BotError):
        await user.collect(parts, "sim-error-late")
    assert joined(parts) == "It begins well"
    assert user.heard("query") == 1


@pytest.mark.parametrize("bot", ["sim-error-final", "sim-error-user-caused-error"])
async def test_a_final_error_is_not_tried_again(user: User, bot: str) -> None:
    with pytest.raises(client.BotErrorNoRetry):
        await user.ask(bot)
    assert user.heard("query") == 1


async def test_a_missing_end_goes_unnoticed(user: User) -> None:
    assert joined(await user.ask("sim-no-done")) == "one two"
    assert user.errors == ["Bot exited without sending 'done' event"]
    assert user.heard("report_error") == 1


async def test_a_cut_answer_is_asked_again_and_told_twice(user: User) -> None:
    assert joined(await user.ask("sim-cut-first")) == "oneone two"
    assert user.heard("query") == 2


async def test_an_answer_that_is_always_cut_is_an_error_in_the_end(user: User) -> None:
    parts: Parts = []
    with pytest.raises(client.BotError, match=r"^Error communicating with bot sim-cut$"):
        await user.collect(parts, "sim-cut")
    assert joined(parts) == "oneone"


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_a_status_is_lost(user: User, status: int) -> None:
    with pytest.raises(client.BotError, match=f"^Error communicating with bot sim-error-{status}$"):
        await user.ask(f"sim-error-{status}")
    assert user.heard("query") == 2


async def test_an_error_that_looks_like_a_stream_is_an_empty_answer(user: User) -> None:
    assert await user.ask("sim-sse-500") == []


async def test_nothing_but_an_end_is_no_answer(user: User) -> None:
    assert joined(await user.ask("sim-empty")) == ""
    with pytest.raises(client.BotError, match="sent no response"):
        await user.final("sim-empty")


async def test_text_that_is_no_json_is_reported(user: User) -> None:
    with pytest.raises(client.BotErrorNoRetry):
        await user.ask("sim-bad-json")
    assert user.heard("report_error") == 1


async def test_thoughts_come_as_text(user: User) -> None:
    text = await user.final("sim-thinking")
    assert text.startswith("*Thinking...*\n\n> ")
    assert text.endswith("\n\none two")


async def test_a_file_is_uploaded_and_served_back(user: User) -> None:
    attachment = await user.upload(file=b"%PDF-1.7", file_name="a.pdf")
    assert (attachment.content_type, attachment.name) == ("application/pdf", "a.pdf")
    assert await user.fetch(attachment.url) == ("application/pdf", b"%PDF-1.7")
    again = await user.upload(file_url=attachment.url)
    assert again.url == attachment.url


async def test_an_upload_that_fails_says_why(user: User) -> None:
    with pytest.raises(client.AttachmentUploadError, match=r"^413 .*This upload fails on purpose"):
        await user.upload(file=b"x", file_name="sim-error-413.txt")


async def test_no_functions_are_no_calls(user: User) -> None:
    parts = await user.ask("Grok-4", PLACES, [TOOL], [])
    assert joined(parts) == ""
    assert not any(part.tool_calls for part in parts)
    assert user.heard("query") == 1
