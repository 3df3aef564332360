"""Media that an answer names in its text, and clients that want them as such."""

from collections.abc import AsyncIterator, Sequence

import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Task
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError, UpstreamInvalid, UpstreamTimeout
from dragoman.core.events import Event, Finish, Media, Start, Text, Thinking, Usage
from dragoman.stages.lift import MAX_FILES, find_media, lift

CAT, DOG = "https://poe/base/image/ca7", "https://poe/base/image/d09?w=1&h=2"
SONG, ODD = "https://poe/base/audio/50", "https://poe/base/file/0d"
TWICE = f"![a cat (grey).png]({CAT})\n\n{CAT}"
START, END = Start("c", "m", 1), Finish("stop")
PICTURES = Capabilities(gives=frozenset({"image"}))


class Shelf:
    """Knows the files of one host, and what was fetched."""

    def __init__(self, failure: DragomanError | None = None) -> None:
        self.fetched: list[tuple[str, str]] = []
        self._failure = failure

    def find_kind(self, url: str) -> str | None:
        if not url.startswith("https://poe/base/"):
            return None
        kind = url.split("/")[4]
        return kind if kind in ("image", "audio", "video") else ""

    async def fetch(self, url: str, kind: str) -> tuple[str, bytes]:
        self.fetched.append((url, kind))
        if self._failure is not None:
            raise self._failure
        return (f"{kind}/x-real", b"bytes")


class Source:
    """An upstream that answers with the same events, and whether its answer was closed."""

    def __init__(self, *events: Event, later: Sequence[Event] = ()) -> None:
        self.closed = 0
        self._first = Burst(list(events), b"raw", "openai_chat")
        self._later = later
        self.answer: Answer | None = None

    async def ask(self, call: Call) -> Answer:
        self.answer = Answer(self._first, self._rest() if self._later else None, self._close)
        return self.answer

    async def _rest(self) -> AsyncIterator[Burst]:
        for event in self._later:
            if isinstance(event, Usage):
                raise UpstreamTimeout
            yield Burst([event], b"raw", "openai_chat")

    def _close(self) -> None:
        self.closed += 1


def call_for(task: Task = "chat", dialect: str = "ollama_chat", *, by_value: bool = False) -> Call:
    call = Call(b"", dialect, "m", list, stream=False)
    call.task, call.by_value = task, by_value
    return call


async def ask(source: Source, call: Call, can: Capabilities = PICTURES, shelf: Shelf | None = None) -> Answer:
    return await lift(lambda: can, shelf or Shelf(), ("openai_chat",))(source.ask)(call)


def split(*texts: str, usual: str = "") -> list[Event]:
    return find_media([Text(text) for text in texts], Shelf(), usual)


def picture(url: str) -> Media:
    return Media("image/*", url=url)


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (TWICE, [picture(CAT)]),
        (f"Here:\n{TWICE}\nDone.", [Text("Here:\n"), picture(CAT), Text("\nDone.")]),
        (f"{TWICE}\n![]({DOG})", [picture(CAT), picture(DOG)]),
        (SONG, [Media("audio/*", url=SONG)]),
        (f"<{SONG}>", [Text("<"), Media("audio/*", url=SONG), Text(">")]),
        (f"({SONG})", [Text("("), Media("audio/*", url=SONG), Text(")")]),
        ("![cat](https://elsewhere/base/image/ca7)", [Text("![cat](https://elsewhere/base/image/ca7)")]),
        (f"[a link]({CAT})", [Text("[a link]("), picture(CAT), Text(")")]),
        (ODD, [Text(ODD)]),
        ("Nothing at all", [Text("Nothing at all")]),
        ("![![![", [Text("![![![")]),
    ],
)
def test_what_a_text_names_is_told_once_and_in_its_place(text: str, events: list[Event]) -> None:
    assert split(text) == events


def test_an_address_may_come_in_pieces() -> None:
    assert split("a ", TWICE[:30], TWICE[30:40], TWICE[40:]) == [Text("a "), picture(CAT)]


def test_what_stands_between_is_told_between() -> None:
    events: list[Event] = [START, Thinking("Hm"), Text(CAT), Text(DOG, choice=1), Text(CAT), END]
    kinds = [event for event in find_media(events, Shelf(), "") if not isinstance(event, Text)]
    assert kinds == [START, Thinking("Hm"), picture(CAT), Media("image/*", url=DOG, choice=1), END]


def test_what_an_address_does_not_say_the_model_does() -> None:
    assert split(ODD, usual="audio") == [Media("audio/*", url=ODD)]


def test_there_are_not_any_number_of_files() -> None:
    urls = [f"{CAT}{number}" for number in range(MAX_FILES + 2)]
    events = split(" ".join([*urls, urls[0]]))
    assert [event.url for event in events if isinstance(event, Media)] == urls[:MAX_FILES]
    assert [event for event in events if isinstance(event, Text)] == [Text(f" {urls[-2]} {urls[-1]} ")]


# The stage


async def test_a_client_of_another_dialect_is_told_media() -> None:
    source = Source(START, Text(TWICE), END)
    answer = await ask(source, call_for())
    assert (answer.first, answer.rest) == (Burst([START, picture(CAT), END]), None)
    answer.close()
    assert source.closed == 1


@pytest.mark.parametrize(
    ("dialect", "can", "text", "later"),
    [
        ("openai_chat", PICTURES, TWICE, []),
        ("ollama_chat", Capabilities(gives=frozenset({"text"})), TWICE, []),
        ("ollama_chat", Capabilities(), TWICE, []),
        ("ollama_chat", PICTURES, "I cannot draw that.", []),
        ("ollama_chat", PICTURES, TWICE, [END]),
    ],
)
async def test_all_other_answers_are_left_as_they_are(
    dialect: str, can: Capabilities, text: str, later: list[Event]
) -> None:
    source = Source(START, Text(text), later=later)
    assert await ask(source, call_for(dialect=dialect), can) is source.answer
    assert source.closed == 0


@pytest.mark.parametrize("later", [(), (Text(f" {SONG}"), END)])
async def test_who_asks_for_a_picture_gets_pictures_alone_whatever_the_model_gives(later: Sequence[Event]) -> None:
    source = Source(START, Text(f"Here: {CAT}"), END, later=later)
    answer = await ask(source, call_for("image", "openai_chat"), Capabilities())
    assert [event for event in answer.first.events if event is not END] == [START, picture(CAT)]
    assert answer.rest is None


async def test_what_has_to_come_along_is_fetched() -> None:
    shelf, call = Shelf(), call_for("image", by_value=True)
    answer = await ask(Source(START, Text(f"{TWICE} {DOG}"), END), call, shelf=shelf)
    assert shelf.fetched == [(CAT, "image"), (DOG, "image")]
    assert answer.first.events[1] == Media("image/x-real", "Ynl0ZXM=", CAT)
    assert call.reply_type == ""


async def test_speech_is_of_the_type_that_was_made() -> None:
    call = call_for("speech", by_value=True)
    call.reply_type = "audio/mpeg"
    answer = await ask(Source(START, Text(SONG), END), call)
    assert answer.first.events == [START, Media("audio/x-real", "Ynl0ZXM=", SONG), END]
    assert call.reply_type == "audio/x-real"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("I cannot\n draw that.", "the model made no audio; it said: I cannot draw that."),
        (CAT, f"the model made no audio; it said: {CAT}"),
        ("", "the model made no audio"),
        ("a" * 1000, "the model made no audio; it said: " + "a" * 300),
    ],
)
async def test_words_in_the_place_of_what_was_asked_for_are_an_error(text: str, message: str) -> None:
    source = Source(START, *([Text(text)] if text else []), END)
    with pytest.raises(UpstreamInvalid) as caught:
        await ask(source, call_for("speech"))
    assert caught.value.message == message
    assert source.closed == 1


async def test_an_answer_that_breaks_is_closed() -> None:
    source = Source(START, Text(CAT), later=[Usage(1, 1)])
    with pytest.raises(UpstreamTimeout):
        await ask(source, call_for("image"))
    assert source.closed == 1


async def test_an_answer_whose_file_cannot_be_fetched_is_closed() -> None:
    source = Source(START, Text(CAT), END)
    with pytest.raises(UpstreamTimeout):
        await ask(source, call_for("image", by_value=True), shelf=Shelf(UpstreamTimeout()))
    assert source.closed == 1
