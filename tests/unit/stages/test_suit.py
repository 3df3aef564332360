"""What a model is known not to take is refused before it is asked."""

import pytest
from msgspec import Raw

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Thread, Words
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import BadRequest
from dragoman.core.message import Audio, Format, Image, Message, Part, Request, Text, Tool, ToolResult
from dragoman.stages.suit import is_choosy, suit

READER = Capabilities(tools=False, vision=False, audio=False, embedding=False)
PICTURE, SOUND = Image("data:image/png;base64,iVBORw0KGgo="), Audio("UklGRg==", "wav")


class Model:
    """A model that counts what reaches it, and a call that counts how often it is decoded."""

    def __init__(self, can: Capabilities) -> None:
        self.asked = self.read = 0
        self.ask = suit(lambda: can)(self._answer)

    async def _answer(self, call: Call) -> Answer:
        self.asked += 1
        return Answer(Burst([]), None, lambda: None)

    def call(self, body: bytes, *parts: Part, tools: int = 0, form: Format = Format()) -> Call:  # noqa: B008 — frozen
        request = Request("m", [Message("user", list(parts))], tools=[Tool("weather")] * tools, format=form)

        def read() -> list[Request]:
            self.read += 1
            return [request]

        return Call(body, "any", "m", read, stream=False)


async def refusal(model: Model, call: Call) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        await model.ask(call)
    assert model.asked == 0
    return caught.value


@pytest.mark.parametrize(
    ("body", "part", "words"),
    [
        (b'{"image_url"', PICTURE, "images"),
        (b'{"images"', PICTURE, "images"),
        (b'{"type":"image"', ToolResult("1", [Text("here"), PICTURE]), "images"),
        (b'{"input_audio"', SOUND, "audio"),
    ],
)
async def test_a_part_that_the_model_cannot_take_is_named(body: bytes, part: Part, words: str) -> None:
    model = Model(READER)
    error = await refusal(model, model.call(body, Text("what is this"), part))
    assert (error.status, error.message) == (400, f'"m" does not support {words}')
    assert (error.param, error.code, error.retry) == ("messages", "unsupported_by_model", "elsewhere")


@pytest.mark.parametrize("body", [b'{"tools":[]', b'{"functions":[]'])
async def test_tools_are_refused_where_there_are_none(body: bytes) -> None:
    model = Model(READER)
    error = await refusal(model, model.call(body, tools=1))
    assert (error.message, error.param) == ('"m" does not support tools', "tools")


async def test_the_part_has_the_name_that_the_client_knows() -> None:
    model = Model(READER)
    call = model.call(b"image", PICTURE)
    call.words = Words({"image": "images"})
    assert (await refusal(model, call)).param == "images"


async def test_what_was_said_before_counts_too() -> None:
    model = Model(READER)
    call = model.call(b"{}", PICTURE)
    call.thread = Thread(keep=True, history=[Raw(b'{"role":"user"}'), Raw(b'{"type":"input_image"}')])
    assert (await refusal(model, call)).message == '"m" does not support images'


async def test_a_model_for_embeddings_does_not_chat() -> None:
    model = Model(Capabilities(embedding=True))
    call = model.call(b"{}", Text("Hi"))
    assert (await refusal(model, call)).message == '"m" does not support chat'
    call.words = Words({"chat": "generate"})
    assert (await refusal(model, call)).message == '"m" does not support generate'
    call.task = "embed"
    await model.ask(call)
    assert model.asked == 1


async def test_a_model_that_chats_alone_gives_no_vectors() -> None:
    model = Model(READER)
    call = model.call(b"{}", Text("Hi"))
    call.task = "embed"
    error = await refusal(model, call)
    assert (error.message, error.param) == ('"m" does not support embeddings', "model")


async def test_what_the_model_can_take_goes_on() -> None:
    model = Model(READER)
    await model.ask(model.call(b'the word image, "tools" and audio', Text("Hi")))
    await model.ask(model.call(b'{"tools":[]}'))
    assert (model.asked, model.read) == (2, 2)


async def test_a_body_that_cannot_hold_such_a_part_is_not_decoded() -> None:
    model = Model(READER)
    await model.ask(model.call(b'{"messages":[{"role":"user","content":"Hi"}]}', PICTURE, SOUND, tools=1))
    assert (model.asked, model.read) == (1, 0)


async def test_other_tasks_are_for_the_upstream_to_refuse() -> None:
    model = Model(Capabilities(tools=False, vision=False, embedding=True))
    call = model.call(b"image", PICTURE)
    call.task = "image"
    await model.ask(call)
    assert (model.asked, model.read) == (1, 0)


async def test_nothing_is_refused_for_want_of_knowledge() -> None:
    model = Model(Capabilities())
    await model.ask(model.call(b'image audio "tools"', PICTURE, SOUND, tools=1))
    assert (model.asked, model.read) == (1, 0)


@pytest.mark.parametrize(
    ("can", "choosy"),
    [
        (Capabilities(), False),
        (Capabilities(tools=True, vision=True, audio=True, thinking=False, context=7), False),
        (Capabilities(tools=False), True),
        (Capabilities(vision=False), True),
        (Capabilities(audio=False), True),
        (Capabilities(embedding=True), True),
        (Capabilities(embedding=False), True),
    ],
)
def test_only_some_models_have_something_to_refuse(can: Capabilities, choosy: bool) -> None:
    assert is_choosy(can) is choosy


async def test_a_schema_is_refused_where_the_model_cannot_be_held_to_one() -> None:
    model = Model(Capabilities(json_schema=False))
    error = await refusal(model, model.call(b'{"type":"json_schema"', form=Format("schema")))
    assert (error.message, error.param) == ('"m" does not support structured outputs', "response_format")
    await model.ask(model.call(b'{"format":"json"', form=Format("json")))
    await model.ask(model.call(b"{}"))
    assert (model.asked, model.read) == (2, 2)
