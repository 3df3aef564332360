"""The size of a picture, in the words of a model that makes pictures in a chat."""

import pytest
from msgspec import Raw

from dragoman.core.loss import carry
from dragoman.core.ports import Limits
from dragoman.core.quirks import Quirks
from dragoman.dialects import inbound
from dragoman.dialects.openai_chat.outbound import fitted

RATIOS = Quirks(fields=frozenset(), shape="aspect_ratio", shapes=("1:1", "3:2", "2:3", "odd"))
SIZES = Quirks(fields=frozenset(), shape="size", shapes=("1280x720", "720x1280"))


def told(size: str, quirks: Quirks) -> tuple[dict[str, Raw], dict[str, str]]:
    """Return what the model is told beside the prompt, and what the client is told of it."""
    body = f'{{"model":"m","prompt":"A cat","size":{size}}}'.encode()
    call = inbound("openai_images").read_call(body, Limits())
    request, lost = carry(call.request, call.dialect, call.words, fitted(quirks).terms)
    return request.extra, lost


@pytest.mark.parametrize(
    ("size", "quirks", "shape"), [('"1000x1050"', RATIOS, "1:1"), ('"3840x2160"', SIZES, "1280x720")]
)
def test_the_nearest_shape_is_told_and_named(size: str, quirks: Quirks, shape: str) -> None:
    extra, lost = told(size, quirks)
    assert extra == {quirks.shape: Raw(f'"{shape}"'.encode())}
    assert lost == {"size": f"told as the shape {shape}"}


@pytest.mark.parametrize(("size", "shape"), [('"1024x1024"', b'"1:1"'), ('"1536x1024"', b'"3:2"')])
def test_a_size_of_the_same_shape_is_no_loss_to_who_counts_no_pixels(size: str, shape: bytes) -> None:
    assert told(size, RATIOS) == ({"aspect_ratio": Raw(shape)}, {})


@pytest.mark.parametrize(("size", "quirks"), [('"3:2"', RATIOS), ('"720x1280"', SIZES)])
def test_a_shape_that_the_model_knows_is_told_as_it_is(size: str, quirks: Quirks) -> None:
    assert told(size, quirks) == ({quirks.shape: Raw(size.encode())}, {})


@pytest.mark.parametrize("size", ['"1792x1024"', '"large"', '"0x5"', '"123456x1"'])
def test_a_shape_that_the_model_does_not_make_is_lost(size: str) -> None:
    assert told(size, RATIOS) == ({}, {"size": "the model makes no pictures of this shape"})


@pytest.mark.parametrize("size", ['"auto"', "null"])
def test_any_shape_needs_no_words(size: str) -> None:
    assert told(size, RATIOS) == ({}, {})


def test_a_model_without_shapes_is_told_none() -> None:
    assert told('"1024x1024"', Quirks(fields=frozenset()))[0] == {}
    assert list(told('"1024x1024"', Quirks(fields=frozenset()))[1]) == ["size"]


def test_who_says_no_size_is_asked_as_before() -> None:
    call = inbound("openai_images").read_call(b'{"model":"m","prompt":"A cat"}', Limits())
    assert carry(call.request, call.dialect, call.words, fitted(RATIOS).terms)[1] == {}


def test_what_is_no_text_is_no_shape() -> None:
    call = inbound("openai_chat").read_call(
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"size":7}', Limits()
    )
    extra = carry(call.request, call.dialect, call.words, fitted(RATIOS).terms)[1]
    assert extra == {"size": "the model makes no pictures of this shape"}
