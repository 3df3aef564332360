"""A live gateway and a live upstream for the official clients: two processes, real sockets between all three."""

import gc
import time
import warnings
from collections.abc import AsyncGenerator, Callable, Generator
from functools import cache
from pathlib import Path
from urllib.request import urlopen

import jsonschema_rs
import msgspec
import pytest
from msgspec import Struct
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.sdk.process import Served, served

HERE = Path(__file__).parent
Check = Callable[[str, object], None]
"""Fails when what the SDK received is not what OpenAI's specification calls by this name."""

APP_KEY, GUEST_KEY = "dg-app-key", "dg-guest-key"
"""Two client keys; the guest may use the model `instant` only."""
SOON = 30.0
"""Seconds in which a call must have been given up; it takes a few milliseconds."""
CONFIG = """
[server]
port = 0

[store]
url = "sqlite://"

[upstreams.sim]
speed = { first = 0, rate = 1_000_000 }

[upstreams.lab]
kind = "openai"
base_url = "$UPSTREAM"
key = "$LAB_KEY"
models = ["*"]
retry = { attempts = 1 }
timeout = { connect = 30 }

[upstreams.hasty]
kind = "openai"
base_url = "$UPSTREAM"
models = ["*"]
retry = { attempts = 1 }
timeout = { connect = 30, first = 0.3, idle = 0.3 }

[upstreams.spare]
kind = "openai"
base_url = "$UPSTREAM"
models = ["*"]
retry = { attempts = 1 }
timeout = { connect = 30 }

[upstreams.text]
kind = "openai"
base_url = "$UPSTREAM"
models = ["*"]
endpoints = ["chat", "completions"]
timeout = { connect = 30 }

[upstreams.listed]
kind = "openai"
base_url = "$UPSTREAM"

[upstreams.gone]
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
models = ["*"]
retry = { attempts = 1 }

[models]
instant = "lab/instant"
"gpt-6-astra" = "lab/instant"
fallback = ["listed/error-500", "gone/fallback", "sim/instant"]  # nobody else asks these: no breaker is in the way
stubborn = "text/flaky"

[models.pair]
targets = ["sim/error-401", "lab/instant"]

[keys.app]
key = "$APP_KEY"
[keys.guest]
key = "$GUEST_KEY"
models = ["instant"]
"""


class Health(Struct):
    """What of `/health` is looked at."""

    in_flight: int


class Gateway(Struct, frozen=True):
    """The gateway under test."""

    served: Served
    key: str = APP_KEY
    guest_key: str = GUEST_KEY

    @property
    def base_url(self) -> str:
        """What an OpenAI client is given."""
        return f"{self.served.address}/v1"

    @property
    def in_flight(self) -> int:
        """How many calls are under way."""
        with urlopen(f"{self.served.address}/health", timeout=SOON) as response:
            return msgspec.json.decode(response.read(), type=Health).in_flight

    def settles(self, calls: int = 0) -> bool:
        """Tell whether there are `calls` under way before long."""
        end = time.monotonic() + SOON
        while self.in_flight != calls:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def logged(self, request_id: str) -> int:
        """Return how many lines of the log are about `request_id`."""
        return self.served.log.count(f'"request":"{request_id}"')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the clients of others leave connections open, as some do until they are collected."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(scope="module", autouse=True)
def collected() -> Generator[None]:
    """Collect what a file's clients have left, so that no other test hears of it."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture(scope="session")
def upstream() -> Generator[Served]:
    with served(["simulate", "--port", "0", "--instant"]) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def gateway(upstream: Served, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    file = tmp_path_factory.mktemp("gateway") / "dragoman.toml"
    file.write_text(CONFIG.replace("$UPSTREAM", f"{upstream.address}/v1"))
    variables = {"APP_KEY": APP_KEY, "GUEST_KEY": GUEST_KEY, "LAB_KEY": "lab-key"}
    with served(["serve", "-c", str(file)], variables) as process:
        yield Gateway(process)
        assert '"bug"' not in process.log
        assert "lab-key" not in process.log


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Generator[OpenAI]:
    """The synchronous SDK; it asks once and says what it is told."""
    with OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
async def aclient(gateway: Gateway) -> AsyncGenerator[AsyncOpenAI]:
    """The asynchronous SDK."""
    async with AsyncOpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def check() -> Check:
    """Compares with OpenAI's own specification."""
    bundle = msgspec.json.decode((Path(__file__).parent.parent / "data/openai-schemas.json").read_bytes())

    @cache
    def validator(name: str) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator({**bundle, "$ref": f"#/$defs/{name}"})

    def compare(name: str, received: object) -> None:
        if isinstance(received, BaseModel):
            received = received.model_dump(mode="json", exclude_unset=True)
        validator(name).validate(received)

    return compare
