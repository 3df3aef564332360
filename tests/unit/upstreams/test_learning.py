"""What a refused request teaches."""

import pytest

from dragoman.core.errors import DragomanError, RateLimited, UpstreamRejected
from dragoman.core.quirks import Quirks
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.learning import learn_quirks

REFUSED = "this model refuses it"


def rejected(param: str | None, code: str | None = "unsupported_parameter") -> DragomanError:
    return UpstreamRejected("", param=param, code=code)


@pytest.mark.parametrize(
    ("error", "learnt"),
    [
        (rejected("max_tokens"), Quirks(max_tokens="max_completion_tokens")),
        (rejected("max_completion_tokens"), Quirks(max_tokens="max_tokens")),
        (rejected("temperature", "unsupported_value"), Quirks(lacks={"temperature": REFUSED})),
        (rejected("top_logprobs", "unknown_parameter"), Quirks(lacks={"logprobs": REFUSED})),
        (rejected("reasoning.summary", "unsupported_value"), Quirks(lacks={"summary": REFUSED})),
        (rejected("stream_options.include_usage", None), Quirks(stream_usage=False)),
        (rejected("stream_options", "unknown"), Quirks(stream_usage=False)),
        (rejected("messages[0].role", "invalid_value"), Quirks(developer_role=False)),
        (rejected("messages.0.role", None), Quirks(developer_role=False)),
    ],
)
def test_a_named_field_is_asked_for_otherwise_once(error: DragomanError, learnt: Quirks) -> None:
    catalogue = Catalogue()
    assert learn_quirks(catalogue, "m", error)
    assert catalogue.quirks("m") == learnt
    assert not learn_quirks(catalogue, "m", error), "what is known already is no reason to ask again"


@pytest.mark.parametrize(
    "error",
    [
        rejected(None),
        rejected("temperature", "invalid_value"),
        rejected("messages[0].content"),
        rejected("reasoning_effort", "unsupported_value"),
        RateLimited(param="max_tokens"),
    ],
)
def test_everything_else_teaches_nothing(error: DragomanError) -> None:
    catalogue = Catalogue()
    assert not learn_quirks(catalogue, "m", error)
    assert catalogue.quirks("m") == Quirks()


def test_one_name_for_the_limit_refused_after_the_other_is_no_way_round() -> None:
    catalogue = Catalogue()
    assert learn_quirks(catalogue, "m", rejected("max_tokens"))
    assert learn_quirks(catalogue, "m", rejected("max_completion_tokens"))
    assert catalogue.quirks("m") == Quirks(max_tokens="max_tokens")
