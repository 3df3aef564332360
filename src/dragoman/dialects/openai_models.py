"""The list of models as OpenAI writes it, with the older fields that some clients still read."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from dragoman.wire.json import encode


class Model(Struct):
    """One model. `permission`, `root` and `parent` are of an older API and are kept for clients that expect them."""

    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = ""
    permission: list[str] = field(default_factory=list[str])
    root: str = ""
    parent: str | None = None


class ModelList(Struct):
    """All models; there is no paging."""

    data: list[Model]
    object: str = "list"


def write_models(models: Sequence[Model]) -> bytes:
    """Return the body of ``GET /v1/models``."""
    return encode(ModelList(list(models)))


def write_model(model: Model) -> bytes:
    """Return the body of ``GET /v1/models/{id}``."""
    return encode(model)
