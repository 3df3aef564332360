"""One gateway in front of an upstream of every kind, all of them the simulator in its various dialects."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import msgspec
from msgspec import Struct

from tests.sdk.process import Served, served

KEY = "sk-the-upstreams-key;limit=100000;balance=1000000000"
"""What every upstream is asked with."""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG, in base64."""
SOON = 30.0
"""Seconds in which the catalogues must have been read; it takes a few milliseconds."""
CONFIG = """
[server]
port = 0
[store]
url = "sqlite://"
[attachments]
fetch = $FETCH
[upstreams.openai]
kind = "openai"
base_url = "$SIM/v1"
[upstreams.anthropic]
kind = "anthropic"
base_url = "$SIM/v1"
about = { "*" = { vision = true } }
[upstreams.ollama]
kind = "ollama"
base_url = "$SIM"
models = ["instant", "reasoning", "no-usage", "error-429", "error-503", "error-midstream"]
about = { "*" = { tools = true, vision = true, thinking = true } }
[upstreams.poe]
kind = "poe"
base_url = "$SIM/poe/v1"
bot_url = "$SIM/poe/bot"
upload_url = "$SIM/poe/poe_api"
upload_limit = 1000
[upstreams.poe_rest]
kind = "poe"
base_url = "$SIM/poe/v1"
models = ["sim-error-429", "sim-error-529", "sim-midstream"]
[upstreams.poe_bot]
kind = "poe_bot"
base_url = "$SIM/poe/bot"
upload_url = "$SIM/poe/poe_api"
upload_limit = 1000
models = ["Grok-4", "sim-thinking", "sim-error-429", "sim-error-529", "sim-error-late"]
about = { "*" = { tools = true, vision = true, thinking = true } }
[upstreams.qwen]
kind = "qwen"
base_url = "$SIM/qwen/compatible-mode/v1"
about = { "*" = { vision = true } }
[upstreams.qwen_errors]
kind = "qwen"
base_url = "$SIM/qwen/compatible-mode/v1"
models = ["sim-error-429", "sim-error-503"]
"""
_USUAL = 'key = "$KEY"\nretry = { attempts = 1 }\ntimeout = { connect = 30 }\n'


class Listed(Struct):
    """What `/health` tells of an upstream."""

    models: int | None
    """None before its catalogue is read."""


class Health(Struct):
    """What of `/health` is looked at."""

    upstreams: dict[str, Listed]


@contextmanager
def serving(upstream: str, folder: Path, *, fetch: bool = False) -> Generator[Served]:
    """Serve every kind of upstream, all of them at the simulator's address, once all their catalogues are read."""
    text = CONFIG.replace("$SIM", upstream).replace("$FETCH", str(fetch).lower())
    head, *tables = text.split("[upstreams.")
    file = folder / "dragoman.toml"
    file.write_text("[upstreams.".join([head, *(table + _USUAL for table in tables)]))
    with served(["serve", "-c", str(file)], {"KEY": KEY}) as gateway:
        end = time.monotonic() + SOON
        while not _knows_all(gateway.address):
            assert time.monotonic() < end
            time.sleep(0.01)
        yield gateway
        assert '"bug"' not in gateway.log
        assert KEY not in gateway.log


def _knows_all(address: str) -> bool:
    with urlopen(f"{address}/health", timeout=SOON) as answer:
        health = msgspec.json.decode(answer.read(), type=Health)
    return all(upstream.models for upstream in health.upstreams.values())
