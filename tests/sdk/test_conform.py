"""`dragoman conform` against the gateway, which passes, and against the same with one rule broken on the way."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest

from dragoman.testing.conform.run import WIRES, Report
from tests.sdk.conftest import Gateway
from tests.sdk.environment import ELSEWHERE, environment
from tests.unit.testing.conform.server import Answer, Asked, serving

MODELS = (
    *("--model", "sim/instant", "--thinking-model", "sim/reasoning"),
    *("--embedding-model", "sim/embed", "--breaking-model", "sim/error-midstream"),
)
PATIENCE = 50.0
"""Seconds for all checks of all dialects; they take five."""
_NUMBER = re.compile(r"^(events|lines)\[\d+\]")
"""Which event or line it is depends on what the simulator says."""


def conform(url: str, *arguments: str) -> tuple[int, Report]:
    """Run the command; returns its exit status and its report."""
    done = subprocess.run(
        ["dragoman", "conform", url, *MODELS, "--json", *arguments],
        cwd=ELSEWHERE,
        env=environment({"DRAGOMAN_KEY": "dg-app-key"}),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr == b""
    return done.returncode, msgspec.json.decode(done.stdout, type=Report)


@contextmanager
def spoiling(address: str, old: bytes, new: bytes) -> Generator[str]:
    """Serve what is served at `address`, with `new` for every `old`; yields the base URL."""

    def answer(asked: Asked) -> Answer:
        kept = ("authorization", "content-type", "x-api-key", "anthropic-version")
        headers = {name: asked.headers[name] for name in kept if name in asked.headers}
        request = Request(address + asked.path, asked.body or None, headers, method=asked.method)
        try:
            with urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.headers["content-type"], response.read().replace(old, new)
        except HTTPError as error:
            return error.code, error.headers["content-type"], error.read().replace(old, new)

    with serving(answer) as server:
        yield server.url


def test_the_gateway_conforms_in_every_dialect_and_both_ways(gateway: Gateway) -> None:
    status, report = conform(f"{gateway.base_url}/")
    assert [result for result in report.results if result.outcome not in ("passed", "n/a")] == []
    assert status == 0
    assert {(result.dialect, result.way) for result in report.results} == {
        (dialect, way) for dialect in WIRES for way in ("wire", "sdk")
    }
    # What cannot be asked for is no more than this: three checks by an SDK, stop in Responses, and embeddings.
    reasons = {result.reason for result in report.results if result.outcome == "n/a"}
    assert reasons == {
        "an SDK cannot send that",
        "the dialect has no stop sequences",
        "the dialect has no embeddings",
    }


@pytest.mark.parametrize(
    ("dialect", "old", "new", "told"),
    [
        (
            "openai_chat",
            b'"delta":{"content"',
            b'"delta":{"role":"assistant","content"',
            {"wire": "events[#].choices[0].delta.role", "sdk": "sdk.choices[0].message.role"},
        ),
        ("openai_chat", b"data: [DONE]\n\n", b"", {"wire": "stream"}),
        ("openai_responses", b'"sequence_number":2', b'"sequence_number":3', {"wire": "events[#].sequence_number"}),
        ("openai_responses", b"response.output_item.added", b"response.x", {"wire": "events[#]", "sdk": "sdk"}),
        ("anthropic", b'event: message_stop\ndata: {"type":"message_stop"}\n\n', b"", {"wire": "events[#].type"}),
        ("anthropic", b"event: content_block_delta\n", b"", {"wire": "events[#].event", "sdk": "text"}),
        ("ollama", b"}\n", b"}\n\n", {"wire": "lines[#]", "sdk": "sdk"}),
        ("ollama", b'"done":false', b'"done":false,"error":null', {"wire": "lines[#].error"}),
    ],
)
def test_a_broken_rule_is_told_by_its_field(
    gateway: Gateway, dialect: str, old: bytes, new: bytes, told: dict[str, str]
) -> None:
    """Some rules only the raw wire can see broken: the SDK forgives, and believes half an answer."""
    with spoiling(gateway.served.address, old, new) as url:
        status, report = conform(url, "--dialect", dialect)
    assert status == 1
    failures = [result for result in report.failures if result.scenario == "streaming"]
    assert {result.way: _NUMBER.sub(r"\1[#]", result.field) for result in failures} == told
