"""Video jobs: ordered, looked at until they are done, fetched and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from msgspec import Struct

from dragoman.core import message as msg
from dragoman.core.call import Call
from dragoman.core.errors import BadRequest, MethodNotAllowed, NotFound
from dragoman.core.ports import Limits
from dragoman.dialects.openai_media import read_text
from dragoman.dialects.openai_videos import read_call, read_form_call
from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.models import Model
from dragoman.testing.simulator.mp4 import film
from dragoman.testing.simulator.png import draw
from dragoman.testing.simulator.script import Cadence, Script, play_at_once
from dragoman.testing.simulator.studio import read_size
from dragoman.wire.json import encode, read_body

SIZE, SECONDS = "720x1280", "4"
"""Of a video, where the request does not say."""
KEPT = 86_400
"""Seconds that a video can be fetched."""
MAX_JOBS = 1_000
_LENGTHS = ("4", "8", "12")
_TOKENS = 100
"""What a video takes, in tokens of text at the model's pace."""
_HASTE = 10
"""Milliseconds after which a client may look again at a model without delays; else a second."""
_JSON = "application/json"


class Failure(Struct, frozen=True):
    """Why a job failed."""

    code: str = "generation_failed"
    message: str = "this model fails on purpose"


class Job(Struct):
    """A job as it is told."""

    id: str
    model: str
    prompt: str
    size: str
    seconds: str
    created_at: int
    expires_at: int
    remixed_from_video_id: str | None = None
    status: str = "queued"
    progress: int = 0
    completed_at: int | None = None
    error: Failure | None = None
    object: str = "video"


class _Deleted(Struct):
    id: str
    object: str = "video.deleted"
    deleted: bool = True


class _Jobs(Struct):
    data: list[Job]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: str = "list"


class VideoDesk:
    """All jobs of one simulator."""

    def __init__(self, seed: int, now: Callable[[], int], find: Callable[[str], Model], cadence: Cadence) -> None:
        """`find` gives the model of a name, `cadence` is for those without one of their own."""
        self._seed = seed
        self._now = now
        self._find = find
        self._cadence = cadence
        self._jobs: dict[str, Job] = {}
        self._made = 0

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request for what `path` names below the jobs; raises `DragomanError`."""
        name, _, what = path.partition("/")
        match method, what:
            case "POST", "" if not name:
                return _tell(self._begin(_read(headers, body)))
            case "GET", "" if not name:
                return self._list(parse_qs(query))
            case "GET", "":
                return self._look(self._job(name))
            case "GET", "content":
                return self._show(self._job(name), parse_qs(query).get("variant", ["video"])[-1])
            case "DELETE", "" if name:
                del self._jobs[self._job(name).id]
                return play_at_once(200, [("content-type", _JSON)], encode(_Deleted(name)))
            case "POST", "remix":
                return _tell(self._remix(self._job(name), body))
            case _, "" | "content" | "remix":
                raise MethodNotAllowed
            case _:
                raise NotFound

    def _begin(self, call: Call) -> Job:
        self._find(call.model)
        size = read_text(call.fields, "size") if "size" in call.fields else SIZE
        seconds = read_text(call.fields, "seconds") if "seconds" in call.fields else SECONDS
        read_size(size, SIZE)
        if seconds not in _LENGTHS:
            reason = f"invalid 'seconds': expected one of {', '.join(_LENGTHS)}"
            raise BadRequest(reason, param="seconds", code="invalid_value")
        prompt = "".join([part.text for part in call.request.messages[0].parts if isinstance(part, msg.Text)])
        return self._keep(Job("", call.model, prompt, size, seconds, 0, 0))

    def _remix(self, old: Job, body: bytes) -> Job:
        prompt = read_text(read_body(body, Limits())[1], "prompt")
        return self._keep(Job("", old.model, prompt, old.size, old.seconds, 0, 0, old.id))

    def _keep(self, job: Job) -> Job:
        if len(self._jobs) >= MAX_JOBS:
            del self._jobs[next(iter(self._jobs))]
        self._made += 1
        job.id = f"video_sim{digest(self._seed, str(self._made), job.prompt).hex()}"
        job.created_at = self._now()
        job.expires_at = job.created_at + KEPT
        self._jobs[job.id] = job
        return job

    def _job(self, name: str) -> Job:
        job = self._jobs.get(name)
        if job is None:
            raise NotFound(f"video '{name[:100]}' not found", code="video_not_found")
        return job

    def _look(self, job: Job) -> Script:
        """Tell how far a job is, which goes on by being looked at when its model needs no time."""
        model = self._find(job.model)
        cadence = model.cadence or self._cadence
        takes = cadence.first + cadence.seconds(_TOKENS)
        hasty = takes < 1
        if job.status in ("queued", "in_progress"):
            spent = self._now() - job.created_at
            done = job.status == "in_progress" if hasty else spent >= takes
            job.status = "in_progress"
            job.progress = 50 if hasty else min(99, int(100 * spent / takes))
            if done:
                self._finish(job, model)
        return _tell(job, _HASTE if hasty else 1000)

    def _finish(self, job: Job, model: Model) -> None:
        if model.fault:
            job.status, job.error = "failed", Failure()
        else:
            job.status, job.progress, job.completed_at = "completed", 100, self._now()

    def _show(self, job: Job, variant: str) -> Script:
        if job.status != "completed":
            raise NotFound("the video is not ready", code="video_not_ready")
        width, height = read_size(job.size, SIZE)
        if variant == "thumbnail":
            return play_at_once(
                200, [("content-type", "image/png")], draw(self._seed, f"0 {job.prompt}", width, height)
            )
        if variant != "video":
            reason = "invalid 'variant': the simulator makes video and thumbnail only"
            raise BadRequest(reason, param="variant", code="unsupported_value")
        data = film(self._seed, job.prompt, width, height, int(job.seconds))
        return play_at_once(200, [("content-type", "video/mp4")], data)

    def _list(self, query: Mapping[str, list[str]]) -> Script:
        jobs = list(self._jobs.values())
        if query.get("order", ["desc"])[-1] == "desc":
            jobs.reverse()
        after, limit = query.get("after", [""])[-1], query.get("limit", ["20"])[-1]
        names = [job.id for job in jobs]
        begin = names.index(after) + 1 if after in names else 0
        page = jobs[begin:][: int(limit) if limit.isdecimal() else 20]
        more = bool(page) and page[-1] is not jobs[-1]
        told = _Jobs(page, page[0].id if page else None, page[-1].id if page else None, more)
        return play_at_once(200, [("content-type", _JSON)], encode(told))


def _read(headers: Mapping[str, str], body: bytes) -> Call:
    kind = headers.get("content-type", _JSON)
    return read_form_call(body, kind, Limits()) if kind.startswith("multipart/") else read_call(body, Limits())


def _tell(job: Job, again: int = 0) -> Script:
    headers = [("content-type", _JSON)]
    if again:
        headers.append(("openai-poll-after-ms", str(again)))
    return play_at_once(200, headers, encode(job))
