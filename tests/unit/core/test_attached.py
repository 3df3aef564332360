"""What comes along in a request."""

import pytest

from dragoman.core.attached import check_attached, find_attached, replace_attached
from dragoman.core.errors import BadRequest
from dragoman.core.message import (
    Audio,
    File,
    Image,
    Message,
    Part,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)

PNG = "data:image/png;base64,iVBORw0K"


def asked(*parts: Part) -> Request:
    return Request("m", [Message("user", [Text("Hi")]), Message("user", list(parts))])


def test_every_attachment_is_found_with_its_path() -> None:
    picture, sound, video, file = Image(PNG), Audio("AAAA", "wav"), Video("https://x/v"), File(id="f")
    request = asked(Thinking("hm"), Text("a"), picture, ToolCall("c", "f", "{}"), sound, video, file)
    assert list(find_attached(request)) == [
        ("messages[1].content[1]", picture),
        ("messages[1].content[2]", sound),
        ("messages[1].content[3]", video),
        ("messages[1].content[4]", file),
    ]
    inner = Request("m", [Message("tool", [ToolResult("c", [Text("a"), picture])])])
    assert list(find_attached(inner)) == [("messages[0].content[1]", picture)]


def test_parts_are_replaced_where_they_were_found_and_nowhere_else() -> None:
    old, twin, inner = Image(PNG), Image(PNG), Image(PNG)
    request = asked(Text("a"), old, twin, ToolResult("c", [inner]))
    new = Image("https://x/new")
    assert replace_attached(request, {id(old): new, id(inner): new}) == asked(
        Text("a"), new, twin, ToolResult("c", [new])
    )
    assert replace_attached(request, {}) == request


@pytest.mark.parametrize(
    "part",
    [
        Image(PNG),
        Image("data:image/png;name=a;BASE64,AA=="),
        Image("https://example.com/a.png"),
        Image("data:image/svg+xml,%3Csvg/%3E"),
        Audio("AAA=", "wav"),
        Audio("", "wav", url="https://example.com/a.wav"),
        Video("data:video/mp4;base64,AAAA"),
        File("data:application/pdf;base64,AAAA"),
        File(id="file-1"),
    ],
)
def test_what_is_what_it_says_passes(part: Part) -> None:
    check_attached(asked(part))


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (Image("data:image/png;base64,a b="), "its base64 is invalid"),
        (Image("data:image/png;base64,AAAAA"), "its base64 is invalid"),
        (Image("data:image/png;base64,A==="), "its base64 is invalid"),
        (Image("data:image/png;base64,"), "its base64 is invalid"),
        (Image("data:image/png;base64,ÄAAA"), "its base64 is invalid"),
        (Image("data:image/png;base64"), "a data: URL without data"),
        (Image("data:text/html;base64,AAAA"), "expected a media type that begins with image/"),
        (Video("data:image/png;base64,AAAA"), "expected a media type that begins with video/"),
        (Audio("?", "wav"), "its base64 is invalid"),
        (File("DATA:application/pdf;base64,?"), "its base64 is invalid"),
    ],
)
def test_what_is_not_is_refused_by_its_place(part: Part, reason: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_attached(asked(part))
    assert (caught.value.param, caught.value.code) == ("messages[1].content[0]", "invalid_attachment")
    assert caught.value.message == f"invalid 'messages[1].content[0]': {reason}"
