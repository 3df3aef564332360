"""Lines of a stream."""

import pytest

from dragoman.core.errors import UpstreamTooLarge
from dragoman.wire import ndjson
from dragoman.wire.ndjson import LineFramer

STREAM = b'\xef\xbb\xbf{"a":1}\r\n\n{"b":"\xc3\xa9"}\n{"c"'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_at_every_cut(size: int) -> None:
    framer = LineFramer()
    blocks = [framer.feed(STREAM[at : at + size]) for at in range(0, len(STREAM), size)]
    assert b"".join(blocks) == b'{"a":1}\r\n\n{"b":"\xc3\xa9"}\n'
    assert all(block.endswith(b"\n") for block in blocks if block)
    assert (framer.close(), framer.close()) == (b'{"c"', b"")


def test_a_read_that_ends_a_line_is_passed_on_as_it_is() -> None:
    framer = LineFramer()
    assert framer.feed(b"{}\n") == b"{}\n"
    data = b"{}\n{}\n"
    assert framer.feed(data) is data


def test_a_line_may_be_the_only_one_and_lack_its_end() -> None:
    framer = LineFramer()
    assert framer.feed(b"\xef\xbb\xbf{}") == b""
    assert framer.close() == b"{}"


def test_only_the_first_line_begins_with_a_mark() -> None:
    framer = LineFramer()
    assert framer.feed(b"{}\n\xef\xbb") + framer.feed(b"\xbf{}\n") == b"{}\n\xef\xbb\xbf{}\n"


def test_a_line_that_never_ends_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE", 10)
    framer = LineFramer()
    assert framer.feed(b"12345678901\n1234567890") == b"12345678901\n"
    with pytest.raises(UpstreamTooLarge):
        framer.feed(b"1")
