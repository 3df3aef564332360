"""How a report looks, for people and for programs."""

import msgspec
import pytest

from dragoman.testing.conform.run import Report, Result
from dragoman.testing.conform.scenarios import Subject
from dragoman.testing.conform.show import print_report

REPORT = Report(
    "http://127.0.0.1:1",
    Subject("m"),
    [
        Result("openai_chat", "wire", "text", "passed"),
        Result("openai_chat", "wire", "stop", "failed", field="text", expected="[some]", got="none"),
        Result("openai_chat", "sdk", "text", "n/a", reason="why not"),
        Result("openai_chat", "sdk", "stop", "n/a", reason="why not"),
        Result("ollama", "sdk", "text", "not installed"),
        Result("ollama", "sdk", "stop", "not installed"),
    ],
)


def test_a_matrix_is_followed_by_what_it_cannot_say(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(REPORT, as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0] == ["scenario", "openai", "chat", "wire", "openai", "chat", "sdk", "ollama", "sdk"]
    assert lines[2:4] == [["text", "✓", "n/a", "-"], ["stop", "✗", "n/a", "-"]]
    assert [" ".join(line) for line in lines[4:]] == [
        "✗ openai_chat wire, stop: text: expected [some], got none",
        "n/a text, stop: why not",
        "- not installed: the SDK of ollama",
        "http://127.0.0.1:1, m: 1 passed, 1 failed, 2 n/a, 2 not installed",
    ]


def test_all_passed_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(Report("http://127.0.0.1:1", Subject("m"), REPORT.results[:1]), as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == "http://127.0.0.1:1, m: 1 passed"


def test_the_same_is_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(REPORT, as_json=True)
    assert msgspec.json.decode(capsys.readouterr().out, type=Report) == REPORT


def test_a_terminal_keeps_its_width(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    print_report(REPORT, as_json=False)
    assert "\x1b[" in capsys.readouterr().out
