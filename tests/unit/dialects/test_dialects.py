import pytest

from dragoman.core.ports import Inbound, Outbound
from dragoman.dialects import INBOUND, OUTBOUND, inbound, outbound


def test_every_dialect_of_a_client_has_its_side() -> None:
    for name in INBOUND:
        side = inbound(name)
        assert isinstance(side, Inbound)
        assert (side.name, side.stream_type) == (name, b"text/event-stream; charset=utf-8")


def test_every_dialect_of_an_upstream_has_its_side() -> None:
    for name in OUTBOUND:
        side = outbound(name)
        assert isinstance(side, Outbound)
        assert side.name == name


def test_a_dialect_nobody_has_registered_is_a_bug() -> None:
    with pytest.raises(KeyError):
        inbound("esperanto")
    with pytest.raises(KeyError):
        outbound("esperanto")
