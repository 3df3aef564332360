"""Running all of it: each end of a check is told as it was, and the subject is completed by what the server says."""

import pytest

from dragoman.testing.conform.run import Report, conform
from dragoman.testing.conform.scenarios import SCENARIOS, Subject
from dragoman.testing.conform.verdict import Mismatch
from tests.unit.testing.conform.server import JSON, LINES, Answer, Asked, serving

SHOWN = b'{"capabilities":["completion","tools"]}'
TAIL = b'"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":1}'
HEAD = b'{"model":"first","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hello"},'


def ollama(asked: Asked) -> Answer:
    """Answer everything with one text, streams with an error."""
    if asked.path == "/v1/models":
        return 404, JSON, b"{}"
    if asked.path == "/api/tags":
        return 200, JSON, b'{"models":[{"model":"first"},{"model":"second"}]}'
    if asked.path == "/api/show":
        return 200, JSON, SHOWN
    if b"Explain" in asked.body and b'"stream":true' in asked.body:
        return 200, LINES, b'{"error":"broken"}\n'
    if b"no-such" in asked.body:
        return 404, JSON, b'{"error":"not found"}'
    return 200, JSON, HEAD + TAIL


def outcome(report: Report, way: str, scenario: str) -> tuple[str, ...]:
    [found] = [result for result in report.results if (result.way, result.scenario) == (way, scenario)]
    return found.outcome, found.reason or found.field, found.got


def test_each_check_is_told_as_it_ended() -> None:
    with serving(ollama) as server:
        report = conform(server, Subject(""), ["ollama"])
    assert report.url == server.url
    assert report.subject == Subject("first", abilities=frozenset({"completion", "tools"}))
    assert len(report.results) == 2 * len(SCENARIOS)
    for way, said in (("wire", ""), ("sdk", " (status code: -1)")):
        assert outcome(report, way, "text") == ("passed", "", "")
        assert outcome(report, way, "streaming") == ("failed", "stream", "an error: broken" + said)
        assert outcome(report, way, "tools") == ("failed", "finish", "stop")
        assert outcome(report, way, "thinking") == ("n/a", "first is listed without thinking", "")
    assert outcome(report, "wire", "unknown model") == ("passed", "", "")
    assert {result.outcome for result in report.failures} == {"failed"}


def test_a_refusal_is_a_failure() -> None:
    with serving(lambda asked: (400, JSON, b'{"error":"no"}')) as server:
        report = conform(server, Subject("m"), ["ollama"])
    assert report.subject.abilities is None
    assert outcome(report, "wire", "text") == ("failed", "status", "400: no")


def test_an_sdk_that_is_not_installed_is_neither_passed_nor_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(__import__("sys").modules, "ollama", raising=False)
    with serving(ollama) as server:
        report = conform(server, Subject("first"), ["ollama"])
    assert {result.outcome for result in report.results if result.way == "sdk"} == {"not installed"}


def test_a_server_without_models_cannot_be_tested() -> None:
    empty = b'{"data":[],"models":[]}'
    with serving(lambda _: (200, JSON, empty)) as server, pytest.raises(Mismatch, match="models: expected at least"):
        conform(server, Subject(""), ["ollama"])
