import pytest

from dragoman.core.errors import BadRequest
from dragoman.server.paging import Page, read_page


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", Page()),
        ("limit=5&after=a%20b&order=asc", Page(5, "a b", newest=False)),
        ("limit=100&order=desc&other=1", Page(100)),
    ],
)
def test_a_page_is_read_from_the_query(query: str, page: Page) -> None:
    assert read_page(query) == page


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=-1", "limit=1e1", "limit=\u0663", "order=up"])
def test_what_is_no_page_is_named(query: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_page(query)
    assert caught.value.param == query.partition("=")[0]
