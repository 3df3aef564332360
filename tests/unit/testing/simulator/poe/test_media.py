"""Pictures at once, and videos as jobs."""

import pytest

from dragoman.testing.simulator.schema import Json
from tests.unit.testing.simulator.poe.client import Client, Reply


def paint(client: Client, model: str = "GPT-Image-1", **fields: Json) -> Reply:
    return client.post("v1/images", {"model": model, "prompt": "a cat", **fields})


def order(client: Client, model: str = "Sora-2", **fields: Json) -> Reply:
    return client.post("v1/videos", {"model": model, "prompt": "a cat", **fields})


def test_a_picture_has_an_address() -> None:
    client = Client()
    url = str(paint(client).at("data", 0, "url"))
    assert client.get(url.partition("/poe/")[2]).data.startswith(b"\x89PNG")


def test_a_picture_can_come_along() -> None:
    assert str(paint(Client(), response_format="b64_json").at("data", 0, "b64_json")).startswith("iVBORw0KGgo")


def test_pictures_can_be_missing() -> None:
    assert paint(Client("any;no-images")).status == 404
    assert Client().get("v1/images").status == 404


@pytest.mark.parametrize(("model", "status"), [("Grok-4", 400), ("Nobody", 404), ("sim-error-403", 403)])
def test_only_some_bots_make_pictures(model: str, status: int) -> None:
    assert paint(Client(), model).status == status


def test_a_picture_is_paid_for() -> None:
    client = Client("any;balance=10")
    assert [paint(client).status for _ in range(2)] == [200, 402]


def test_what_is_no_order_is_refused() -> None:
    assert Client().post("v1/images", {"model": "GPT-Image-1"}).at("error", "param") == "prompt"


def test_a_video_is_made_step_by_step() -> None:
    client = Client()
    job = order(client, seconds="4", size="1280x720", input_image="AAAA")
    assert (job.status, job.at("status"), job.at("progress"), job.at("seconds")) == (200, "queued", 0, "4")
    path = f"v1/videos/{job.at('id')}"
    assert client.get(f"{path}/content").status == 404
    assert [client.get(path).at("status") for _ in range(2)] == ["in_progress", "completed"]
    film = client.get(f"{path}/content")
    assert (film.headers["content-type"], film.data[4:8]) == ("video/mp4", b"ftyp")


def test_a_video_can_be_made_anew_and_longer() -> None:
    client = Client()
    job = str(order(client).at("id"))
    assert client.post(f"v1/videos/{job}/remix", {"prompt": "a dog"}).at("remixed_from_video_id") == job
    longer = client.post("v1/videos/extensions", {"video": {"id": job}, "prompt": "and on"})
    assert longer.at("remixed_from_video_id") == job


def test_a_video_can_fail() -> None:
    client = Client()
    path = f"v1/videos/{order(client, 'sim-cut').at('id')}"
    assert [client.get(path).at("status") for _ in range(2)] == ["in_progress", "failed"]


@pytest.mark.parametrize(("model", "status"), [("Grok-4", 400), ("Nobody", 404), ("sim-error-503", 503)])
def test_only_some_bots_make_videos(model: str, status: int) -> None:
    assert order(Client(), model).status == status


def test_an_unknown_job_is_not_found() -> None:
    reply = Client().get("v1/videos/nobody")
    assert (reply.status, reply.at("error", "type")) == (404, "not_found")


def test_a_video_is_paid_for() -> None:
    client = Client("any;balance=10")
    assert [order(client).status for _ in range(2)] == [200, 402]
    assert client.get("v1/videos").status == 200
