"""The loops these tests run on: asyncio's own and uvloop, or one whose clock the test moves."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from tests.unit.net.loopback import Clock


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run a test that takes the `clock` on that, every other one on both real loops."""
    assert isinstance(item, pytest.Function)
    if "clock" in item.fixturenames:
        return {"clock": Clock}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def clock() -> Clock:
    """The running loop, whose time goes on only as fast as the machine's unless the test moves it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Clock)
    return loop
