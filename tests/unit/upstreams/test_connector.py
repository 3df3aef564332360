"""What an upstream is built with."""

from collections.abc import Mapping, Set

from dragoman.core.call import Clock
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import DragomanError
from dragoman.core.message import Message, Request, Text
from dragoman.core.ports import Limits
from dragoman.core.quirks import Quirks
from dragoman.dialects import inbound, outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Wiring
from dragoman.upstreams.listing import Model
from tests.unit.upstreams.wire import Wire, Written

WHOLE = (
    b'{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)


async def test_an_upstream_speaks_with_all_that_it_was_wired_with() -> None:
    done: list[object] = []

    async def fetch(request: Request, words: Set[str]) -> Request:
        done.append("fetch")
        return request

    async def prepare(request: Request) -> Request:
        done.append("prepare")
        return Request(request.model, [Message("user", [Text("prepared")])])

    def saw(headers: Mapping[str, str]) -> None:
        done.append(dict(headers))

    def learn(model: str, error: DragomanError) -> bool:
        done.append((model, type(error).__name__))
        return True

    wire = Wire(Written([b"{}"], 400), Written([WHOLE]))
    catalogue = Catalogue([Model("m", can=Capabilities(thinking=False), quirks=Quirks(developer_role=False))])
    clock, patience = Clock(lambda: 0.0, lambda: 0.0), Patience(first=2, total=9)
    wiring = Wiring("lab", wire, clock, catalogue, ["k"], b"x-own: 1\r\n", patience, 4, saw, links=fetch)
    dialects = [outbound("openai_chat")]
    http = wiring.speak(dialects, headers=b"x-kind: 2\r\n", keys=[b"x-key: k\r\n"], prepare=prepare, learn=learn)
    body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"think":true}'
    call = inbound("ollama_chat").read_call(body, Limits())
    call.stream = False
    (await http.ask_model("m")(call)).close()
    json = {"content-type": "application/json"}
    assert done == ["fetch", "prepare", json, ("m", "UpstreamRejected"), "fetch", "prepare", json]
    asked = wire.asked[-1]
    assert asked.headers == b"content-type: application/json\r\nx-kind: 2\r\nx-own: 1\r\nx-key: k\r\n"
    assert (asked.patience, b"prepared" in asked.body) == (Patience(first=4, total=9), True)
    assert (http.name, call.served_by) == ("lab", "lab/m")
