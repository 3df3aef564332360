"""Base URLs: what is taken out of them, and which are refused."""

import pytest

from dragoman.net.origin import Origin, parse_origin


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("https://api.example.com/v1", Origin("https", "api.example.com", 443, "/v1"), "api.example.com"),
        ("http://API.Example.com", Origin("http", "api.example.com", 80), "api.example.com"),
        ("http://127.0.0.1:8000/", Origin("http", "127.0.0.1", 8000), "127.0.0.1:8000"),
        ("https://h:443/a/b//", Origin("https", "h", 443, "/a/b"), "h"),
        ("http://h:443", Origin("http", "h", 443), "h:443"),
        ("HTTP://under_score.local.:1", Origin("http", "under_score.local.", 1), "under_score.local.:1"),
        ("http://[0:0::1]:11434/api", Origin("http", "::1", 11434, "/api"), "[::1]:11434"),
        ("https://[2001:DB8::1]", Origin("https", "2001:db8::1", 443), "[2001:db8::1]"),
    ],
)
def test_a_base_url_is_taken_apart(url: str, origin: Origin, authority: str) -> None:
    assert parse_origin(url) == origin
    assert parse_origin(url).authority == authority


def test_only_https_is_secure() -> None:
    assert parse_origin("https://h").secure
    assert not parse_origin("http://h").secure


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com/v1",
        "//api.example.com",
        "ftp://h",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://user@h",
        "http://user:secret@h",
        "http://@h",
        "http://h?api-version=1",
        "http://h/v1?",
        "http://h/v1#top",
        "http://h/#",
        "http://h\r\nx: y",
        "http://h/a\tb",
        "http://h/a b",
        "http://h/\x00",
        "http://h/\x7f",
        "http://h\\@evil",
        "http://hést",
        "http://h:0",
        "http://h:",
        "http://h:65536",
        "http://h:-1",
        "http://h:8x",
        "http://.h",
        "http://a..b",
        "http://h%41",
        "http://h;a",
        "http://-h",
        f"http://{'a' * 64}",
        f"http://{'a.' * 150}com",
        "http://[::1",
        "http://::1/",
        "http://[1.2.3.4]",
        "http://[hello]",
        "http://[fe80::1%25eth0]",
        "http://[::1]x",
    ],
)
def test_a_base_url_that_is_not_plain_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the URL ") as caught:
        parse_origin(url)
    assert "secret" not in str(caught.value)
    assert "evil" not in str(caught.value)
