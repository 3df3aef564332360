"""The wire Structs of sounds, and what their dialects are called. Source: OpenAI OpenAPI 2.3.0, 2026."""

from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType

SPEECH = "openai_speech"
EVENTS = "openai_speech_events"
TRANSCRIPTIONS = "openai_transcriptions"
TRANSCRIPTION_TEXT = "openai_transcription_text"
TRANSLATIONS = "openai_translations"
TRANSLATION_TEXT = "openai_translation_text"

SEGMENT, WORD, LANGUAGE = "segment", "word", "language"
"""Kinds of the notes beside a transcript: the JSON of a `Span`, and in which language it is spoken."""


class Usage(Struct):
    """What a sound cost: its tokens."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    type: str | UnsetType = UNSET


class Seconds(Struct):
    """What a sound cost: its time."""

    seconds: float
    type: str = "duration"


class SpeechDelta(Struct):
    """A piece of a sound, as base64."""

    audio: str
    type: str = "speech.audio.delta"


class SpeechDone(Struct):
    """The sound is whole."""

    usage: Usage
    type: str = "speech.audio.done"


class Span(Struct):
    """What is said from one second to another."""

    start: float
    end: float
    text: str


class Segment(Struct):
    """A span as a transcript tells it."""

    id: int
    start: float
    end: float
    text: str
    seek: int = 0
    tokens: list[int] = []
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0


class Word(Struct):
    """A word as a transcript tells it."""

    word: str
    start: float
    end: float


class Transcript(Struct):
    """A whole transcript; only `text` unless more is asked for."""

    text: str
    language: str | UnsetType = UNSET
    duration: float | UnsetType = UNSET
    segments: list[Segment] | UnsetType = UNSET
    words: list[Word] | UnsetType = UNSET
    usage: Usage | Seconds | UnsetType | Raw = UNSET


class TextDelta(Struct):
    """A piece of a transcript."""

    delta: str
    type: str = "transcript.text.delta"


class TextDone(Struct):
    """The transcript is whole."""

    text: str
    usage: Usage | UnsetType = UNSET
    type: str = "transcript.text.done"
