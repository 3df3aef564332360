"""Who may come in."""

from collections.abc import Mapping
from hashlib import sha256

import pytest

from dragoman.core.call import Caller
from dragoman.core.errors import BadRequest, Unauthenticated
from dragoman.server.auth import ANYBODY, Keys, take_key_from_path
from dragoman.server.exchange import Exchange
from tests.unit.server.link import Link, make_exchange

APP, OTHER = Caller("app"), Caller("other", ("fast",))
KEYS = Keys({sha256(b"dg-app").digest(): APP, sha256(b"dg-\xe9").digest(): OTHER})


def test_without_keys_anybody_may() -> None:
    assert Keys({}).identify({}) is ANYBODY
    assert Keys({}).identify({"authorization": "Bearer whatever"}) is ANYBODY


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer dg-app"},
        {"authorization": "bearer   dg-app  "},
        {"x-api-key": "dg-app"},
        {"x-api-key": " dg-app "},
        {"authorization": "Bearer dg-app", "x-api-key": "dg-app"},
        {"authorization": "Bearer ", "x-api-key": "dg-app"},
        {"authorization": "Basic YTpkZy1hcHA="},
        {"authorization": "basic  OmRnLWFwcA=="},
        {"authorization": "Basic YTpkZy1hcHA=", "x-api-key": "dg-app"},
        {"authorization": "Basic YTo=", "x-api-key": "dg-app"},
        {"authorization": "Digest username=a", "x-api-key": "dg-app"},
        {"/k": "dg-app"},
        {"/k": "dg-app", "authorization": "Bearer dg-app"},
        {"/k": "", "x-api-key": "dg-app"},
    ],
)
def test_the_key_may_stand_in_any_place(headers: Mapping[str, str]) -> None:
    assert KEYS.identify(headers) is APP


def test_a_key_is_bytes() -> None:
    assert KEYS.identify({"x-api-key": "dg-é"}) is OTHER


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "dg-app"},
        {"authorization": "Basic dg-app"},
        {"authorization": "Bearer dg-ap"},
        {"authorization": "Bearer dg-app2"},
        {"authorization": "Bearer DG-APP"},
        {"authorization": "Bearer dg-app, Bearer dg-app"},
        {"authorization": "Bearer " + sha256(b"dg-app").hexdigest()},
        {"authorization": "Bearer dg-app", "x-api-key": "dg-\xe9"},
        {"authorization": "Bearer wrong", "x-api-key": "dg-app"},
        {"api-key": "dg-app"},
        {"authorization": "Basic ZGctYXBw"},
        {"authorization": "Basic ZGctYXBwOg=="},
        {"authorization": "Basic YTpkZy1hcHA=", "x-api-key": "dg-\xe9"},
        {"authorization": "Basic !", "x-api-key": "dg-app"},
        {"authorization": "Basic \xe9"},
        {"/k": "wrong"},
        {"/k": ""},
        {"/k": "dg-app", "x-api-key": "dg-\xe9"},
        {"/k": "dg-\xe9", "authorization": "Bearer dg-app"},
    ],
)
def test_all_others_are_refused_in_the_same_words(headers: Mapping[str, str]) -> None:
    with pytest.raises(Unauthenticated) as caught:
        KEYS.identify(headers)
    assert (caught.value.message, caught.value.code) == ("incorrect API key provided", "invalid_api_key")


# A key in the path


async def taken(line: str, *headers: str) -> tuple[str, str, str | None]:
    """Return the path and the query that a handler sees, and who calls."""
    seen: list[Exchange] = []

    async def handler(exchange: Exchange) -> None:
        seen.append(exchange)

    await take_key_from_path(handler)(make_exchange(Link(), line, *headers))
    head = seen[0].head
    try:
        caller = KEYS.identify(head.headers).name
    except Unauthenticated:
        caller = None
    return head.path, head.query, caller


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/k/dg-app/api/tags?a=/k/b", ("/api/tags", "a=/k/b", "app")),
        ("/k/dg%2Dapp/v1/models", ("/v1/models", "", "app")),
        ("/k/dg-%E9/v1/models/org/big", ("/v1/models/org/big", "", "other")),
        ("/k/dg-app/", ("/", "", "app")),
        ("/k/dg-app", ("/", "", "app")),
        ("/k/wrong/api/tags", ("/api/tags", "", None)),
        ("/k//api/tags", ("/api/tags", "", None)),
        ("/k/dg-app/k/dg-app/api/tags", ("/k/dg-app/api/tags", "", "app")),
        ("/api/k/dg-app", ("/api/k/dg-app", "", None)),
        ("/k", ("/k", "", None)),
    ],
)
async def test_a_key_in_the_path_is_seen_by_nobody_else(path: str, seen: tuple[str, str, str | None]) -> None:
    assert await taken(f"GET {path}") == seen


async def test_a_key_in_the_path_must_agree_with_all_others() -> None:
    assert (await taken("GET /k/dg-app/x", "authorization: Bearer dg-app"))[2] == "app"
    assert (await taken("GET /k/dg-app/x", "authorization: Bearer other"))[2] is None
    assert (await taken("GET /k//x", "authorization: Bearer dg-app"))[2] == "app"


def test_no_client_can_send_the_header_that_stands_for_the_path() -> None:
    with pytest.raises(BadRequest):
        make_exchange(Link(), "GET /x", "/k: dg-app")
