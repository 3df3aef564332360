"""What a name says about what goes wrong."""

import pytest

from dragoman.testing.simulator.poe.account import Accounts
from dragoman.testing.simulator.poe.mischief import NONE, Mischief, read_mischief


@pytest.mark.parametrize(
    ("name", "mischief"),
    [
        ("sim-error-529", Mischief(529)),
        ("sim-error-400-int", Mischief(400, "int")),
        ("sim-error-400-text", Mischief(400, "text")),
        ("sim-error-401-bare-first-2", Mischief(401, "bare", first=2)),
        ("sim-html-502", Mischief(502, page=True)),
        ("sim-html-502-first-1", Mischief(502, page=True, first=1)),
        ("sim-pause-30", Mischief(pause=30)),
        ("sim-cut", Mischief(fault="cut")),
        ("sim-event-error", Mischief(fault="event-error")),
        ("cut", NONE),
        ("sim-plain", NONE),
        ("sim-error-200", NONE),
        ("sim-error-5290", NONE),
    ],
)
def test_a_name_is_read(name: str, mischief: Mischief) -> None:
    assert read_mischief(name) == mischief


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("sim-error-401", "invalid_api_key"),
        ("sim-error-401-bare", None),
        ("sim-error-402", "insufficient_quota"),
        ("sim-error-429", "rate_limit_exceeded"),
        ("sim-error-500", None),
        ("sim-error-500-int", 500),
        ("sim-error-500-text", "provider_error"),
        ("sim-error-418-text", "error"),
    ],
)
def test_a_status_has_its_code(name: str, code: str | int | None) -> None:
    detail = read_mischief(name).refuse().detail
    assert (detail.code if isinstance(detail.code, str | int) else None) == code


def test_a_page_is_no_json() -> None:
    assert read_mischief("sim-html-502").refuse().page


def test_the_first_calls_fail_and_the_next_works() -> None:
    account = Accounts(0, lambda: 0).open("any")
    name = "sim-error-500-first-2"
    assert [read_mischief(name).fails(account, name) for _ in range(4)] == [True, True, False, False]


def test_without_a_count_all_calls_fail() -> None:
    account = Accounts(0, lambda: 0).open("any")
    assert [read_mischief("sim-error-500").fails(account, "a") for _ in range(3)] == [True] * 3
    assert not NONE.fails(account, "a")
