"""What is named and not written is found, and what is wrong with it is told without showing it."""

from pathlib import Path

import pytest

from dragoman.config.hidden import read_header, read_hidden, read_key, read_proxy


@pytest.mark.parametrize("text", ["", "plain", "file:/etc/passwd", "a$B", " $B"])
def test_a_text_that_names_nothing_is_itself(text: str) -> None:
    assert read_hidden(text, {"B": "b"}) == text


def test_a_variable_is_read_once() -> None:
    assert read_hidden("$LAB_KEY", {"LAB_KEY": "$OTHER", "OTHER": "x"}) == "$OTHER"


def test_a_file_is_read_without_the_white_space_around_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" sk-1\r\n")
    assert read_hidden(f"$file:{tmp_path}/key", {}) == "sk-1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$LAB_KEY", "the environment variable LAB_KEY is not set"),
        ("$EMPTY", "the environment variable EMPTY is not set"),
        ("$", "expected $NAME or $file:/path"),
        ("$hunter-2!", "expected $NAME or $file:/path"),
        ("$file:key", "expected an absolute path after $file:"),
        ("$file:/nowhere/key", "cannot read /nowhere/key: No such file or directory"),
        ("$file:/nowhere\0/key", "the file is not text"),
    ],
)
def test_what_names_nothing_that_is_there_is_a_mistake(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 — the message is compared below
        read_hidden(text, {"EMPTY": ""})
    assert str(caught.value) == reason


def test_a_file_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"^the file is not text$"):
        read_hidden(f"$file:{tmp_path}/key", {})


@pytest.mark.parametrize("text", ["", "hunter 2", "hunter\u00e9", "hunter\n2", "a\r\nx-evil: 2", "\x7f"])
def test_a_key_is_of_printable_ascii(text: str) -> None:
    assert read_key("sk-!~") == "sk-!~"
    with pytest.raises(ValueError, match=r"^expected printable ASCII without spaces$"):
        read_key(text)


@pytest.mark.parametrize("url", ["http://proxy", "socks5://u:p%20w@[::1]:1080", "socks5h://proxy.lab:1080/"])
def test_a_proxy_is_a_url(url: str) -> None:
    assert read_proxy(url) == url


@pytest.mark.parametrize("url", ["", "proxy:3128", "https://proxy", "socks4://proxy", "http://a b@proxy", "http://u@"])
def test_a_proxy_that_is_none_is_a_mistake(url: str) -> None:
    with pytest.raises(ValueError, match=r"^expected http://, socks5:// or socks5h:// and a host"):
        read_proxy(url)


@pytest.mark.parametrize("text", ["k\r\nevil: 1", "\u00e9", "a\0b"])
def test_a_header_is_of_one_line(text: str) -> None:
    assert read_header(" a b ") == "a b"
    assert read_header("") == ""
    with pytest.raises(ValueError, match=r"^expected printable ASCII$"):
        read_header(text)
