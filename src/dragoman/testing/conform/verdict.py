"""How a check ends when it does not end well."""

from __future__ import annotations


class Mismatch(Exception):
    """The server broke a rule: `field` is the place, told as a path."""

    def __init__(self, field: str, expected: str, got: str) -> None:
        super().__init__(f"{field}: expected {expected}, got {got}")
        self.field = field
        self.expected = expected
        self.got = got


class Refused(Exception):
    """The server answered with an error, well written, before it said anything."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Broken(Exception):
    """The server told, in the middle of a stream, that its answer is broken."""


class NotApplicable(Exception):
    """This cannot be asked of the server; the message says why."""
