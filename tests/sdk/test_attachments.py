"""What clients attach, at every kind of upstream: in its own form where it is good, a 400 that names it where not."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Generator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest
from msgspec import Struct
from openai import OpenAI

from tests.sdk.four_clients import CLIENTS, Client, Turn, Wish, open_client
from tests.sdk.process import Served
from tests.sdk.upstream_kinds import KEY, PIXEL, serving

LINK = "http://127.0.0.1:9/hat.png"
"""Where nobody listens, and nobody may look."""
LARGE = PIXEL[:-4] + "A" * 2000
"""More than the thousand bytes that may be uploaded to a bot."""
GIF_MARK = "a picture of its own"
GIF = b64encode(b"GIF89a" + GIF_MARK.encode()).decode()
PDF, WAV = "JVBERi0xLjQK", "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
MODELS = [
    *("openai/instant", "anthropic/instant", "ollama/instant", "qwen/qwen-plus", "poe/grok-4"),
    *("poe/claude-haiku-4.5", "poe/gpt-5.4-mini", "poe_bot/Grok-4"),
]
LINKING = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
"""Where a picture may be a link."""
PATHS = (*LINKING, "/api/chat")
TRANSLATED = [
    *(("/v1/chat/completions", model) for model in ("anthropic/instant", "ollama/instant", "poe_bot/Grok-4")),
    *(("/v1/responses", model) for model in MODELS if not model.startswith("poe/")),
    *(("/v1/messages", model) for model in MODELS if not model.startswith(("anthropic/", "poe/claude"))),
]
"""Clients of another dialect than the upstream's; one of the same is for the upstream to judge, by its own rules."""


class Attached(Struct):
    """A file beside a message of the bot protocol."""

    url: str
    content_type: str
    name: str


class Turns(Struct):
    """A turn of the bot protocol."""

    attachments: list[Attached]


class Query(Struct):
    """What a bot is asked."""

    query: list[Turns]


class Heard(Struct):
    """One request that the simulated Poe has had."""

    path: str
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def gateway(upstream: Served, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    with serving(upstream.address, tmp_path_factory.mktemp("attached")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def fetching(upstream: Served, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A gateway that may fetch what is linked."""
    with serving(upstream.address, tmp_path_factory.mktemp("fetching"), fetch=True) as gateway:
        yield gateway


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest, gateway: Served) -> Generator[Client]:
    with open_client(request.param, gateway.address) as client:
        yield client


def heard(upstream: Served, place: str) -> list[Heard]:
    """Return what Poe was asked at a path that begins with `place`."""
    with urlopen(f"{upstream.address}/poe/heard", timeout=30) as answer:
        every = msgspec.json.decode(answer.read(), type=list[Heard])
    return [one for one in every if one.path.startswith(place)]


def attach(path: str, model: str, part: Turn, *, stream: bool = False) -> Turn:
    """Return a body in the dialect that is spoken at `path`, whose system has the first word."""
    if path == "/api/chat":
        shown: list[Turn] = [{"role": "user", "content": "See", "images": [part["data"]]}]
        return {"model": model, "messages": [{"role": "system", "content": "Be brief."}, *shown], "stream": stream}
    words: Turn = {"type": "input_text" if path == "/v1/responses" else "text", "text": "See"}
    turns: list[Turn] = [{"role": "user", "content": [words, part]}]
    match path:
        case "/v1/responses":
            return {"model": model, "instructions": "Be brief.", "input": turns, "stream": stream}
        case "/v1/messages":
            return {"model": model, "system": "Be brief.", "max_tokens": 99, "messages": turns, "stream": stream}
        case _:
            return {"model": model, "messages": [{"role": "system", "content": "Be brief."}, *turns], "stream": stream}


def picture(path: str, media_type: str, data: str) -> Turn:
    """Return a picture that comes along, in the words of the dialect at `path`."""
    url = f"data:{media_type};base64,{data}"
    match path:
        case "/v1/responses":
            return {"type": "input_image", "image_url": url, "detail": "auto"}
        case "/v1/messages":
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
        case "/api/chat":
            return {"data": data}
        case _:
            return {"type": "image_url", "image_url": {"url": url}}


def link(path: str, url: str) -> Turn:
    """Return a picture that is somewhere else, in the words of the dialect at `path`."""
    match path:
        case "/v1/responses":
            return {"type": "input_image", "image_url": url, "detail": "auto"}
        case "/v1/messages":
            return {"type": "image", "source": {"type": "url", "url": url}}
        case _:
            return {"type": "image_url", "image_url": {"url": url}}


def document(path: str, data: str) -> Turn:
    """Return a document, in the words of OpenAI's dialect at `path`."""
    file = {"filename": "a.pdf", "file_data": data}
    return {"type": "input_file", **file} if path == "/v1/responses" else {"type": "file", "file": file}


def ask(gateway: Served, path: str, body: Turn) -> tuple[int, bytes]:
    """Return the status and the body of the answer."""
    request = Request(gateway.address + path, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def refused(gateway: Served, path: str, body: Turn) -> tuple[str, str | None, str | None]:
    """Return message, `param` and `code` of a 400, as far as the dialect at `path` tells them."""
    status, answer = ask(gateway, path, body)
    assert status == 400
    told = json.loads(answer)["error"]
    if isinstance(told, str):
        return told, None, None
    return told["message"], told.get("param"), told.get("code")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_a_picture_that_comes_along_reaches_every_kind(client: Client, model: str, *, stream: bool) -> None:
    said = client.ask(model, client.says("What is it?", PIXEL), Wish(stream=stream))
    received = re.search(r"I received 1 image: (.+?)\. ", said.text)
    assert received is not None
    uploaded = model.startswith("poe_bot/")
    assert ("/poe/base/image/" in received[1]) if uploaded else received[1] == "image/png of 70 bytes"
    assert set(client.heads.losses) <= {"max_tokens"}


@pytest.mark.parametrize("path", LINKING)
@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("ollama/")])
def test_a_link_is_passed_on_as_it_is(gateway: Served, fetching: Served, model: str, path: str) -> None:
    for one in (gateway, fetching):
        status, answer = ask(one, path, attach(path, model, link(path, LINK)))
        assert status == 200
        assert f"I received 1 image: {LINK}." in answer.decode()


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/chat/completions", "image_url"), ("/v1/responses", "input_image"), ("/v1/messages", "image")],
)
def test_a_link_is_lost_where_only_bytes_are_taken_and_nobody_may_fetch_it(
    gateway: Served, path: str, name: str
) -> None:
    body = json.dumps(attach(path, "ollama/instant", link(path, LINK))).encode()
    headers = {"content-type": "application/json"}
    with urlopen(Request(gateway.address + path, body, headers), timeout=30) as answer:
        assert answer.headers["x-dragoman-loss"] == name
        assert b"I received" not in answer.read()
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(gateway.address + path, body, {**headers, "x-dragoman-strict": "true"}), timeout=30)
    assert caught.value.code == 400
    assert "not its address" in caught.value.read().decode()


@pytest.mark.parametrize("path", LINKING)
@pytest.mark.parametrize(
    "url",
    [
        LINK,
        "http://localhost/hat.png",
        "http://[::1]/hat.png",
        "http://2130706433/hat.png",
        "http://0x7f.1/hat.png",
        "http://[::ffff:127.0.0.1]/hat.png",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/hat.png",
        "http://user:secret@127.0.0.1/hat.png",
    ],
)
def test_a_link_that_leads_into_our_own_network_is_refused_and_nobody_learns_why(
    fetching: Served, path: str, url: str
) -> None:
    message, param, code = refused(fetching, path, attach(path, "ollama/instant", link(path, url)))
    assert message == "the URL cannot be used: it must lead to a public file of an accepted type and size"
    if path != "/v1/messages":  # which have no place for them
        assert (param, code) == ("messages[1].content[1]", "invalid_image_url")


def test_what_comes_along_is_uploaded_to_poe_once_and_told_by_its_address(upstream: Served, gateway: Served) -> None:
    told: list[Attached] = []
    for path in PATHS:
        status, _ = ask(gateway, path, attach(path, "poe_bot/Grok-4", picture(path, "image/gif", GIF)))
        assert status == 200
        asked = msgspec.json.decode(heard(upstream, "bot/Grok-4")[-1].body, type=Query)
        told += asked.query[-1].attachments
    assert len(told) == len(PATHS)
    assert {(one.content_type, one.name.rpartition(".")[2]) for one in told} == {("image/gif", "gif")}
    assert len({one.url for one in told}) == 1
    uploads = [one for one in heard(upstream, "poe_api/") if GIF_MARK in one.body]
    assert [one.headers["authorization"] for one in uploads] == [KEY]
    assert 'form-data; name="file"; filename="' in uploads[0].body
    with urlopen(told[0].url, timeout=30) as answer:
        assert answer.read() == b64decode(GIF)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("openai/instant", "I received 1 file: a.pdf, application/pdf of 9 bytes."),
        ("anthropic/instant", "I received 1 file: a.pdf, application/pdf of 9 bytes."),
        ("poe/gpt-5.4-mini", "I received 1 file: a.pdf, application/pdf of 9 bytes."),
        ("poe_bot/Grok-4", "I received 1 file: a.pdf, upload http"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_a_document_reaches_who_takes_documents(gateway: Served, path: str, model: str, said: str) -> None:
    status, answer = ask(gateway, path, attach(path, model, document(path, f"data:application/pdf;base64,{PDF}")))
    assert (status, said in answer.decode()) == (200, True)


@pytest.mark.parametrize(("model", "said"), [("openai/instant", "audio/wav of 44 bytes"), ("poe_bot/Grok-4", ".wav")])
def test_a_sound_reaches_who_hears(gateway: Served, model: str, said: str) -> None:
    path = "/v1/chat/completions"
    part: Turn = {"type": "input_audio", "input_audio": {"format": "wav", "data": WAV}}
    status, answer = ask(gateway, path, attach(path, model, part))
    assert (status, said in answer.decode()) == (200, True)


@pytest.mark.parametrize(("model", "name"), [("anthropic/instant", "input_audio"), ("ollama/instant", "input_audio")])
def test_a_sound_is_told_as_lost_by_who_does_not(gateway: Served, model: str, name: str) -> None:
    path = "/v1/chat/completions"
    part: Turn = {"type": "input_audio", "input_audio": {"format": "wav", "data": WAV}}
    body = json.dumps(attach(path, model, part)).encode()
    with urlopen(Request(gateway.address + path, body, {"content-type": "application/json"}), timeout=30) as answer:
        assert answer.headers["x-dragoman-loss"] == name


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("media_type", "data", "reason"),
    [
        ("image/png", "@@@@", "its base64 is invalid"),
        ("image/png", PIXEL[:-1], "its base64 is invalid"),
        ("image/png", "", "its base64 is invalid"),
        ("text/html", PIXEL, "expected a media type that begins with image/"),
    ],
)
@pytest.mark.parametrize(("path", "model"), TRANSLATED)
def test_a_picture_that_is_not_what_it_says_is_refused_by_its_place(
    gateway: Served, path: str, model: str, media_type: str, data: str, reason: str, *, stream: bool
) -> None:
    body = attach(path, model, picture(path, media_type, data), stream=stream)
    message, param, code = refused(gateway, path, body)
    assert message == f"invalid 'messages[1].content[1]': {reason}"
    if path != "/v1/messages":  # which have no place for them
        assert (param, code) == ("messages[1].content[1]", "invalid_attachment")


@pytest.mark.parametrize("data", ["@@@@", "", "AAAA"])
@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("ollama/")])
def test_ollama_pictures_are_told_by_their_bytes(gateway: Served, model: str, data: str) -> None:
    message, _, _ = refused(gateway, "/api/chat", attach("/api/chat", model, {"data": data}))
    assert message == "invalid image in 'messages[1].images[0]': expected a PNG, JPEG, WebP or GIF in base64"


@pytest.mark.parametrize("path", LINKING)
def test_what_is_no_picture_is_refused_by_its_place_where_bytes_are_all_that_counts(gateway: Served, path: str) -> None:
    message, param, _ = refused(gateway, path, attach(path, "ollama/instant", picture(path, "image/png", "A" * 64)))
    assert message == "invalid image in 'messages[1].content[1]': expected a PNG, JPEG, WebP or GIF in base64"
    assert param == (None if path == "/v1/messages" else "messages[1].content[1]")


@pytest.mark.parametrize("path", PATHS)
def test_an_attachment_over_the_limit_is_refused_by_its_place(gateway: Served, path: str) -> None:
    body = attach(path, "poe_bot/Grok-4", picture(path, "image/png", LARGE))
    message, param, code = refused(gateway, path, body)
    assert message == "invalid 'messages[1].content[1]': more than 1000 bytes"
    if path.startswith("/v1/") and path != "/v1/messages":
        assert (param, code) == ("messages[1].content[1]", "attachment_too_large")


def test_an_uploaded_picture_reaches_a_model_that_paints_in_a_chat(upstream: Served, gateway: Served) -> None:
    with OpenAI(base_url=f"{gateway.address}/v1", api_key="any", max_retries=0, timeout=30) as client:
        painted = client.images.edit(
            model="poe/nano-banana-pro", image=("hat.png", b64decode(PIXEL)), prompt="Add a hat"
        )
    assert painted.data
    content = json.loads(heard(upstream, "v1/chat/completions")[-1].body)["messages"][-1]["content"]
    assert {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}} in content
