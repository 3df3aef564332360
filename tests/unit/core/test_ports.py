from dragoman.core.ports import Limits


def test_the_limits_are_the_documented_ones() -> None:
    limits = Limits()
    assert (limits.depth, limits.digits, limits.keys) == (64, 308, 10_000)
    assert (limits.messages, limits.tools, limits.stop, limits.n, limits.metadata) == (10_000, 512, 16, 128, 64)
