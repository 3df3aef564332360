"""Files: kept, found and served."""

import pytest

from dragoman.testing.simulator.poe import gallery as subject
from dragoman.testing.simulator.poe.gallery import File, Gallery
from dragoman.testing.simulator.poe.refusal import Refused
from tests.unit.testing.simulator.poe.client import Client, Reply


@pytest.mark.parametrize(
    ("kind", "media_type", "begins"),
    [("image", "image/png", b"\x89PNG"), ("audio", "audio/wav", b"RIFF"), ("video", "video/mp4", b"\0\0\0")],
)
def test_a_file_is_served_without_extension_or_key(kind: str, media_type: str, begins: bytes) -> None:
    client = Client("")
    gallery = Gallery(3)
    url = gallery.keep(gallery.make(kind, "a cat"), {"host": "poe.test"})
    host, _, path = url.partition("/poe/base/")
    assert host == "http://poe.test"
    assert path.startswith(f"{kind}/")
    assert len(path) == len(kind) + 65
    assert "." not in path
    reply = Reply(gallery.answer("GET", f"{path}?w=1024&h=1024", {}, b""))
    assert reply.headers == {"content-type": media_type}
    assert reply.data.startswith(begins)
    assert client.get(f"base/{path}").status == 404  # another Poe's file


def test_a_document_has_a_place_too() -> None:
    assert "/poe/base/file/" in Gallery(0).keep(File("application/pdf", b"%PDF"), {})


def test_without_a_host_the_address_is_nowhere() -> None:
    assert Gallery(0).keep(File("image/png", b""), {}).startswith("http://simulator.invalid/")


def test_a_file_is_found_by_its_address() -> None:
    gallery = Gallery(0)
    file = File("text/plain", b"hello")
    assert gallery.find(gallery.keep(file, {})) is file
    assert gallery.find("https://example.com/a.png") is None


def test_a_file_is_only_looked_at() -> None:
    gallery = Gallery(0)
    path = gallery.keep(File("text/plain", b"hello"), {}).partition("/base/")[2]
    assert gallery.answer("HEAD", path, {}, b"").status == 200
    with pytest.raises(Refused):
        gallery.answer("DELETE", path, {}, b"")


def test_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_FILES", 2)
    gallery = Gallery(0)
    urls = [gallery.keep(File("text/plain", data), {}) for data in (b"1", b"2", b"3")]
    assert [gallery.find(url) is None for url in urls] == [True, False, False]
