"""What is known of a model from elsewhere, laid over and under what its upstream tells: one record in the end.

What the operator says counts before what the upstream tells now, and that before what is shipped. Each says only what
it knows: of capabilities that is what is not None, of shipped quirks what is not as the dialect has it, and of the
operator's quirks what is written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec import Struct, structs

from dragoman.core.capabilities import Capabilities
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.upstreams.catalogue import Complete, as_told
from dragoman.upstreams.listing import Model

_ENDS = frozenset("-:@_")
"""What may follow the name of a family; a point does not: it makes another version."""
_Found = TypeVar("_Found")


class Preset(Struct, frozen=True):
    """What is known of a server beside what it tells."""

    quirks: Quirks = NO_QUIRKS
    """Of all its models."""
    models: Mapping[str, Quirks] = {}
    """How the names of some begin, in lower case → their own; the longest counts."""


class Told(Struct, frozen=True):
    """What an operator says of some models."""

    can: Capabilities = Capabilities()
    quirks: Mapping[str, object] = {}
    """Fields of `Quirks`."""


class Lore(Struct, frozen=True):
    """What a kind of upstream knows of its models."""

    complete: Complete = as_told
    always: Sequence[Model] = ()
    """Models that it serves whether or not they are listed."""


def know(preset: Preset, families: Mapping[str, Capabilities]) -> Complete:
    """Return what adds to a model what is shipped of its server and its family."""

    def complete(model: Model) -> Model:
        name = model.id.rpartition("/")[2].lower()
        can = lay_capabilities(model.can, find_family(families, name) or Capabilities())
        quirks = lay_quirks(find_beginning(preset.models, name) or NO_QUIRKS, preset.quirks)
        return structs.replace(model, can=can, quirks=lay_quirks(model.quirks, quirks))

    return complete


def tell(known: Complete, about: Mapping[str, Told], quirks: Mapping[str, object]) -> Complete:
    """Return what adds to what is `known` of a model what the operator says: of it, and of all (`quirks`).

    Of `about` the most exact entry counts alone: a name, else the longest beginning (before a ``*``), in any case.
    """
    told = {pattern.lower(): each for pattern, each in about.items()}
    names = {pattern: each for pattern, each in told.items() if not pattern.endswith("*")}
    beginnings = {pattern[:-1]: each for pattern, each in told.items() if pattern.endswith("*")}
    if not (told or quirks):
        return known

    def complete(model: Model) -> Model:
        model = known(model)
        name = model.id.lower()
        own = names.get(name) or find_beginning(beginnings, name) or Told()
        said = {**quirks, **own.quirks}
        return structs.replace(
            model,
            can=lay_capabilities(own.can, model.can),
            quirks=structs.replace(model.quirks, **said) if said else model.quirks,
        )

    return complete


def lay_capabilities(over: Capabilities, under: Capabilities) -> Capabilities:
    """Return what `over` says, and what `under` says where it says nothing; prices one by one."""
    if under == Capabilities():
        return over
    prices = under.prices if over.prices is None else over.prices
    if over.prices is not None and under.prices is not None:
        prices = structs.replace(over.prices, **_join(structs.asdict(over.prices), structs.asdict(under.prices)))
    return structs.replace(over, **(_join(structs.asdict(over), structs.asdict(under)) | {"prices": prices}))


def lay_quirks(over: Quirks, under: Quirks) -> Quirks:
    """Return `under` with all in which `over` differs from its dialect."""
    if under is NO_QUIRKS or over is NO_QUIRKS:
        return over if under is NO_QUIRKS else under
    usual = structs.asdict(NO_QUIRKS)
    return structs.replace(under, **{name: it for name, it in structs.asdict(over).items() if it != usual[name]})


def find_family(table: Mapping[str, _Found], name: str) -> _Found | None:
    """Return what the table says of the longest family whose member `name` is; None when it is of none."""
    for end in range(len(name), 0, -1):
        if (end == len(name) or name[end] in _ENDS) and name[:end] in table:
            return table[name[:end]]
    return None


def find_beginning(table: Mapping[str, _Found], name: str) -> _Found | None:
    """Return what the table says of the longest beginning of `name`; None when none is in it."""
    if not table:
        return None
    return next((table[name[:end]] for end in range(len(name), -1, -1) if name[:end] in table), None)


def _join(over: dict[str, object], under: dict[str, object]) -> dict[str, object]:
    return {name: under[name] if value is None else value for name, value in over.items()}
