"""What mock and client need of a connection; uvloop's transports are no subclasses of asyncio's."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Wire(Protocol):
    """A connection that can be written to."""

    def write(self, data: bytes) -> None:
        """Send `data`, now or soon."""

    def close(self) -> None:
        """End the connection."""

    def is_closing(self) -> bool:
        """Tell whether it has ended or is about to."""
        ...
