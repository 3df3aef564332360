"""What upstreams tell of their rates, in all the ways they tell it."""

import pytest

from dragoman.stages.quota import MINUTE, Quota, read_quota

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
ANTHROPIC = "anthropic-ratelimit-requests-"


def epoch() -> float:
    return NOON


def openai(remaining: str = "499", limit: str | None = "500", reset: str | None = "37") -> dict[str, str]:
    given = {"remaining": remaining, "limit": limit, "reset": reset}
    return {f"x-ratelimit-{name}-requests": value for name, value in given.items() if value is not None}


def test_most_responses_say_nothing() -> None:
    assert read_quota({}, epoch) is None
    assert read_quota({"content-type": "application/json", "x-ratelimit-limit-requests": "500"}, epoch) is None


def test_poe_tells_seconds_after_which_all_is_there_again() -> None:
    assert read_quota(openai(), epoch) == Quota(499, 500, 37, drips=False)
    assert read_quota(openai(reset=" 0.25 "), epoch) == Quota(499, 500, 0.25, drips=False)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("6m0s", 360), ("1s", 1), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("1d", 86_400), ("1m30s500ms", 90.5)],
)
def test_openai_tells_a_duration_in_which_requests_come_back_one_by_one(reset: str, seconds: float) -> None:
    quota = read_quota(openai(reset=reset), epoch)
    assert quota is not None
    assert (quota.remaining, quota.limit, quota.drips) == (499, 500, True)
    assert quota.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("2026-01-01T12:00:41Z", 41),
        ("2026-01-01T13:00:41.500+01:00", 41.5),
        ("2026-01-01T11:59:00Z", 0),
    ],
)
def test_anthropic_tells_a_time(reset: str, seconds: float) -> None:
    headers = {f"{ANTHROPIC}remaining": "3", f"{ANTHROPIC}limit": "50", f"{ANTHROPIC}reset": reset}
    assert read_quota(headers, epoch) == Quota(3, 50, seconds, drips=True)


@pytest.mark.parametrize("remaining", ["", "-1", "nan", "many", "1.5", "1_0", "9999999999", "²"])
def test_what_is_left_must_be_a_number(remaining: str) -> None:
    assert read_quota(openai(remaining), epoch) is None


def test_if_one_family_cannot_be_read_the_other_may() -> None:
    assert read_quota({**openai("?"), f"{ANTHROPIC}remaining": " 7 "}, epoch) == Quota(7)


@pytest.mark.parametrize(
    "reset", [None, "", "soon", "-3", "nan", "inf", "1e9", "5x", "2026-01-01T12:00:41", "9999999999999"]
)
def test_a_reset_that_cannot_be_read_is_a_minute(reset: str | None) -> None:
    assert read_quota(openai(reset=reset), epoch) == Quota(499, 500, MINUTE, drips=False)


@pytest.mark.parametrize("limit", [None, "", "-5", "lots"])
def test_a_limit_that_cannot_be_read_is_not_told(limit: str | None) -> None:
    assert read_quota(openai(limit=limit), epoch) == Quota(499, 0, 37)
