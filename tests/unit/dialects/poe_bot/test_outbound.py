"""The bot protocol as one dialect of upstreams among others."""

import msgspec
import pytest
from msgspec import Raw

from dragoman.core.call import Call, Words
from dragoman.core.errors import ModelNotFound, Overloaded, RateLimited, TaskNotServed, UpstreamAuth, UpstreamInvalid
from dragoman.core.loss import NO_COUNTERPART, carry
from dragoman.core.message import Message, Reasoning, Request, Sampling, Text
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects.poe_bot.outbound import OUTBOUND, TERMS, read_reply, speak
from tests.unit.dialects.poe_bot.hear import DONE, START, event, text

ASKED = Request(
    "m",
    [Message("user", [Text("Hi")])],
    sampling=Sampling(0.5, max_tokens=9, seed=1),
    reasoning=Reasoning("low", 99),
    extra={"aspect": Raw(b"1"), "modalities": Raw(b"[]"), "known": Raw(b"1")},
)
WORDS = Words(reasons={"known": "no"})


def losses(quirks: Quirks) -> set[str]:
    return set(carry(ASKED, "any", WORDS, speak(quirks).terms)[1])


def test_what_nobody_knows_is_a_parameter() -> None:
    carried, lost = carry(ASKED, "any", WORDS, TERMS)
    assert carried.extra == {"aspect": Raw(b"1")}
    assert lost["modalities"] == NO_COUNTERPART
    assert set(lost) == {"max_tokens", "seed", "budget", "modalities", "known"}


@pytest.mark.parametrize(
    ("quirks", "lost"),
    [
        (NO_QUIRKS, {"max_tokens", "seed", "budget", "modalities", "known"}),
        (Quirks(budget="thinking_budget"), {"max_tokens", "seed", "modalities", "known"}),
        (Quirks(effort=""), {"max_tokens", "seed", "budget", "effort", "modalities", "known"}),
        (Quirks(sampling={"seed": "seed"}), {"max_tokens", "budget", "modalities", "known"}),
        (Quirks(lacks={"temperature": "no"}), {"temperature", "max_tokens", "seed", "budget", "modalities", "known"}),
        (Quirks(fields=frozenset({"known"})), {"max_tokens", "seed", "budget", "modalities", "aspect"}),
        (
            Quirks(fields=frozenset(), parameters=frozenset({"aspect"})),
            {"max_tokens", "seed", "budget", "modalities", "known"},
        ),
    ],
)
def test_a_bot_may_take_more_or_less(quirks: Quirks, lost: set[str]) -> None:
    assert losses(quirks) == lost


def test_a_bot_is_asked_in_its_own_way() -> None:
    fitted = speak().fitted
    assert fitted is not None
    body = fitted(Quirks(effort="depth")).write_request(ASKED, "bot")
    assert b'"parameters":{"aspect":1,"modalities":[],"known":1,"depth":"low"}' in body
    assert bytes(msgspec.json.decode(body, type=dict[str, Raw])["version"]) == b'"1.2"'


def test_a_bot_that_takes_back_what_it_said_is_told_and_held_back() -> None:
    said = text("a") + event("replace_response", text="b") + DONE
    told: list[str] = []
    side = speak(took_back=told.append)
    assert side.fitted is not None
    for quirks, events in ((NO_QUIRKS, 4), (Quirks(replaces=True), 3)):
        burst = side.fitted(quirks).reader(START, 1).feed(said)
        assert burst is not None
        assert len(burst.events) == events
    assert told == ["bot"]


@pytest.mark.parametrize("model", ["", ".", ".."])
def test_a_name_that_leads_elsewhere_is_no_bot(model: str) -> None:
    with pytest.raises(ModelNotFound):
        OUTBOUND.write_request(ASKED, model)


def test_nobody_asks_in_this_dialect() -> None:
    with pytest.raises(TaskNotServed):
        OUTBOUND.patch_request(Call(b"{}", "poe_bot", "m", list, stream=True), "m")


def test_a_whole_body_is_an_error_or_no_answer() -> None:
    with pytest.raises(Overloaded):
        read_reply(b'{"error":{"message":"secret","code":503}}', START)
    for body in (b'{"choices":[]}', b"[]", b"<html>", b"\xff", b"[" * 100_000):
        with pytest.raises(UpstreamInvalid):
            read_reply(body, START)


def test_a_status_means_what_it_means_everywhere() -> None:
    limited = OUTBOUND.read_error(429, {"retry-after": "3"}, b'{"detail":"slow"}')
    assert isinstance(limited, RateLimited)
    assert limited.retry_after == 3
    assert isinstance(OUTBOUND.read_error(401, {}, b'{"detail":"Invalid access key"}'), UpstreamAuth)
    assert isinstance(OUTBOUND.read_error(404, {}, b""), ModelNotFound)
