"""Which ask answers for a model name.

A name resolves: alias → ``upstream/model`` → a bare name that a catalogue lists, in the order of the upstreams → an
upstream that takes any name → 404. ``name:latest`` equals ``name``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from dragoman.core.ask import Ask
from dragoman.core.call import Caller
from dragoman.core.errors import Forbidden, ModelNotFound
from dragoman.upstreams.catalogue import Catalogue

MAX_ASKS = 10_000
"""Asks that are kept for later calls; names that any upstream takes must not pile up."""


class Entry(Struct, frozen=True):
    """One model as the list of models shows it."""

    id: str
    owned_by: str
    created: int = 0


class Source(Struct, frozen=True):
    """An upstream as the directory sees it."""

    name: str
    catalogue: Catalogue
    ask_model: Callable[[str], Ask]
    """The ask, with its stages, for what the upstream calls by this name."""


class Directory:
    """Resolves model names, and lists them."""

    def __init__(self, aliases: Mapping[str, Ask], sources: Sequence[Source]) -> None:
        self._aliases = dict(aliases)
        self._sources = {source.name: source for source in sources}
        self._asks: dict[tuple[str, str], Ask] = {}

    def resolve(self, model: str, caller: Caller) -> Ask:
        """Return the ask for `model`; raises `ModelNotFound`, or `Forbidden` when the caller's key is not for it."""
        ask = self._aliases.get(model)
        if ask is not None and caller.models is None:
            return ask
        names = _names(model)
        if not (caller.may_use(model) or caller.may_use(names[1])):
            raise Forbidden(f"this key may not use the model '{model}'", param="model")
        ask = next((self._aliases[known] for known in names if known in self._aliases), None) or self._find(names)
        if ask is None:
            raise ModelNotFound(f"the model '{model}' does not exist", param="model")
        return ask

    def entries(self, caller: Caller) -> list[Entry]:
        """Return every model the caller may use: the aliases, then what the upstreams list."""
        listed = [Entry(name, "dragoman") for name in self._aliases]
        for source in self._sources.values():
            listed += [
                Entry(f"{source.name}/{model.id}", source.name, model.created) for model in source.catalogue.models()
            ]
        return [entry for entry in listed if caller.may_use(entry.id)]

    def entry(self, model: str, caller: Caller) -> Entry:
        """Return what is known of one model; raises as `resolve` does."""
        self.resolve(model, caller)
        names = _names(model)
        for entry in self.entries(caller):
            if entry.id in names or entry.id.partition("/")[2] in names:
                return Entry(model, entry.owned_by, entry.created)
        source = self._sources.get(model.partition("/")[0])
        return Entry(model, source.name if source is not None else "dragoman")

    def _find(self, names: tuple[str, str, str]) -> Ask | None:
        """Look for a model that is asked for by the first of `names` and may be listed by any of them."""
        prefix, slash, _ = names[0].partition("/")
        source = self._sources.get(prefix) if slash else None
        if source is not None:
            within = [name[len(prefix) + 1 :] for name in names]
            known = next((name for name in within if source.catalogue.lists(name)), within[1])
            if known and source.catalogue.may_serve(known):
                return self._ask(source, known)
        for name in names:
            for source in self._sources.values():
                if source.catalogue.lists(name):
                    return self._ask(source, name)
        for source in self._sources.values():
            if source.catalogue.any_name:
                return self._ask(source, names[0])
        return None

    def _ask(self, source: Source, model: str) -> Ask:
        ask = self._asks.get((source.name, model))
        if ask is None:
            if len(self._asks) >= MAX_ASKS:
                self._asks.clear()
            ask = self._asks[source.name, model] = source.ask_model(model)
        return ask


def _names(model: str) -> tuple[str, str, str]:
    """Return what `model` may be called where it is listed: as it was asked for, without its tag, and with it."""
    name = model.removesuffix(":latest")
    return model, name, f"{name}:latest"
