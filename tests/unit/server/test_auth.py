"""Who may come in."""

from collections.abc import Mapping
from hashlib import sha256

import pytest

from dragoman.core.call import Caller
from dragoman.core.errors import Unauthenticated
from dragoman.server.auth import ANYBODY, Keys

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
        {"authorization": "Basic YTpi", "x-api-key": "dg-app"},
    ],
)
def test_the_key_may_stand_in_either_place(headers: Mapping[str, str]) -> None:
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
    ],
)
def test_all_others_are_refused_in_the_same_words(headers: Mapping[str, str]) -> None:
    with pytest.raises(Unauthenticated) as caught:
        KEYS.identify(headers)
    assert (caught.value.message, caught.value.code) == ("incorrect API key provided", "invalid_api_key")
