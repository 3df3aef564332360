"""The wire Structs of sounds."""

import pytest
from msgspec import Struct

from dragoman.dialects.openai_audio import schema
from dragoman.wire.json import encode
from tests.schema import mismatches

USAGE = schema.Usage(1, 2, 3)


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ("SpeechAudioDeltaEvent", schema.SpeechDelta("AAAA")),
        ("SpeechAudioDoneEvent", schema.SpeechDone(USAGE)),
        ("TranscriptTextDeltaEvent", schema.TextDelta("a")),
        ("TranscriptTextDoneEvent", schema.TextDone("a", schema.Usage(1, 2, 3, "tokens"))),
        ("TranscriptionSegment", schema.Segment(0, 0.0, 1.5, "a")),
        ("TranscriptionWord", schema.Word("a", 0.0, 1.5)),
        ("TranscriptTextUsageDuration", schema.Seconds(1.5)),
        ("CreateTranscriptionResponseJson", schema.Transcript("a")),
    ],
)
def test_what_is_written_is_what_the_specification_says(definition: str, value: Struct) -> None:
    assert mismatches(definition, encode(value)) == []
