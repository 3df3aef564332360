"""Heads and chunked bodies: what is accepted, what is refused with which status, and that nothing else can happen."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    ExpectationFailed,
    HeadTooLarge,
    UnsupportedMediaType,
    UriTooLong,
)
from dragoman.wire.http1 import (
    ChunkedReader,
    HeadLimits,
    RequestHead,
    check_partial_head,
    read_head,
    write_head,
)

LIMITS = HeadLimits()


def head(*headers: str, line: str = "POST /v1/chat HTTP/1.1", host: str | None = "example.com") -> bytes:
    hosts = () if host is None else (f"Host: {host}",)
    return "\r\n".join((line, *hosts, *headers, "", "")).encode("latin-1")


def read(raw: bytes, limits: HeadLimits = LIMITS) -> RequestHead:
    return read_head(raw, limits)


def test_a_head_is_read_as_it_was_sent() -> None:
    got = read(
        head(
            "X-Name: \t a b \t", "Content-Length: 12", "Authorization: Bearer dg-x", line="PUT /a%2Fb?c=%20?d HTTP/1.1"
        )
    )
    assert got == RequestHead(
        method="PUT",
        path="/a%2Fb",
        query="c=%20?d",
        headers={"host": "example.com", "x-name": "a b", "content-length": "12", "authorization": "Bearer dg-x"},
        keep_alive=True,
        content_length=12,
        http10=False,
        expects_continue=False,
    )


def test_a_request_without_length_has_no_body() -> None:
    assert read(head(line="GET / HTTP/1.1")).content_length == 0


def test_a_chunked_request_has_no_length() -> None:
    assert read(head("Transfer-Encoding: Chunked")).content_length is None


def test_repeated_headers_are_joined_and_so_stay_visible() -> None:
    got = read(head("x-api-key: one", "X-API-Key: two", "Cookie: a"))
    assert got.headers["x-api-key"] == "one, two"
    assert got.headers["cookie"] == "a"


def test_bytes_above_ascii_in_a_value_are_latin_1() -> None:
    assert read(head("x-name: caf\xe9")).headers["x-name"] == "caf\xe9"


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", None, True),
        ("1.1", "keep-alive", True),
        ("1.1", "Close", False),
        ("1.1", "upgrade, close", False),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
    ],
)
def test_the_client_says_whether_the_connection_lasts(version: str, connection: str | None, kept: bool) -> None:
    headers = () if connection is None else (f"Connection: {connection}",)
    got = read(head(*headers, line=f"GET / HTTP/{version}"))
    assert got.keep_alive is kept
    assert got.http10 is (version == "1.0")


@pytest.mark.parametrize(
    "host",
    ["a", "example.com:8484", "127.0.0.1:0", "[::1]", "[::1]:65535", "[::ffff:1.2.3.4]:1", "a_b", "x%41", "a.b."],
)
def test_a_well_formed_host_is_accepted(host: str) -> None:
    assert read(head(host=host)).headers["host"] == host


WRONG_HOSTS = (
    "a/b a@b user:pass@a a: a:65536 a:123456 a:8a a:-1 a:\xb2 [::1 ::1 [] [::g] [1::2::3] [fe80::1%25eth0] [::1]x a%4 "
    "h\xf6st a?b a#b a\\b"
)


@pytest.mark.parametrize("host", [None, "", "a b", "a, b", "a" * 256, *WRONG_HOSTS.split(" ")])
def test_a_missing_or_ungrammatical_host_is_refused(host: str | None) -> None:
    with pytest.raises(BadRequest, match="Host"):
        read(head(host=host))


def test_two_hosts_are_refused_even_if_they_are_equal() -> None:
    with pytest.raises(BadRequest, match="Host"):
        read(head("host: example.com"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET http://example.com/ HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET x HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "GET /\x00 HTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/0.9",
        "GET / HTTP/2.0",
        "GET / HTTP/9.9",
        "GET / HTTP/1.10",
        "GET / http/1.1",
        "GET / HTTP/1.1\n",
        "PRI * HTTP/2.0",
    ],
)
def test_any_other_request_line_is_refused(line: str) -> None:
    with pytest.raises(BadRequest):
        read(head(line=line))


@pytest.mark.parametrize(
    "header",
    [
        " folded",
        "\tfolded",
        "x: a\r\n b",
        "name : value",
        "name\t: value",
        ": value",
        "no colon",
        "na me: value",
        "n(me: value",
        "n\xe4me: value",
        "x: a\x00b",
        "x: a\rb",
        "x: a\nb",
        "x: a\x0bb",
        "x: a\x7fb",
        "x: a\x1bb",
        "x: a\r",
    ],
)
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(BadRequest, match="header"):
        read(head(header))


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5", "content-length: 6"),
        ("Content-Length: 5, 5",),
        ("Content-Length: +5",),
        ("Content-Length: -5",),
        ("Content-Length: 0x5",),
        ("Content-Length: 5 5",),
        ("Content-Length: \xb2",),
        ("Content-Length:",),
        ("Content-Length: " + "1" * 19,),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding:",),
        ("Transfer-Encoding: chunked;q=1",),
    ],
)
def test_an_ambiguous_body_length_is_refused(headers: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest):
        read(head(*headers))


def test_a_length_of_eighteen_digits_is_a_length() -> None:
    assert read(head("Content-Length: " + "9" * 18)).content_length == 10**18 - 1


def test_http_1_0_knows_no_transfer_encoding() -> None:
    with pytest.raises(BadRequest):
        read(head("Transfer-Encoding: chunked", line="POST / HTTP/1.0"))


@pytest.mark.parametrize("coding", ["gzip", "identity, gzip", "br", ""])
def test_a_compressed_body_is_refused(coding: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read(head(f"Content-Encoding: {coding}"))


def test_the_identity_coding_is_none() -> None:
    assert read(head("Content-Encoding: Identity")).content_length == 0


def test_one_expectation_is_known_and_http_1_0_has_none() -> None:
    assert read(head("Expect: 100-Continue")).expects_continue
    assert not read(head("Expect: 100-continue", line="POST / HTTP/1.0")).expects_continue
    with pytest.raises(ExpectationFailed):
        read(head("Expect: a miracle"))


def test_each_limit_has_its_status() -> None:
    limits = HeadLimits(total=400, header=100, count=3, target=50)
    assert read(head("x: " + "a" * 97, "y: b", line="GET /" + "a" * 49 + " HTTP/1.1"), limits).method == "GET"
    with pytest.raises(UriTooLong):
        read(head(line="GET /" + "a" * 50 + " HTTP/1.1"), limits)
    with pytest.raises(HeadTooLarge, match="a request header"):
        read(head("x: " + "a" * 98), limits)
    with pytest.raises(HeadTooLarge, match="many"):
        read(head("x: 1", "y: 2", "z: 3"), limits)
    with pytest.raises(HeadTooLarge):
        read(head("x: " + "a" * 90, "y: " + "b" * 90, "z: " + "c" * 90, "q: " + "c" * 90), limits)
    with pytest.raises(UriTooLong):
        read(head(line="GET /" + "a" * 400 + " HTTP/1.1"), limits)
    with pytest.raises(UriTooLong):
        read(head(line="GET " + "a" * 60 + " HTTP/1.1"), limits)


def test_a_request_line_ends_with_cr_lf_and_so_does_a_head() -> None:
    for raw in (
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        head() + b"x",
        head() + head(),
    ):
        with pytest.raises(BadRequest):
            read(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_an_error(noise: bytes) -> None:
    for raw in (noise, b"GET / HTTP/1.1\r\n" + noise + b"\r\n\r\n", head()[:-2] + noise + b"\r\n\r\n"):
        assert status_of(raw) in (200, 400, 414, 415, 417, 431)


def status_of(raw: bytes) -> int:
    try:
        read(raw)
    except DragomanError as error:
        return error.status
    return 200


def partial(raw: bytes | bytearray, start: int = 0, limits: HeadLimits = LIMITS) -> None:
    check_partial_head(raw, start, limits)


def test_the_beginning_of_any_good_head_is_good() -> None:
    whole = head("x: y", "Content-Length: 3")
    for end in range(1, len(whole)):
        partial(whole[:end])
        partial(bytearray(whole[:end]), max(0, end - 3))


@pytest.mark.parametrize(
    "raw", [b"\x16\x03\x01", b"\n", b"G\n", b"GET / HTTP/1.1\nHost: a\n", b"GET x", b" ", b"\0", b"{"]
)
def test_what_cannot_become_a_head_is_told_at_once(raw: bytes) -> None:
    if raw == b"{":
        raw = b'{"a":1}'
    with pytest.raises(BadRequest):
        partial(raw)


def test_a_beginning_over_the_limits_is_told_at_once() -> None:
    limits = HeadLimits(total=300, target=50)
    with pytest.raises(UriTooLong):
        partial(b"GET /" + b"a" * 150, 0, limits)
    with pytest.raises(UriTooLong):
        partial(b"GET /" + b"a" * 350, 0, limits)
    with pytest.raises(HeadTooLarge):
        partial(b"GET / HTTP/1.1\r\nx: " + b"a" * 300, 0, limits)


CHUNKED = b'5\r\nhello\r\n006;a;b = c;d="\\"x y"\r\n world\r\nA\r\n0123456789\r\n0;last\r\nX-Sum: 1\r\ny:\r\n\r\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_chunked_body_survives_any_cut(size: int) -> None:
    reader, body = ChunkedReader(), b""
    stream = CHUNKED + b"GET / HTTP/1.1\r\n"
    at = 0
    while not reader.done:
        body += reader.feed(stream[at : at + size])
        at += size
    assert body == b"hello world0123456789"
    assert reader.surplus == stream[len(CHUNKED) : at]


def test_a_reader_tells_how_much_of_a_chunk_is_missing() -> None:
    reader = ChunkedReader()
    assert reader.feed(b"ff\r\nab") == b"ab"
    assert reader.awaited == 253


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1\n",
        b"1\r\r\n",
        b"1_0\r\n",
        b"000000001\r\n",
        b"fffffffff\r\n",
        b"1;\r\n",
        b"1;=a\r\n",
        b"1;a=\r\n",
        b'1;a="b\r\n',
        b"1;a\x00\r\n",
        b"1" * 600,
        b"1;" + b"a" * 600,
        b"1\r\nab\r\n",
        b"1\r\nax",
        b"1\r\na\n",
        b"1\r\na\r1",
        b"0\r\nbad header\r\n",
        b"0\r\nx: a\x00\r\n",
        b"0\r\n folded\r\n",
        b"0\r\nx: a\n\r\n",
        b"0\r\n" + b"x: a\r\n" * 2000,
        b"0\r\nx: " + b"a" * 9000,
        (b"1;" + b"a" * 500 + b"\r\nz\r\n") * 9,
    ],
)
@pytest.mark.parametrize("size", [1, 20_000])
def test_a_malformed_chunked_body_is_refused(raw: bytes, size: int) -> None:
    with pytest.raises(BadRequest):
        feed_all(raw, size)


def feed_all(raw: bytes, size: int) -> ChunkedReader:
    reader = ChunkedReader()
    for at in range(0, len(raw), size):
        if not reader.done:
            reader.feed(raw[at : at + size])
    return reader


@given(st.binary(max_size=100), st.integers(1, 20))
def test_any_bytes_are_a_chunked_body_or_an_error(noise: bytes, size: int) -> None:
    with suppress(BadRequest):
        feed_all(noise, size)


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 30))
def test_what_was_chunked_comes_out_again(pieces: list[bytes], size: int) -> None:
    stream = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    reader = ChunkedReader()
    assert b"".join(reader.feed(stream[at : at + size]) for at in range(0, len(stream), size)) == b"".join(pieces)
    assert reader.done
    assert reader.surplus == b""


def test_a_response_head_is_a_status_line_its_lines_and_an_empty_one() -> None:
    assert write_head(200, b"a: b\r\n", b"", b"c: d\r\n") == b"HTTP/1.1 200 OK\r\na: b\r\nc: d\r\n\r\n"
    assert write_head(599) == b"HTTP/1.1 599 \r\n\r\n"
