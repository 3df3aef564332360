"""What Ollama's clients ask on the other dialects of its port: the examples below ``/v1``, with our model's name."""

import urllib.error
import urllib.request

import msgspec
import pytest

from tests.ollama_examples import Example, read_examples, shape_of
from tests.sdk.conftest import Gateway

EXAMPLES = [example for example in read_examples().values() if example.request.path.startswith("/v1")]
NOT_OURS = {"system_fingerprint"}
"""The upstream's to tell."""


def ask(gateway: Gateway, example: Example) -> tuple[int, list[bytes]]:
    """Return the status and the JSON texts of the answer."""
    path, data = (text.replace("gpt-4.1", "instant") for text in (example.request.path, example.request.data.decode()))
    headers = {"authorization": f"Bearer {gateway.key}", "content-type": "application/json"}
    request = urllib.request.Request(gateway.served.address + path, data.encode() or None, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, body = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    if example.mode != "sse":
        return status, [body]
    return status, [frame.removeprefix(b"data: ") for frame in body.split(b"\n\n") if frame.startswith(b"data: {")]


def lacks(expected: object, ours: object, path: str = "$") -> list[str]:
    """Return where an answer is not built like the one expected; more members than expected are no matter."""
    if isinstance(expected, dict) and isinstance(ours, dict):
        mine = msgspec.convert(ours, dict[str, object])
        wanted = msgspec.convert(expected, dict[str, object])
        return [
            problem
            for name in wanted.keys() - NOT_OURS
            for problem in lacks(wanted[name], mine.get(name, "absent"), f"{path}.{name}")
        ]
    if isinstance(expected, list) and isinstance(ours, list):
        firsts = zip(msgspec.convert(expected, list[object])[:1], msgspec.convert(ours, list[object])[:1], strict=True)
        return [problem for pair in firsts for problem in lacks(*pair, f"{path}[0]")]
    # A code or a choice may be told where the example has null.
    return [] if expected == ours or "NoneType" in (expected, ours) else [f"{path}: {ours}, not {expected}"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_the_other_dialects_answer_ollamas_clients(example: Example, gateway: Gateway) -> None:
    status, texts = ask(gateway, example)
    assert status == example.response.status
    expected = [text for text in example.response.objects if text.startswith(b"{")]
    pairs = [(expected[0], texts[0]), (expected[-1], texts[-1])]
    assert [problem for wanted, told in pairs for problem in lacks(shape_of(wanted), shape_of(told))] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 6
