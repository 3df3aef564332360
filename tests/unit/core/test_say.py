import pytest

from dragoman.core import message as msg
from dragoman.core.say import say_instead, say_part


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (msg.Text("Hello"), "Hello"),
        (msg.Refusal("No"), "No"),
        (msg.Image("https://example.com/a.png"), "![image](https://example.com/a.png)"),
        (msg.Video("https://example.com/a.mp4"), "![video](https://example.com/a.mp4)"),
        (msg.Audio("", "wav", url="https://example.com/a.wav"), "![audio](https://example.com/a.wav)"),
        (msg.Audio("AAAA", "wav"), "![audio](data:audio/wav;base64,AAAA)"),
        (msg.Audio("", "wav"), ""),
        (msg.Thinking("hm"), ""),
    ],
)
def test_a_part_is_text_or_a_link_or_nothing(part: msg.Part, said: str) -> None:
    assert say_part(part) == said


@pytest.mark.parametrize(
    ("said", "text", "more"),
    [
        ("", "a", "a"),
        ("a", "a", ""),
        ("a", "ab", "b"),
        ("ab", "a", "\na"),
        ("a", "b", "\nb"),
        ("a", "", ""),
    ],
)
def test_a_stream_goes_on_and_takes_nothing_back(said: str, text: str, more: str) -> None:
    assert say_instead(said, text) == more
