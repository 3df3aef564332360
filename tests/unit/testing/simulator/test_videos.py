"""Video jobs at the simulator, from the order to the end."""

import msgspec
import pytest

from dragoman.testing.simulator.face import Simulator
from dragoman.testing.simulator.script import INSTANT, Cadence, Script
from dragoman.testing.simulator.videos import MAX_JOBS
from tests.form import TYPE, form
from tests.schema import mismatches


class Told(msgspec.Struct):
    """What is looked at of anything told."""

    id: str = ""
    status: str = ""
    progress: int = 0
    model: str = ""
    size: str = ""
    seconds: str = ""
    remixed_from_video_id: str | None = None
    data: list[msgspec.Raw] = []
    has_more: bool = False


class Desk:
    """A simulator, and the time."""

    def __init__(self, cadence: Cadence = INSTANT) -> None:
        self.now = 1000
        self._simulator = Simulator(cadence=cadence, now=lambda: self.now)

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Script:
        return self._simulator.answer(method, f"/v1/videos{path}", {"content-type": kind}, body)

    def order(self, more: str = "", model: str = "chat") -> str:
        script = self.ask("POST", "", f'{{"model":"{model}","prompt":"a house"{more}}}'.encode())
        assert mismatches("VideoResource", body_of(script)) == []
        return told(script).id

    def look(self, name: str) -> Told:
        return told(self.ask("GET", f"/{name}"))


def body_of(script: Script) -> bytes:
    return b"".join(data for _, data in script.pieces)


def told(script: Script) -> Told:
    assert script.status == 200
    return msgspec.json.decode(body_of(script), type=Told)


def test_a_job_without_delays_is_done_when_it_is_looked_at_twice() -> None:
    desk = Desk()
    name = desk.order()
    assert [(one.status, one.progress) for one in (desk.look(name), desk.look(name), desk.look(name))] == [
        ("in_progress", 50),
        ("completed", 100),
        ("completed", 100),
    ]
    assert ("openai-poll-after-ms", "10") in desk.ask("GET", f"/{name}").headers
    assert mismatches("VideoResource", body_of(desk.ask("GET", f"/{name}"))) == []


def test_a_job_takes_the_time_of_its_model() -> None:
    desk = Desk(Cadence(first=1.0, rate=50))
    name = desk.order()
    assert desk.look(name).progress == 0
    desk.now += 2
    assert (desk.look(name).status, desk.look(name).progress) == ("in_progress", 66)
    desk.now += 1
    assert desk.look(name).status == "completed"
    assert ("openai-poll-after-ms", "1000") in desk.ask("GET", f"/{name}").headers


def test_a_model_with_a_fault_fails_in_the_end() -> None:
    desk = Desk()
    name = desk.order(model="cut")
    desk.look(name)
    assert desk.look(name).status == "failed"
    assert mismatches("VideoResource", body_of(desk.ask("GET", f"/{name}"))) == []
    assert desk.ask("GET", f"/{name}/content").status == 404


@pytest.mark.parametrize(("model", "status"), [("error-500", 500), ("error-429", 429), ("nobody", 404)])
def test_a_model_that_does_not_answer_takes_no_order(model: str, status: int) -> None:
    assert Desk().ask("POST", "", f'{{"model":"{model}","prompt":"a"}}'.encode()).status == status


def test_an_order_may_be_a_form_and_say_how_long_and_how_large() -> None:
    desk = Desk()
    body = form(model="chat", prompt="a house", seconds="8", size="64x64", input_reference=("a.png", b"\0"))
    job = told(desk.ask("POST", "", body, TYPE))
    assert (job.model, job.size, job.seconds, job.status) == ("chat", "64x64", "8", "queued")


@pytest.mark.parametrize("more", [',"seconds":"5"', ',"size":"big"', ',"seconds":4'])
def test_what_cannot_be_filmed_is_refused(more: str) -> None:
    assert Desk().ask("POST", "", f'{{"model":"chat","prompt":"a"{more}}}'.encode()).status == 400


def test_a_video_is_fetched_when_it_is_done() -> None:
    desk = Desk()
    name = desk.order(',"size":"1280x720"')
    assert desk.ask("GET", f"/{name}/content").status == 404
    assert [desk.look(name).status for _ in range(2)] == ["in_progress", "completed"]
    video = desk.ask("GET", f"/{name}/content")
    assert (video.headers, body_of(video)[4:8]) == ([("content-type", "video/mp4")], b"ftyp")
    thumbnail = desk.ask("GET", f"/{name}/content?variant=thumbnail")
    assert (thumbnail.headers, body_of(thumbnail)[:4]) == ([("content-type", "image/png")], b"\x89PNG")
    assert desk.ask("GET", f"/{name}/content?variant=spritesheet").status == 400


def test_a_video_is_made_from_another() -> None:
    desk = Desk()
    name = desk.order(',"size":"1280x720"')
    remix = told(desk.ask("POST", f"/{name}/remix", b'{"prompt":"a horse"}'))
    assert (remix.remixed_from_video_id, remix.size) == (name, "1280x720")
    assert desk.ask("POST", f"/{name}/remix", b"{}").status == 400


def test_a_deleted_job_is_no_more() -> None:
    desk = Desk()
    name = desk.order()
    assert mismatches("DeletedVideoResource", body_of(desk.ask("DELETE", f"/{name}"))) == []
    assert [desk.ask(method, f"/{name}").status for method in ("GET", "DELETE")] == [404, 404]


def test_jobs_are_listed_page_by_page() -> None:
    desk = Desk()
    names = [desk.order() for _ in range(3)]

    def page(query: str) -> tuple[list[str], bool]:
        script = desk.ask("GET", f"?{query}")
        assert mismatches("VideoListResource", body_of(script)) == []
        found = told(script)
        return [msgspec.json.decode(job, type=Told).id for job in found.data], found.has_more

    assert page("") == (names[::-1], False)
    assert page("limit=2") == ([names[2], names[1]], True)
    assert page(f"limit=x&order=asc&after={names[0]}") == (names[1:], False)
    assert page(f"after={names[0]}") == ([], False)


def test_old_jobs_are_forgotten() -> None:
    desk = Desk()
    first = desk.order()
    for _ in range(MAX_JOBS):
        desk.order()
    assert desk.ask("GET", f"/{first}").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PUT", "", 405), ("DELETE", "", 405), ("POST", "/v", 405), ("PUT", "/v/content", 405), ("GET", "/v/odd", 404)],
)
def test_other_paths_and_methods_are_refused(method: str, path: str, status: int) -> None:
    assert Desk().ask(method, path).status == status
