"""Poe's REST endpoints below ``/v1/``: three dialects, media jobs and the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from dragoman.core.errors import DragomanError
from dragoman.testing.simulator.chance import draw
from dragoman.testing.simulator.poe.account import Account, Accounts
from dragoman.testing.simulator.poe.catalogue import write_catalogue
from dragoman.testing.simulator.poe.media import Media
from dragoman.testing.simulator.poe.refusal import Refused, tell
from dragoman.testing.simulator.poe.talk import PLACES, Talk
from dragoman.testing.simulator.script import Script, play_at_once

_JSON = "application/json; charset=utf-8"
_MESSAGES = "messages"
_VIDEOS = "videos"


Handler = Callable[[Account, str, str, Mapping[str, str], bytes], Script]
"""Takes the account, the method, the path with its query, the headers and the body."""


class Rest:
    """All endpoints below ``/v1/``."""

    def __init__(self, seed: int, accounts: Accounts, talk: Talk, media: Media) -> None:
        self._seed = seed
        self._accounts = accounts
        self._handlers: dict[str, Handler] = dict.fromkeys(PLACES, talk.answer)
        self._handlers |= {"images": media.paint, _VIDEOS: media.film}

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request for what `path` names below ``/v1/``."""
        name = path.partition("?")[0]
        name = _VIDEOS if name.startswith(f"{_VIDEOS}/") else name
        if (method, name) == ("GET", "models"):
            return play_at_once(200, [("content-type", _JSON)], write_catalogue())
        try:
            account = self._accounts.of(headers, by_header=name == _MESSAGES)
            account.enter(self._accounts.now())
            script = self._handler(name)(account, method, path, headers, body)
            limits = self._tell_limits(account, anthropic=name == _MESSAGES)
        except Refused as refused:
            script, limits = tell(refused, anthropic=name == _MESSAGES), []
        except DragomanError as error:
            wrong = Refused(error.status, error.message, code=error.code, param=error.param or "")
            script, limits = tell(wrong, anthropic=name == _MESSAGES), []
        script.headers.extend([*self._tell_service(body), *limits])
        return script

    def _handler(self, name: str) -> Handler:
        if name not in self._handlers:
            raise Refused(404, "Not found")
        return self._handlers[name]

    def _tell_service(self, body: bytes) -> list[tuple[str, str]]:
        number = draw(self._seed, "request", body.hex(), below=2**64)
        return [
            ("openai-version", "2020-10-01"),
            ("openai-processing-ms", str(20 + number % 900)),
            ("x-request-id", f"req_{number:016x}"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-headers", "Authorization, Content-Type"),
        ]

    def _tell_limits(self, account: Account, *, anthropic: bool) -> list[tuple[str, str]]:
        now, window = self._accounts.now(), account.window
        reset = window.reset(now)
        told = [str(window.limit), str(window.remaining)]
        if not anthropic:
            names = ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"]
            return list(zip(names, [*told, str(reset)], strict=True))
        names = [f"anthropic-ratelimit-requests-{name}" for name in ("limit", "remaining", "reset")]
        when = datetime.fromtimestamp(now + reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return list(zip(names, [*told, when], strict=True))
