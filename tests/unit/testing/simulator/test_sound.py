"""Sounds that other programs can play, and what is heard in them."""

import io
import wave

import pytest

from dragoman.testing.simulator.sound import LETTER, RATE, hear, speak

TEXT = "Grüße, 3 Mal!"


def spoken(text: str, speed: float = 1.0, *, wav: bool = True) -> bytes:
    return b"".join(speak(text, speed, wav=wav))


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_a_sound_lasts_as_long_as_its_text(speed: float) -> None:
    with wave.open(io.BytesIO(spoken(TEXT, speed))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        assert sound.getnframes() == round(RATE * LETTER / speed) * len(TEXT)
        samples = sound.readframes(sound.getnframes())
    assert samples == spoken(TEXT, speed, wav=False)


def test_letters_have_tones_and_all_else_is_silent() -> None:
    assert set(spoken(" ,!", wav=False)) == {0}
    assert len({spoken(letter, wav=False) for letter in "abc3"}) == 4
    assert spoken("A", wav=False) == spoken("a", wav=False)


@pytest.mark.parametrize("text", ["a", "ab", TEXT, "x" * 100])
def test_what_was_spoken_is_heard(text: str) -> None:
    heard = hear(spoken(text))
    assert heard.text == text
    assert heard.seconds == pytest.approx(LETTER * len(text))


def test_a_recording_of_somebody_else_is_measured() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(4 * 12_000))
    heard = hear(file.getvalue())
    assert (heard.text, heard.seconds) == (None, 1.5)


@pytest.mark.parametrize(("data", "seconds"), [(b"", 0), (b"RIFF", 4 / 48_000), (bytes(48_000), 1)])
def test_what_is_no_wav_is_taken_for_bare_samples(data: bytes, seconds: float) -> None:
    heard = hear(data)
    assert (heard.text, heard.seconds) == (None, seconds)


def test_a_damaged_file_does_no_harm() -> None:
    whole = spoken(TEXT)
    for size in range(12, 120):
        assert hear(whole[:size]).seconds >= 0
