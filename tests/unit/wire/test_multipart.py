"""Forms: what is in them, what is refused, and what stays as it was."""

import random
from contextlib import suppress

import pytest

from dragoman.core.errors import BadRequest
from dragoman.wire.multipart import MAX_HEAD, MAX_PARTS, MAX_TEXT, Form, read_form

TYPE = "multipart/form-data; boundary=b-1"
END = b"--b-1--\r\n"


def field(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b-1\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def read(*parts: bytes) -> Form:
    return read_form(b"".join(parts) + END, TYPE)


def reason(body: bytes, kind: str = TYPE) -> str:
    with pytest.raises(BadRequest) as caught:
        read_form(body, kind)
    assert caught.value.code == "invalid_form"
    return caught.value.message.removeprefix("the form cannot be read: ")


FILE = field("file", b"\0\xff\r\n--b-\r\n", '; filename="a \xe4.wav"\r\nContent-Type: audio/wav')


def test_fields_and_files_are_found_where_they_stand() -> None:
    form = read(field("model", b"m"), FILE, field("empty", b""))
    assert [(part.name, part.file, part.media_type) for part in form.parts] == [
        ("model", None, ""),
        ("file", "a \xe4.wav", "audio/wav"),
        ("empty", None, ""),
    ]
    assert [form.data(part) for part in form.parts] == [b"m", b"\0\xff\r\n--b-\r\n", b""]
    assert form.text(form.parts[0]) == "m"


def test_a_form_may_be_empty_and_end_without_a_line_end() -> None:
    assert read_form(b"--b-1--", TYPE).parts == []


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data;boundary=b-1",
        'Multipart/Form-Data; charset=utf-8; BOUNDARY="b-1"',
        "multipart/form-data; boundary=b-1; charset=utf-8",
    ],
)
def test_the_boundary_is_found_in_every_spelling(kind: str) -> None:
    assert len(read_form(field("a", b"1") + END, kind).parts) == 1


@pytest.mark.parametrize(
    ("text", "name", "file"),
    [
        ('form-data; name="a%22b"', 'a"b', None),
        (r'form-data; name="a\"b\\"', 'a"b\\', None),
        ("form-data; name=a", "a", None),
        ('FORM-DATA ; name="a"; filename=""', "a", ""),
        ("form-data; name=a; filename*=UTF-8''x", "a", "UTF-8''x"),
    ],
)
def test_names_are_read_as_browsers_and_libraries_write_them(text: str, name: str, file: str | None) -> None:
    form = read_form(f"--b-1\r\nX-Other: 1\r\ncontent-disposition:{text}\r\n\r\n1\r\n".encode() + END, TYPE)
    assert [(part.name, part.file) for part in form.parts] == [(name, file)]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "it does not begin with its boundary"),
        (b"hello\r\n" + END, "it does not begin with its boundary"),
        (field("a", b"1"), "it ends before its last boundary"),
        (field("a", b"1")[:-2], "it ends before its last boundary"),
        (END + b"more", "something follows its end"),
        (b"--b-12\r\n" + END, "a boundary is not alone on its line"),
        (field("a", b"1\r\n--b-1x") + END, "a boundary is not alone on its line"),
        (b"--b-1\r\nA: 1\r\n", "a part without header lines, or more than 8192 bytes of them"),
        (field("a" * MAX_HEAD, b"1") + END, "a part without header lines, or more than 8192 bytes of them"),
        (b"--b-1\r\nA: 1\r\n b\r\n\r\n1\r\n" + END, "a header line is malformed, or there twice"),
        (b"--b-1\r\nA: 1\r\na: 2\r\n\r\n1\r\n" + END, "a header line is malformed, or there twice"),
        (b"--b-1\r\nA: \xff\r\n\r\n1\r\n" + END, "a header line is not UTF-8"),
        (b"--b-1\r\nA: 1\r\n\r\n1\r\n" + END, "a part has no name"),
        (field("", b"1") + END, "a part has no name"),
        (field("a", b"1", '; name="b"') + END, "a content-disposition is malformed"),
        (field("a", b"1", '; "b"') + END, "a content-disposition is malformed"),
        (field("a", b"1") * (MAX_PARTS + 1) + END, "more than 256 parts"),
    ],
)
def test_what_two_readers_might_read_differently_is_refused(body: bytes, told: str) -> None:
    assert reason(body) == told


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'b' * 71}",
        'multipart/form-data; boundary="b "',
        'multipart/form-data; boundary="\xe4"',
    ],
)
def test_a_boundary_that_is_none_is_refused(kind: str) -> None:
    assert reason(END, kind) == "its content type names no boundary"


def test_a_field_that_is_no_text_is_refused_by_name() -> None:
    form = read(field("a", b"\xff"), field("b", b"1" * (MAX_TEXT + 1)))
    for part, told in zip(form.parts, ["invalid 'a': not UTF-8", "invalid 'b': too long"], strict=True):
        with pytest.raises(BadRequest) as caught:
            form.text(part)
        assert (caught.value.message, caught.value.param) == (told, part.name)


def test_an_edit_leaves_every_other_byte_as_it_was() -> None:
    form = read(field("model", b"m"), FILE, field("key", b"secret"), field("last", b"1"))
    edited = form.edit({"model": "org/larger"}, {"key"})
    assert edited == field("model", b"org/larger") + FILE + field("last", b"1") + END
    assert form.edit({}, ()) == form.body
    assert form.edit({}, {"last"}) == field("model", b"m") + FILE + field("key", b"secret") + END


def test_a_form_that_is_cut_or_changed_anywhere_is_read_or_refused() -> None:
    whole = read(field("model", b"m"), FILE).body
    chance = random.Random(1)
    for size in range(len(whole)):
        if size < len(whole) - 2:  # without its last line end it is whole
            assert reason(whole[:size])
        at = chance.randrange(len(whole))
        changed = whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :]
        with suppress(BadRequest):
            assert len(read_form(changed, TYPE).parts) in (1, 2)
