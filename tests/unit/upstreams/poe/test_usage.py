"""What is left of an account at Poe, and what was spent."""

import msgspec
import pytest

from dragoman.core.errors import DragomanError, UpstreamAuth, UpstreamIncomplete, UpstreamInvalid
from dragoman.upstreams.poe.usage import MAX_PAGES, Cost, Query, add_costs, find_origin, read_account, read_history
from tests.unit.upstreams.wire import Wire, Written

KEY = b"authorization: Bearer k\r\n"


def page(*queries: dict[str, object], more: bool = False) -> Written:
    return Written([msgspec.json.encode({"has_more": more, "length": len(queries), "data": queries})])


def spent(bot: str, points: float, query: str = "", **more: object) -> dict[str, object]:
    return {"bot_name": bot, "cost_points": points, "query_id": query, "creation_time": 1_770_262_891_000_000, **more}


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://api.poe.com/v1", "https://api.poe.com"),
        ("https://api.poe.com/v1/", "https://api.poe.com"),
        ("http://127.0.0.1:8585/poe/v1", "http://127.0.0.1:8585/poe"),
        ("https://proxy/any", "https://proxy/any"),
    ],
)
def test_the_usage_is_beside_the_api(base_url: str, origin: str) -> None:
    assert find_origin(base_url) == origin


async def test_an_account_is_its_balance_and_what_it_spent_on_whom() -> None:
    told = page(
        spent("a", 5, "q3", usage_type="API", cost_usd="0.0001", api_key_name="laptop"),
        spent("b", 7.4, "q2", usage_type="Chat", cost_usd=0.5),
        spent("", 4, "q1", app_name="a", creation_time=1_770_262_891),
    )
    wire = Wire(Written([b'{"current_point_balance":1500,"plan_balance_usd":"3"}']), told)
    account = await read_account(wire, KEY, 20)
    assert account.points == 1500
    assert account.queries == [
        Query("a", 1_770_262_891, 5, "0.0001", "API", "laptop", "q3"),
        Query("b", 1_770_262_891, 7, "0.5", "Chat", "", "q2"),
        Query("a", 1_770_262_891, 4, "", "", "", "q1"),
    ]
    assert account.costs == [Cost("a", 2, 9), Cost("b", 1, 7)]
    assert [asked.path for asked in wire.asked] == [b"/usage/current_balance", b"/usage/points_history?limit=20"]
    assert wire.asked[0].headers == b"accept: application/json\r\n" + KEY


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (1_770_262_891_433_000, 1_770_262_891.433),
        (1_770_262_891_433, 1_770_262_891.433),
        (1_770_262_891, 1_770_262_891),
    ],
)
async def test_a_time_is_told_in_seconds_whatever_it_came_in(time: int, seconds: float) -> None:
    (query,) = await read_history(Wire(page(spent("a", 1, "q", creation_time=time))), b"", 1)
    assert query.time == pytest.approx(seconds)


async def test_a_long_history_is_read_page_by_page() -> None:
    first = page(*(spent("a", 1, f"q {number}") for number in range(100)), more=True)
    wire = Wire(first, page(spent("b", 2, "last"), spent("b", 2, "too many")))
    assert len(await read_history(wire, b"", 101)) == 101
    assert [asked.path for asked in wire.asked] == [
        b"/usage/points_history?limit=100",
        b"/usage/points_history?limit=1&starting_after=q%2099",
    ]


async def test_no_more_is_read_than_is_wanted() -> None:
    wire = Wire(page(spent("a", 1, "q1"), spent("a", 1, "q0"), more=True))
    assert [query.id for query in await read_history(wire, b"", 1)] == ["q1"]
    assert len(wire.asked) == 1


@pytest.mark.parametrize("stuck", [page(more=True), page(spent("a", 1), more=True)])
async def test_a_page_that_leads_nowhere_is_the_last(stuck: Written) -> None:
    wire = Wire(stuck, page(spent("a", 1), more=True), page())
    await read_history(wire, b"", 500)
    assert len(wire.asked) <= 2


async def test_nobody_reads_for_ever() -> None:
    pages = [page(spent("a", 1, f"q{number}"), more=True) for number in range(MAX_PAGES + 1)]
    wire = Wire(*pages)
    assert len(await read_history(wire, b"", 10_000)) == MAX_PAGES
    assert len(wire.asked) == MAX_PAGES


async def test_an_odd_entry_does_not_hide_the_others() -> None:
    odd: list[dict[str, object]] = [{"bot_name": 7}, {"cost_points": "many"}, {"cost_points": None}]
    assert [query.bot for query in await read_history(Wire(page(*odd, spent("a", 1))), b"", 9)] == ["a"]


@pytest.mark.parametrize(
    ("balance", "history", "kind"),
    [
        (Written([b'{"error":{"message":"Incorrect API key provided"}}'], 401), None, UpstreamAuth),
        (Written([b"<html>"]), None, UpstreamInvalid),
        (Written([b'{"current_point_balance":"many"}']), None, UpstreamInvalid),
        (Written([b'{"current_point_balance":1e999}']), None, UpstreamInvalid),
        (Written([b'{"current_point_balance":1}']), Written([b"[]"]), UpstreamInvalid),
        (Written([b'{"current_point_balance":1}']), Written([b"{", UpstreamIncomplete()]), UpstreamIncomplete),
    ],
)
async def test_what_cannot_be_read_is_an_error(
    balance: Written, history: Written | None, kind: type[DragomanError]
) -> None:
    replies = [balance] if history is None else [balance, history]
    with pytest.raises(kind):
        await read_account(Wire(*replies), KEY, 5)
    assert all(reply.done[-1] == "close" for reply in replies)


def test_bots_that_cost_the_same_stand_in_the_order_of_their_names() -> None:
    queries = [Query(bot, 0, 2, "", "", "", "") for bot in "bca"]
    assert [cost.bot for cost in add_costs(queries)] == ["a", "b", "c"]
