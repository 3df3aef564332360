from dragoman.core.burst import Burst
from dragoman.core.events import Text


def test_a_burst_without_bytes_is_one_that_a_stage_has_changed() -> None:
    burst = Burst([Text("a")])
    assert (burst.raw, burst.dialect) == (None, "")


def test_a_burst_holds_the_bytes_its_events_came_in() -> None:
    assert Burst([Text("a")], b"data: a\n\n", "openai_chat").raw == b"data: a\n\n"
