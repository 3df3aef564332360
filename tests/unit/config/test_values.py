"""What a single value may be: for each type what it takes, and what it does not."""

import msgspec
import pytest

from dragoman.config.values import (
    PROXY,
    CaFile,
    HeaderName,
    ModelName,
    Name,
    Origin,
    Pattern,
    Secret,
    Served,
    StoreUrl,
    Target,
    Url,
    Version,
)

TAKEN = {
    Url: ["http://a", "https://a.b:1/v1/", "http://[::1]:65535/v1"],
    StoreUrl: ["sqlite://", "sqlite:///a.db", "sqlite:////var/a b.db"],
    Name: ["a", "A-1_.b", "a" * 64],
    ModelName: ["gpt-4o", "a/b:c*", "~"],
    Served: ["*", "a/b", "gpt-4.1"],
    Target: ["a/b", "lab/x/y:z"],
    Pattern: ["*", "gpt-*", "gpt-4"],
    HeaderName: ["X-Title", "a_b"],
    Version: ["1", "0.33.0"],
    Origin: ["http://a:*", "app://*", "moz-extension://abc"],
    CaFile: ["/etc/ca.pem", "ca.pem"],
}
REFUSED = {
    Url: [
        "",
        "ftp://lab/v1",
        "lab:8000/v1",
        "http://",
        "http://user:hunter2@lab/v1",
        "http://lab/v1?version=1",
        "http://lab/v1#top",
        "http://lab /v1",
        "http://lab:port/v1",
        "http://[::1/v1",
        "$LAB_URL",
    ],
    StoreUrl: ["sqlite:/a", "redis://a", "sqlite://a.db"],
    Name: ["", "a b", "a/b", "a" * 65],
    ModelName: ["", "a b", "é", "a" * 257],
    Served: ["", "gpt-*", "a b"],
    Target: ["a", "/b", "a/", "a/b c"],
    Pattern: ["", "g*4", "**"],
    HeaderName: ["", "a b", "a:", "é"],
    Version: ["", "v1", "1.", "1.0-rc1"],
    Origin: ["localhost", "http://*.a", "HTTP://a"],
    CaFile: [""],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TAKEN.items() for text in texts])
def test_what_fits_is_taken_as_it_is(kind: type[str], text: str) -> None:
    assert msgspec.convert(text, kind) == text


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts])
def test_what_does_not_fit_is_refused(kind: type[str], text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, kind)


def test_a_secret_is_equal_to_the_same_secret_alone() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"), Secret("a")} == {Secret("a")}
    assert (Secret("a").reveal(), repr(Secret("a"))) == ("a", "***")


def test_a_proxy_may_have_a_user_and_a_port() -> None:
    assert PROXY.fullmatch("socks5h://u:p@proxy:1080")
    assert not PROXY.fullmatch("proxy:1080")
