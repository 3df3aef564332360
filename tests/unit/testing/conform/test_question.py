"""What is asked: it has to be askable."""

from binascii import a2b_base64

import jsonschema_rs
import pytest

from dragoman.testing.conform.field import Field, Json
from dragoman.testing.conform.question import ANSWER_FORM, IMAGE, TOOL_FORM


@pytest.mark.parametrize("form", [TOOL_FORM, ANSWER_FORM])
def test_the_schemas_are_schemas(form: dict[str, Json]) -> None:
    jsonschema_rs.meta.validate(form)
    assert Field("", form)["properties"].members().keys() == {
        item.text() for item in Field("", form)["required"].items()
    }


def test_the_image_is_a_png_of_32_by_32() -> None:
    data = a2b_base64(IMAGE)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert data[16:24] == bytes([0, 0, 0, 32] * 2)
    assert data[-8:-4] == b"IEND"
