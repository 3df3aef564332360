"""All or nothing: rather an error than a request of which part would be lost on its way."""

from __future__ import annotations

from collections.abc import Awaitable

from dragoman.core.ask import Answer, Ask
from dragoman.core.call import Call


def strict(ask: Ask) -> Ask:
    """Do for every call what its client may ask for with ``x-dragoman-strict: true``."""

    def asking(call: Call) -> Awaitable[Answer]:
        call.strict = True
        return ask(call)

    return asking
