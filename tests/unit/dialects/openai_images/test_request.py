"""Requests for pictures, as JSON and as forms."""

from collections.abc import Callable

import pytest

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest
from dragoman.core.ports import Limits
from dragoman.dialects.openai_images.request import (
    read_edit,
    read_edit_form,
    read_generation,
    read_variation_form,
)
from tests.form import TYPE, form

PICTURE = ("a.png", b"\x89PNG")
DATA = "data:application/octet-stream;base64,iVBORw=="


def test_a_new_picture_is_asked_for() -> None:
    body = b'{"model":"m","prompt":"a house","n":2,"stream":true,"size":"8x8","user":"u"}'
    call = read_generation(body, Limits())
    assert (call.dialect, call.task, call.stream, call.n) == ("openai_images", "image", True, 2)
    request = call.request
    assert request.messages == [msg.Message("user", [msg.Text("a house")])]
    assert (request.n, request.user, list(request.extra)) == (2, "u", ["size"])


def test_pictures_to_edit_come_in_a_form() -> None:
    body = form(model="m", prompt="a house", n="2", stream="true", **{"image[]": PICTURE})
    call = read_edit_form(body, TYPE, Limits())
    assert (call.dialect, call.media_type, call.stream, call.n) == ("openai_image_edits", TYPE, True, 2)
    assert call.request.messages[0].parts == [msg.Text("a house"), msg.Image(DATA)]


def test_pictures_to_edit_may_be_somewhere_else() -> None:
    body = b'{"model":"m","prompt":"a","images":[{"image_url":"https://x"},{"file_id":"f"}]}'
    call = read_edit(body, Limits())
    assert call.request.messages[0].parts == [msg.Text("a"), msg.Image("https://x"), msg.File(id="f")]


def test_a_picture_to_vary_needs_no_words() -> None:
    call = read_variation_form(form(model="m", image=PICTURE, stream="true"), TYPE, Limits())
    assert (call.dialect, call.stream) == ("openai_image_variations", False)
    assert call.request.messages[0].parts == [msg.Image(DATA)]


@pytest.mark.parametrize(
    ("read", "param"),
    [
        (lambda: read_generation(b'{"prompt":"a"}', Limits()), "model"),
        (lambda: read_generation(b'{"model":"m"}', Limits()), "prompt"),
        (lambda: read_generation(b'{"model":"m","prompt":"a","n":0}', Limits()), "n"),
        (lambda: read_generation(b'{"model":"m","prompt":"a","partial_images":"2"}', Limits()), "partial_images"),
        (lambda: read_edit(b'{"model":"m","prompt":"a"}', Limits()), "images"),
        (lambda: read_edit(b'{"model":"m","prompt":"a","images":7}', Limits()), "images"),
        (lambda: read_edit_form(form(model="m", prompt="a"), TYPE, Limits()), "image"),
        (lambda: read_edit_form(form(model="m", image=PICTURE), TYPE, Limits()), "prompt"),
        (lambda: read_variation_form(form(model="m", image="a"), TYPE, Limits()), "image"),
    ],
)
def test_what_is_missing_or_wrong_is_told_by_name(read: Callable[[], Call], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read()
    assert caught.value.param == param


@pytest.mark.parametrize(("images", "param"), [("[{}]", "images[0]"), ("[7]", "[0]")])
def test_a_picture_that_is_nowhere_is_refused(images: str, param: str) -> None:
    call = read_edit(f'{{"model":"m","prompt":"a","images":{images}}}'.encode(), Limits())
    with pytest.raises(BadRequest) as caught:
        call.read()
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("more", "by_value"),
    [
        ("", False),
        (',"response_format":"url"', False),
        (',"response_format":"b64_json"', True),
        (',"stream":true', True),
    ],
)
def test_a_picture_comes_along_where_no_address_can_be_told(more: str, by_value: bool) -> None:
    call = read_generation(f'{{"model":"m","prompt":"a"{more}}}'.encode(), Limits())
    assert call.by_value is by_value
    assert call.words.reasons["response_format"] == ""
