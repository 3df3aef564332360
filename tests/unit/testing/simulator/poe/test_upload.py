"""Uploads: a raw key, three forms of a file, and errors as plain text."""

from urllib.parse import urlencode

import pytest

from tests.unit.testing.simulator.poe.client import Client, Reply

PATH = "poe_api/file_upload_3RD_PARTY_POST"
KIND = "multipart/form-data; boundary=b"


def form(name: str, data: bytes, field: str = "file", kind: str = "Content-Type: image/png\r\n") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n{kind}\r\n'
    return head.encode() + data + b"\r\n--b--\r\n"


def upload(client: Client, body: bytes, kind: str = KIND, key: str = "key") -> Reply:
    return client.send("POST", PATH, body, authorization=key, content_type=kind)


def fetch(client: Client, reply: Reply) -> Reply:
    return client.get(str(reply.at("attachment_url")).partition("/poe/")[2])


def link(**fields: str) -> bytes:
    return urlencode(fields).encode()


LINK = "application/x-www-form-urlencoded"


def test_a_file_is_taken_and_served() -> None:
    client = Client()
    reply = upload(client, form("a.png", b"\x89PNG"))
    assert (reply.status, reply.at("mime_type")) == (200, "image/png")
    served = fetch(client, reply)
    assert (served.data, served.headers["content-type"]) == (b"\x89PNG", "image/png")


def test_a_type_that_is_not_said_is_guessed_by_name() -> None:
    assert upload(Client(), form("A.PDF", b"", kind="")).at("mime_type") == "application/pdf"
    assert upload(Client(), form("what", b"", kind="")).at("mime_type") == "application/octet-stream"


def test_what_lies_at_an_address_is_taken() -> None:
    client = Client()
    reply = upload(client, link(download_url="https://example.com/a.txt?x=1"), LINK)
    assert reply.at("mime_type") == "text/plain"
    assert fetch(client, reply).data == b"https://example.com/a.txt?x=1"


def test_a_name_says_what_an_address_does_not() -> None:
    reply = upload(Client(), link(download_url="https://example.com/a", download_filename="b.mp3"), LINK)
    assert reply.at("mime_type") == "audio/mpeg"


def test_a_file_of_its_own_is_taken_again() -> None:
    client = Client()
    first = upload(client, form("a.png", b"\x89PNG"))
    again = upload(client, link(download_url=str(first.at("attachment_url"))), LINK)
    assert again.data == first.data


@pytest.mark.parametrize("url", ["data:text/plain;base64,aGVsbG8=", "data:text/plain,hel%6Co"])
def test_a_data_url_is_its_own_file(url: str) -> None:
    client = Client()
    reply = upload(client, link(download_url=url), LINK)
    assert (reply.at("mime_type"), fetch(client, reply).data) == ("text/plain", b"hello")


def test_a_data_url_without_a_type_is_bytes() -> None:
    assert upload(Client(), link(download_url="data:,x"), LINK).at("mime_type") == "application/octet-stream"


@pytest.mark.parametrize("key", ["Bearer key", "", "bad"])
def test_the_key_stands_alone(key: str) -> None:
    reply = upload(Client(), form("a.png", b""), key=key)
    assert (reply.status, reply.headers["content-type"]) == (401, "text/plain")
    assert reply.data.startswith(b"Incorrect API key provided.")


@pytest.mark.parametrize("name", ["sim-error-413", "sim-error-413.png"])
def test_an_upload_fails_when_its_name_says_so(name: str) -> None:
    assert upload(Client(), form(name, b"")).status == 413
    assert upload(Client(), link(download_url=f"https://example.com/{name}"), LINK).status == 413


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form("a.png", b"", field="other"), KIND),
        (b"nothing", KIND),
        (b"", LINK),
        (link(download_url="data:text/plain;base64,%"), LINK),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, kind: str) -> None:
    assert upload(Client(), body, kind).status == 400


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("POST", "poe_api/other")])
def test_nothing_else_is_there(method: str, path: str) -> None:
    assert Client().send(method, path, authorization="key").status == 404


def test_uploads_count_as_requests() -> None:
    client = Client()
    assert [upload(client, form("a", b""), key="any;limit=1").status for _ in range(2)] == [200, 429]
