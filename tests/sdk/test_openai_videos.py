"""OpenAI's own Python SDK on video jobs."""

# pyright: reportDeprecated=false

import pytest
from openai import NotFoundError, OpenAI

from tests.sdk.conftest import Check, Gateway

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")
"""OpenAI has ended the service; its clients, and servers with the same routes, go on."""
EACH = pytest.mark.parametrize("model", ["sim/instant", "lab/instant"])


@EACH
def test_a_video_is_made_fetched_and_deleted(client: OpenAI, check: Check, model: str) -> None:
    job = client.videos.create(model=model, prompt="a red house", seconds="4", size="1280x720")
    check("VideoResource", job)
    assert (job.status, job.progress) == ("queued", 0)
    with pytest.raises(NotFoundError):
        client.videos.download_content(job.id)
    done = client.videos.poll(job.id)
    assert (done.id, done.status, done.progress) == (job.id, "completed", 100)
    video = client.videos.download_content(job.id)
    assert video.response.headers["content-type"] == "video/mp4"
    assert video.read()[4:8] == b"ftyp"
    assert client.videos.download_content(job.id, variant="thumbnail").read().startswith(b"\x89PNG")
    deleted = client.videos.delete(job.id)
    check("DeletedVideoResource", deleted)
    with pytest.raises(NotFoundError):
        client.videos.retrieve(job.id)


@EACH
def test_a_video_is_made_from_a_form(client: OpenAI, model: str) -> None:
    done = client.videos.create_and_poll(model=model, prompt="a house", input_reference=("a.png", b"\x89PNG"))
    assert done.status == "completed"


@EACH
def test_a_video_is_made_from_another(client: OpenAI, model: str) -> None:
    job = client.videos.create_and_poll(model=model, prompt="a red house")
    remix = client.videos.remix(job.id, prompt="a blue house")
    assert remix.remixed_from_video_id == job.id
    assert client.videos.poll(remix.id).status == "completed"


def test_a_job_that_fails_says_so(client: OpenAI) -> None:
    job = client.videos.create_and_poll(model="lab/error-inband", prompt="a red house")
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.code == "generation_failed"


def test_jobs_are_listed_page_by_page(client: OpenAI, check: Check) -> None:
    made = [client.videos.create(model="lab/instant", prompt=f"house {number}").id for number in range(3)]
    page = client.videos.list(limit=2)
    check("VideoListResource", page)
    assert [job.id for job in page.data] == [made[2], made[1]]
    assert page.has_more
    listed = [job.id for job in client.videos.list(limit=2)]  # the SDK follows the pages
    assert listed[:3] == made[::-1]


def test_a_job_of_another_key_does_not_exist(client: OpenAI, gateway: Gateway) -> None:
    job = client.videos.create(model="instant", prompt="a red house")
    with OpenAI(base_url=gateway.base_url, api_key=gateway.guest_key, max_retries=0) as guest:
        with pytest.raises(NotFoundError):
            guest.videos.retrieve(job.id)
        with pytest.raises(NotFoundError):
            guest.videos.download_content(job.id)
        with pytest.raises(NotFoundError):
            guest.videos.delete(job.id)
        assert guest.videos.list().data == []
    client.videos.delete(job.id)
