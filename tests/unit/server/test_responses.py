"""The routes around stored responses, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller, Clock
from dragoman.core.errors import DragomanError
from dragoman.core.events import Event, Finish, Start, Text
from dragoman.core.ports import Store
from dragoman.dialects.openai_responses.inbound import INBOUND
from dragoman.observe.log import Log
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.gate import Gate
from dragoman.server.outlet import Pulse
from dragoman.server.recent import Recent
from dragoman.server.responses import CUSTOM, RESPONSES, ResponsesEndpoint, write_unkept
from dragoman.server.routes import Routes
from dragoman.stages.session import session
from dragoman.stores.sqlite import MEMORY, SqliteStore
from tests.schema import mismatches
from tests.unit.server.link import JSON, KEY, Link, Response, make_exchange, response

GUEST = "authorization: Bearer dg-guest-key"
ITEMS = b'{"model":"m","input":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}'


class Shown(msgspec.Struct):
    """What is looked at of anything shown."""

    id: str = ""
    deleted: bool = False
    data: list[Shown] = []
    input_tokens: int = 0


class Bench:
    """All routes of responses in front of a model that says what it was told."""

    def __init__(self, store: Store) -> None:
        self.lines: list[str] = []
        keys = Keys({sha256(f"dg-{name}-key".encode()).digest(): Caller(name, ("m",)) for name in ("app", "guest")})
        directory = Directory({"m": self._ask}, [])
        log, clock = Log((), self.lines.append), Clock(lambda: 7.0, lambda: 1234.5)
        desk = Desk(keys, Gate(5, 5), directory, log, clock, Pulse(15), Recent())

        def note(call: Call, error: DragomanError) -> None:
            write_unkept(log, call, error)

        stored = ResponsesEndpoint(desk, store)
        endpoint = Endpoint(INBOUND, desk, session(store, CUSTOM, note))
        self.routes = Routes({("POST", RESPONSES): endpoint, **stored.exact()}, stored.below())

    async def ask(self, line: str, *headers: str, body: bytes = b"") -> Response:
        link = Link()
        await self.routes(make_exchange(link, line, *(headers or (KEY, JSON)), body=body))
        return response(link)

    async def make(self, body: bytes = ITEMS) -> str:
        """Make a response and return where it is found."""
        made = await self.ask(f"POST {RESPONSES}", body=body)
        assert made.status == 200
        return f"{RESPONSES}/{read(made).id}"

    async def _ask(self, call: Call) -> Answer:
        events: list[Event] = [Start("c", "up/m", 5), Text(f"{len(call.request.messages)}"), Finish("stop")]
        return Answer(Burst(events), None, lambda: None)


def read(answer: Response) -> Shown:
    return msgspec.json.decode(answer.body, type=Shown)


def code_of(answer: Response) -> tuple[int, str | None]:
    error = msgspec.json.decode(answer.body, type=dict[str, dict[str, str | None]])["error"]
    return answer.status, error["code"]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with closing(SqliteStore(MEMORY)) as store:
        yield Bench(store)


async def test_a_stored_response_is_shown_as_it_was_answered(bench: Bench) -> None:
    made = await bench.ask(f"POST {RESPONSES}", body=ITEMS)
    shown = await bench.ask(f"GET {RESPONSES}/{read(made).id}")
    assert (shown.status, shown.body) == (200, made.body)
    assert shown.headers["x-request-id"] == "id-1"
    assert mismatches("Response", shown.body) == []


async def test_its_items_are_listed_the_newest_first(bench: Bench) -> None:
    place = await bench.make()
    everything = await bench.ask(f"GET {place}/input_items")
    assert mismatches("ResponseItemList", everything.body) == []
    newest, oldest = [item.id for item in read(everything).data]
    for query, names in (
        ("order=asc", [oldest, newest]),
        ("limit=1", [newest]),
        (f"limit=1&after={newest}", [oldest]),
        (f"order=asc&after={newest}", []),
    ):
        assert [item.id for item in read(await bench.ask(f"GET {place}/input_items?{query}")).data] == names


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=1.5", "order=up"])
async def test_a_wrong_page_is_refused(bench: Bench, query: str) -> None:
    answer = await bench.ask(f"GET {await bench.make()}/input_items?{query}")
    assert code_of(answer) == (400, "invalid_value")


async def test_a_deleted_response_is_no_more(bench: Bench) -> None:
    place = await bench.make()
    gone = await bench.ask(f"DELETE {place}")
    assert (gone.status, read(gone).deleted, f"{RESPONSES}/{read(gone).id}") == (200, True, place)
    for line in (f"GET {place}", f"GET {place}/input_items", f"DELETE {place}", f"POST {place}/cancel"):
        assert code_of(await bench.ask(line)) == (404, "response_not_found")


async def test_the_responses_of_another_key_do_not_exist(bench: Bench) -> None:
    place = await bench.make()
    for line in (f"GET {place}", f"GET {place}/input_items", f"DELETE {place}", f"POST {place}/cancel"):
        assert code_of(await bench.ask(line, GUEST)) == (404, "response_not_found")
    assert (await bench.ask(f"GET {place}")).status == 200


async def test_nobody_is_answered_without_a_key(bench: Bench) -> None:
    assert code_of(await bench.ask(f"GET {await bench.make()}", JSON))[0] == 401


async def test_what_needs_a_background_is_refused(bench: Bench) -> None:
    place = await bench.make()
    assert (await bench.ask(f"POST {place}/cancel")).status == 400
    assert (await bench.ask(f"GET {place}?stream=true")).status == 400
    assert (await bench.ask(f"GET {place}?stream=false")).status == 200


async def test_other_verbs_are_unknown(bench: Bench) -> None:
    assert code_of(await bench.ask(f"POST {RESPONSES}/compact", body=ITEMS)) == (404, "unknown_url")


async def test_tokens_are_counted_with_all_that_was_said_before(bench: Bench) -> None:
    place = await bench.make()
    alone = await bench.ask(f"POST {RESPONSES}/input_tokens", body=ITEMS)
    assert mismatches("TokenCountsResource", alone.body) == []
    previous = b',"previous_response_id":"%b"}' % place.rpartition("/")[2].encode()
    longer = await bench.ask(f"POST {RESPONSES}/input_tokens", body=ITEMS[:-1] + previous)
    assert 0 < read(alone).input_tokens < read(longer).input_tokens


async def test_tokens_of_a_wrong_request_are_not_counted(bench: Bench) -> None:
    line = f"POST {RESPONSES}/input_tokens"
    assert (await bench.ask(line, KEY, "content-type: text/plain", body=ITEMS)).status == 415
    assert code_of(await bench.ask(line, body=b"{}")) == (400, "missing_required_parameter")
    assert code_of(await bench.ask(line, body=b'{"model":"other","input":"Hi"}'))[0] == 403


async def test_an_answer_that_was_not_stored_says_so(tmp_path: Path) -> None:
    with closing(SqliteStore(str(tmp_path / "missing" / "store.db"))) as broken:
        bench = Bench(broken)
        plain = await bench.ask(f"POST {RESPONSES}", body=ITEMS)
        assert (plain.status, plain.headers["x-dragoman-loss"]) == (200, "store")
        assert b'"store":false' in plain.body
        streamed = await bench.ask(f"POST {RESPONSES}", body=ITEMS[:-1] + b',"stream":true}')
        assert b'"store":false' in streamed.body.split(b"\n\n")[-3]
    (line, _) = [msgspec.json.decode(line, type=dict[str, str | float]) for line in bench.lines]
    assert (line["event"], line["request"]) == ("not_stored", "id-1")
