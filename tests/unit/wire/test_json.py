"""JSON at the door: its limits, errors that name the field, and edits that leave every other byte alone."""

import msgspec
import pytest
from msgspec import Raw, Struct

from dragoman.core.errors import BadRequest
from dragoman.core.ports import Limits
from dragoman.wire.json import (
    encode,
    has_more,
    has_more_items,
    is_utf8,
    read_body,
    read_fields,
    read_json,
    repair_text,
    set_members,
    wrong_field,
)

LIMITS = Limits()


class Item(Struct):
    kind: str
    size: int = 0


class Example(Struct):
    items: list[Item] = []
    sizes: dict[str, int] = {}
    mode: int | None = None


EXAMPLE = msgspec.json.Decoder(Example)


def refused(body: bytes, limits: Limits = LIMITS) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read_body(body, limits)
    return caught.value


def members(body: bytes) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in read_fields(body).items()}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b'{"items":[{"kind":"a"},{"kind":5}]}', "items[1].kind", "invalid_type"),
        (b'{"items":[{}]}', "items[0].kind", "missing_required_parameter"),
        (b'{"items":{}}', "items", "invalid_type"),
        (b'{"items":[{"kind":"a","size":true}]}', "items[0].size", "invalid_type"),
        (b'{"sizes":{"a":"b"}}', "sizes[...]", "invalid_type"),
        (b'{"mode":1.5}', "mode", "invalid_type"),
        (b'{"mode":%b}' % (b"9" * 5000), "mode", "invalid_value"),
        (b"[]", None, "invalid_type"),
        (b'{"items":', None, "invalid_json"),
        (b"{} {}", None, "invalid_json"),
        (b'{"items":NaN}', None, "invalid_json"),
        (b'{"items":"\x01"}', None, "invalid_json"),
        (b'{"sizes":{"a\xff":1}}', None, "invalid_json"),
        (b'{"a":%b' % (b"[" * 100_000), None, "invalid_json"),
    ],
)
def test_an_error_names_the_first_wrong_field(body: bytes, param: str | None, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_json(EXAMPLE, body)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    ("text", "message", "param"),
    [
        ("Expected `str`, got `int` - at `$.a[0].b`", "invalid 'a[0].b': expected `str`, got `int`", "a[0].b"),
        ("Expected `object`, got `array`", "the body is wrong: expected `object`, got `array`", None),
        ("Expected `int`, got `str` - at `key in $.bias`", "invalid 'bias': expected `int`, got `str`", "bias"),
        (
            "Invalid enum value 'x - at `$.y` z' - at `$.role`",
            "invalid 'role': invalid enum value 'x - at `$.y` z'",
            "role",
        ),
        ("Object missing required field `model`", "missing required parameter: 'model'", "model"),
    ],
)
def test_the_decoders_words_become_a_message(text: str, message: str, param: str | None) -> None:
    error = wrong_field(text)
    assert (error.message, error.param) == (message, param)


def test_a_message_does_not_repeat_all_that_a_client_said() -> None:
    assert len(wrong_field(f"Invalid enum value '{'x' * 100_000}' - at `$.role`").message) < 300


def test_a_body_is_returned_with_its_members_untouched() -> None:
    body = b' { "a" : 1.50, "b":[ "\\u00e9" ] } '
    same, fields = read_body(body, LIMITS)
    assert same is body
    assert {name: bytes(raw) for name, raw in fields.items()} == {"a": b"1.50", "b": b'[ "\\u00e9" ]'}


def test_a_bom_is_tolerated() -> None:
    assert read_body(b'\xef\xbb\xbf{"a":1}', LIMITS)[0] == b'{"a":1}'


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"a":{"\xff":1}}', b'{"a":"\xed\xa0\x80"}', b"\xff\xfe{\x00}\x00"])
def test_only_utf8_is_read(body: bytes) -> None:
    assert refused(body).code == "invalid_json"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]"), (b'{"a":[', b"]}"), (b'[{"},{":', b"}]")],
)
@pytest.mark.parametrize("beside", [b"", b'"' + b"{[" * 90 + b'"', b"[" + b",".join([b"[{}]"] * 90) + b"]"])
def test_a_body_may_nest_as_deep_as_the_limit_and_no_deeper(opening: bytes, closing: bytes, beside: bytes) -> None:
    levels = opening.replace(b'"},{"', b"").count(b"[") + opening.replace(b'"},{"', b"").count(b"{")

    def nest(depth: int) -> bytes:
        times, rest = divmod(depth - 1, levels)
        inner = b"[" * rest + b"1" + b"]" * rest
        side = b',"beside":' + beside if beside else b""
        return b'{"x":' + opening * times + inner + closing * times + side + b"}"

    for limit in (5, 6, LIMITS.depth):
        read_body(nest(limit), Limits(depth=limit))
        assert f"deeper than {limit}" in refused(nest(limit + 1), Limits(depth=limit)).message


def test_a_body_may_nest_not_at_all() -> None:
    read_body(b'{"a":1}', Limits(depth=1))
    assert "deeper than 1" in refused(b'{"a":[]}', Limits(depth=1)).message


def test_brackets_in_text_are_no_nesting() -> None:
    read_body(encode({"a": '[{"\\' * 1000, "b": [{"c": '\\"{[' * 500}]}), LIMITS)


def test_many_messages_are_no_nesting() -> None:
    read_body(encode({"messages": [{"content": [{"type": "text"}]}] * 1000}), LIMITS)


@pytest.mark.parametrize("wrap", [b"%b", b'{"a":[1,%b]}', b'{"a":[{"b":1},{"c":%b,"d":[":"]}]}'])
def test_an_object_may_have_as_many_keys_as_the_limit_and_no_more(wrap: bytes) -> None:
    def wide(keys: int) -> bytes:
        return wrap % encode({str(number): {"x": [":"]} for number in range(keys)})

    read_body(wide(LIMITS.keys), LIMITS)
    assert "10000 keys" in refused(wide(LIMITS.keys + 1)).message


def test_colons_elsewhere_are_no_keys() -> None:
    read_body(encode({"a": ":" * 100_000, "b": [{"c": 1}] * 12_000}), LIMITS)


@pytest.mark.parametrize("wrap", [b'{"a":%b}', b'{"a":[1,%b]}', b'{"a":%b.5}', b'{"a":-%b}', b'{"b":"\\"","a":0.%b}'])
def test_a_number_may_have_as_many_digits_as_the_limit_and_no_more(wrap: bytes) -> None:
    for front in (b"", b" " * 50, b" " * 154, b" " * 155, b" " * 308):
        read_body(front + wrap % (b"7" * LIMITS.digits), LIMITS)
        assert "308 digits" in refused(front + wrap % (b"7" * (LIMITS.digits + 1))).message


def test_digits_in_text_are_no_number() -> None:
    read_body(encode({"a": "7" * 5000, "b": "1 2" * 1000}), LIMITS)


@pytest.mark.parametrize("body", [b'{"model":"a","b":1}', b'{ "model" : "a" ,\n "b":1 }', b'{"b":1,"model":"a"}\n'])
def test_a_member_is_set_where_it_stands(body: bytes) -> None:
    assert set_members(body, read_fields(body), {"model": Raw(b'"other"')}) == body.replace(b'"a"', b'"other"')


@pytest.mark.parametrize(
    "body", [b'{"a":1}', b' { "a" : 1 } ', b'{"a":{"b":"}"}}', b'{"\\u0061\\"":1}', b'{"\xc3\xa9":1}']
)
def test_a_new_member_goes_to_the_end(body: bytes) -> None:
    changed = set_members(body, read_fields(body), {"b": Raw(b"[2]")})
    end = body.rindex(b"}")
    assert changed == body[:end] + b',"b":[2]' + body[end:]


def test_several_members_are_set_at_once() -> None:
    body = b'{"a":1,"b":2,"c":3}'
    values = {"d": Raw(b"40"), "c": Raw(b"30"), "a": Raw(b"10"), "e": Raw(b"50")}
    assert set_members(body, read_fields(body), values) == b'{"a":10,"b":2,"c":30,"d":40,"e":50}'


@pytest.mark.parametrize("body", [b"{}", b" { } "])
def test_an_empty_object_gets_its_first_member(body: bytes) -> None:
    assert set_members(body, {}, {"a": Raw(b"1")}) == b'{"a":1}'


def test_nothing_to_set_gives_the_very_same_bytes() -> None:
    body = b'{"a": 1}'
    assert set_members(body, read_fields(body), {}) is body


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a", "model" : "b"}',
        b'{"model":"a","mode\\u006c":"b"}',
        b'{"\\u006dodel":"a","x":1,"model":"b"}',
        b'{"model":"long, to hide the second","model":"b"}',
    ],
)
@pytest.mark.parametrize("values", [{}, {"model": Raw(b'"c"')}, {"n": Raw(b"1")}])
def test_a_member_that_is_there_twice_cannot_be_smuggled(body: bytes, values: dict[str, Raw]) -> None:
    changed = set_members(body, read_fields(body), values)
    assert changed.count(b'"model"') == 1
    expected = {"model": b'"b"'} | {name: bytes(raw) for name, raw in values.items()}
    assert {name: raw for name, raw in members(changed).items() if name != "x"} == expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":{  }, "a":"x"}',
        b'{"a":1 ,"a":2}',
        b'{"a":1 ,"a":1}',
        b'{"a":12 ,"a":1}',
        b'{"a":1 ,"b":2,"a":345}',
        b'{"a": 1,"model":"m","a":{"b":1,                "model":"e"}}',
        b'{"a": 1,"model":"mn","a":{"b":1,              "model":"ab"}, "c":1}',
    ],
)
def test_no_second_value_leads_astray(body: bytes) -> None:
    for name in (b"a", b"model"):
        changed = set_members(body, read_fields(body), {name.decode(): Raw(b'"new"')})
        assert members(changed) == members(body) | {name.decode(): b'"new"'}
        assert changed.count(b'"a":') == 1


@pytest.mark.parametrize(
    ("data", "valid"),
    [
        (b"", True),
        (b"abc", True),
        ("é☀😀".encode(), True),
        (b"\xff", False),
        (b"\xe2\x82", False),
        (b"\xc0\x80", False),
    ],
)
def test_utf8_is_told_from_what_is_not(data: bytes, valid: bool) -> None:
    assert is_utf8(data) is valid


@pytest.mark.parametrize("limit", [0, 1, 63, 64, 65, 200])
def test_marks_are_counted_up_to_a_limit(limit: int) -> None:
    assert not has_more(b"a{" * limit, b"{", limit)
    assert has_more(b"a{" * (limit + 1), b"{", limit)


@pytest.mark.parametrize("item", [b"0", b'{"a":[1,2,{"b":3,"c":4}]}', b'"],[,"', b"[1,[2,3]]"])
@pytest.mark.parametrize("beside", [b"", b'"%b"' % (b"x" * 2**20), b"[%b]" % (b"1," * 2**19 + b"1")])
def test_items_are_counted_up_to_a_limit(item: bytes, beside: bytes) -> None:
    def array(items: int) -> Raw:
        return Raw(b"[%b]" % b",".join([beside] * bool(beside) + [item] * (items - bool(beside))))

    assert not has_more_items(array(3), 3)
    assert has_more_items(array(4), 3)


@pytest.mark.parametrize(
    ("data", "repaired"),
    [
        (b'"plain"', b'"plain"'),
        (b'"\xff"', b'"\xef\xbf\xbd"'),
        (b'"\\ud83d\\ude00"', b'"\\ud83d\\ude00"'),
        (b'"\\ud83d"', b'"\\ufffd"'),
        (b'"\\uDE00x"', b'"\\ufffdx"'),
        (b'"\\ud83d\\ud83d\\ude00"', b'"\\ufffd\\ud83d\\ude00"'),
        (b'"\\ude00\\ud83d"', b'"\\ufffd\\ufffd"'),
        (b'"\\\\ud83d"', b'"\\\\ud83d"'),
        (b'"\\\\ud83d\\udc00"', b'"\\\\ud83d\\ufffd"'),
        (b'"\\\\\\ud83d"', b'"\\\\\\ufffd"'),
        (b'"\\u00e9\\n"', b'"\\u00e9\\n"'),
    ],
)
def test_text_is_repaired_and_what_is_right_stays(data: bytes, repaired: bytes) -> None:
    assert repair_text(data) == repaired
    assert repair_text(repaired) == repaired
    msgspec.json.decode(repaired)
