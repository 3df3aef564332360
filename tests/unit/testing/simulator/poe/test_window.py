"""The rate limit: a minute that moves on with the clock it is given."""

from dragoman.testing.simulator.poe.window import Window


def test_there_is_room_for_so_many_and_no_more() -> None:
    window = Window(3)
    assert [window.admit(100) for _ in range(4)] == [True, True, True, False]
    assert window.remaining == 0


def test_a_request_counts_for_a_minute() -> None:
    window = Window(1)
    assert window.reset(100) == 60
    assert window.admit(100)
    assert not window.admit(159)
    assert window.reset(159) == 1
    assert window.admit(160)


def test_room_comes_back_one_request_at_a_time() -> None:
    window = Window(2)
    assert window.admit(100)
    assert window.admit(130)
    assert window.reset(140) == 20
    assert window.admit(160)
    assert window.remaining == 0
