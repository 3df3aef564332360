"""Chat completions as one server wants them."""

import pytest
from msgspec import Raw

from dragoman.core.call import Call
from dragoman.core.loss import carry
from dragoman.core.message import File, Message, Request, Role, Sampling, Text
from dragoman.core.ports import Limits
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import inbound
from dragoman.dialects.openai_chat.fit import NOT_TAKEN, fit_role, fit_terms, fit_turns, patch_fitted, rename_roles
from dragoman.dialects.openai_chat.outbound import TERMS, fitted
from dragoman.wire.json import read_fields

HI = '"messages":[{"role":"user","content":"Hi"}]'


def call(members: str = "", messages: str = HI) -> Call:
    """Return a client's call; `members` stand before its messages."""
    return inbound("openai_chat").read_call(f'{{"model":"up",{members}{messages}}}'.encode(), Limits())


def sent(members: str, quirks: Quirks, messages: str = HI) -> tuple[str, dict[str, str]]:
    """Return what is sent beside the model and the messages, and what is told as lost."""
    asked = call(members, messages)
    fields = read_fields(Raw(patch_fitted(asked, "up", quirks)))
    rest = {name: bytes(raw).decode() for name, raw in fields.items() if name not in ("model", "messages")}
    return ",".join(f"{name}={value}" for name, value in rest.items()), asked.losses


def test_a_body_that_suits_goes_through_byte_for_byte() -> None:
    asked = call('"temperature": 1.50, "odd": [1 ,2],')
    assert patch_fitted(asked, "up", Quirks(max_tokens="max_completion_tokens", developer_role=False)) == asked.body


@pytest.mark.parametrize(
    ("members", "quirks", "rest"),
    [
        ('"max_tokens":5,', Quirks(max_tokens="max_completion_tokens"), "max_completion_tokens=5"),
        ('"max_completion_tokens":5,', NO_QUIRKS, "max_completion_tokens=5"),
        ('"max_completion_tokens":5,', Quirks(max_tokens="max_tokens"), "max_tokens=5"),
        ('"max_tokens":5,"max_completion_tokens":6,', Quirks(max_tokens="max_completion_tokens"), None),
        ('"stream":true,', Quirks(stream_usage=False), "stream=true"),
        ('"stream":true,', Quirks(plain=True), "stream=false"),
        ('"stream":true,', Quirks(streams_only=True), 'stream=true,stream_options={"include_usage":true}'),
        ("", Quirks(streams_only=True), 'stream=true,stream_options={"include_usage":true}'),
        ('"stream":false,', Quirks(streams_only=True, stream_usage=False), "stream=true"),
        ('"seed":5,', Quirks(sampling={"seed": "random_seed", "top_k": "top_k"}), "random_seed=5"),
        ('"n":5,', Quirks(sampling={"seed": "random_seed"}), "n=5"),
        ('"seed":5,"random_seed":6,', Quirks(sampling={"seed": "random_seed"}), "random_seed=6"),
        ('"stream":false,', Quirks(plain=True), "stream=false"),
        ("", Quirks(always={"a": Raw(b"1")}), "a=1"),
        ('"a":2,', Quirks(always={"a": Raw(b"1")}), "a=2"),
        ('"reasoning_effort":"max",', Quirks(efforts=("low", "high")), "reasoning_effort=high"),
        ('"reasoning_effort":"low",', Quirks(effort="thinking_level"), 'thinking_level="low"'),
        ('"reasoning_effort":"none",', Quirks(effort="", switch="enable_thinking"), "enable_thinking=false"),
        ('"reasoning_effort":"low",', Quirks(effort="", budget="thinking_budget"), "thinking_budget=2048"),
        ('"reasoning_effort":"low","thinking_budget":7,', Quirks(effort="", budget="thinking_budget"), None),
        ('"reasoning_effort":null,', Quirks(effort="thinking_level"), "reasoning_effort=null"),
    ],
)
def test_a_server_gets_the_fields_that_it_knows(members: str, quirks: Quirks, rest: str | None) -> None:
    told, losses = sent(members, quirks)
    if rest is None:
        assert "thinking_budget=7" in told or told == "max_completion_tokens=6"
    else:
        assert told.replace("=high", '="high"').replace('""', '"') == rest.replace("=high", '="high"')
    assert losses == {}


def test_what_a_server_does_not_take_is_left_out_and_told() -> None:
    quirks = Quirks(fields=frozenset({"temperature", "stream"}), parameters=frozenset({"aspect"}))
    assert sent('"temperature":1,"seed":2,"aspect":"1:1","user":null,', quirks) == (
        'temperature=1,aspect="1:1"',
        {"seed": NOT_TAKEN},
    )
    assert sent('"temperature":1,"seed":2,', Quirks(lacks={"temperature": "no"})) == ("seed=2", {"temperature": "no"})
    assert sent('"seed":2,', Quirks(lacks={"seed": ""})) == ("", {})


@pytest.mark.parametrize(
    ("quirks", "developer", "system"),
    [
        (NO_QUIRKS, "developer", "system"),
        (Quirks(developer_role=False), "system", "system"),
        (Quirks(system_role=False), "user", "user"),
        (Quirks(developer_role=False, system_role=False), "user", "user"),
    ],
)
def test_roles_are_told_in_the_words_of_the_server(quirks: Quirks, developer: Role, system: Role) -> None:
    assert (fit_role("developer", quirks), fit_role("system", quirks)) == (developer, system)
    assert (fit_role("user", quirks), fit_role("tool", quirks)) == ("user", "tool")
    turns = [Message("developer", [Text("a")]), Message("user", [Text("b")])]
    assert [turn.role for turn in fit_turns(turns, quirks)] == [developer, "user"]
    said = Raw(b'[{"role":"developer","content":"a"},{"role":"user","content":"developer"}]')
    renamed = bytes(rename_roles(said, quirks))
    assert renamed == bytes(said).replace(b'"role":"developer"', b'"role":"%b"' % developer.encode())


def test_messages_that_are_none_are_left_to_the_server() -> None:
    said = Raw(b'["developer"]')
    assert rename_roles(said, Quirks(developer_role=False)) is said


def test_an_effort_that_is_none_is_left_to_the_server() -> None:
    quirks = Quirks(effort="thinking_level")
    asked = call('"reasoning_effort":"low",')
    asked.fields["reasoning_effort"] = Raw(b"7")
    asked = Call(b'{"model":"up","reasoning_effort":7}', "openai_chat", "up", asked.read, False, dict(asked.fields))
    assert b'"reasoning_effort":7' in patch_fitted(asked, "up", quirks)


def test_roles_of_a_body_are_renamed_in_place() -> None:
    messages = '"messages":[{"role":"developer","content":"a"}]'
    asked = call('"odd": 1.50,', messages)
    body = patch_fitted(asked, "up", Quirks(developer_role=False))
    assert body == asked.body.replace(b'"developer"', b'"system"')


def test_another_dialects_request_is_carried_as_far_as_the_server_goes() -> None:
    quirks = Quirks(
        max_tokens="max_completion_tokens",
        sampling={"top_k": "top_k", "repeat_penalty": "repetition_penalty"},
        lacks={"seed": "no"},
        fields=frozenset({"temperature", "max_completion_tokens", "top_k"}),
        parameters=frozenset({"aspect"}),
    )
    sampling = Sampling(temperature=0.5, top_p=0.5, top_k=7, seed=3, max_tokens=9, repeat_penalty=1.1)
    extra = {"aspect": Raw(b'"1:1"'), "other": Raw(b"1")}
    side = fitted(quirks)
    carried, lost = carry(
        Request("m", [Message("user", [Text("Hi")])], sampling=sampling, extra=extra), "x", call().words, side.terms
    )
    assert lost == {"top_p": NOT_TAKEN, "seed": "no", "other": "the upstream's dialect has no counterpart"}
    body = side.write_request(carried, "up")
    told = '"temperature":0.5,"top_k":7,"repetition_penalty":1.1,"max_completion_tokens":9}'
    assert body.decode() == '{"aspect":"1:1","model":"up","messages":[{"role":"user","content":"Hi"}],' + told


def test_terms_follow_the_quirks() -> None:
    assert fit_terms(TERMS, NO_QUIRKS) == TERMS
    assert "budget" not in fit_terms(TERMS, Quirks(budget="thinking_budget")).cannot
    assert fit_terms(TERMS, Quirks(effort="")).cannot["effort"] == NOT_TAKEN


def test_a_server_that_takes_files_is_told_files() -> None:
    sound = '"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}]'
    files = Quirks(sounds_as_files=True)
    assert b'"type":"file"' in patch_fitted(call(messages=sound), "up", files)
    (turn,) = fit_turns(call(messages=sound).request.messages, files)
    assert isinstance(turn.parts[0], File)
    assert patch_fitted(call(), "up", files) == call().body


def test_only_a_model_that_knows_shapes_is_told_of_sizes() -> None:
    assert fit_terms(TERMS, Quirks(plain=True)).narrow is None
    shaped = fit_terms(TERMS, Quirks(shape="aspect", shapes=("1:1",), parameters=frozenset({"voice"})))
    assert shaped.parameters == {"voice", "size"}
    assert shaped.narrow is not None
    assert shaped.narrow(Request("m", [], extra={"size": Raw(b'"8x8"')}))[0].extra == {"aspect": Raw(b'"1:1"')}
