"""Which ask answers for a model name.

A name resolves: alias → ``upstream/model`` → a bare name that a catalogue lists, in the order of the upstreams → the
same once more with any case → a short name of a preset → an upstream that takes any name → 404. ``name:latest`` equals
``name``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from dragoman.core.ask import Ask
from dragoman.core.call import Caller
from dragoman.core.capabilities import Entry, join_capabilities
from dragoman.core.errors import Forbidden, ModelNotFound
from dragoman.server.presets import Candidates, ShortNames
from dragoman.server.suggest import suggest
from dragoman.upstreams.catalogue import Catalogue

MAX_ASKS = 10_000
"""Asks that are kept for later calls; names that any upstream takes must not pile up."""
OURS = "dragoman"
"""Who owns an alias."""

Target = tuple[str, str]
"""The name of an upstream, and what it calls a model."""


class Source(Struct, frozen=True):
    """An upstream as the directory sees it."""

    name: str
    catalogue: Catalogue
    ask_model: Callable[[str], Ask]
    """The ask, with its stages, for what the upstream calls by this name."""
    credentials: bool | None = None
    """Whether it is asked with a key; None: nobody has told."""

    def entry(self, model: str) -> Entry:
        """Return what is known of `model`."""
        found = self.catalogue.find(model)
        return Entry(f"{self.name}/{model}", self.name, found.created, found.can, found.name)


class _Found(Struct, frozen=True):
    """What a name stands for."""

    name: str
    """As it is written where it is listed; a key may allow this, or what was asked for."""
    source: Source | None
    """None: an alias."""
    model: str
    """What the upstream calls it."""


class Names(Struct, frozen=True):
    """Names that are neither the operator's own nor an upstream's."""

    presets: Candidates = {}
    """Short names, which stand for the first of their candidates that an upstream lists."""
    default: str = ""
    """What is asked instead of a model that does not exist; empty: nothing is."""


class Directory:
    """Resolves model names, lists them, and knows which were asked for of late."""

    def __init__(
        self,
        aliases: Mapping[str, Ask],
        sources: Sequence[Source],
        targets: Mapping[str, Sequence[Target]] | None = None,
        now: Callable[[], float] = time.time,
        names: Names | None = None,
    ) -> None:
        """`targets` are those of the aliases; `now` gives the seconds since 1970."""
        self._aliases = dict(aliases)
        self._folded = {name.lower(): name for name in reversed(self._aliases)}
        self._sources = {source.name: source for source in sources}
        self._targets = dict(targets or {})
        self._default = names.default if names is not None else ""
        self._short = ShortNames(
            names.presets if names is not None else {}, {source.name: source.catalogue for source in sources}
        )
        self._asks: dict[Target, Ask] = {}
        self._now = now
        self._used: dict[tuple[str, str], float] = {}

    def resolve(self, model: str, caller: Caller) -> Ask:
        """Return the ask for `model`; raises `ModelNotFound`, or `Forbidden` when the caller's key is not for it."""
        ask = self._aliases.get(model) if caller.models is None else None
        if ask is None:
            found = self._look_up(model, caller, instead=self._default)
            ask = self._aliases[found.name] if found.source is None else self._ask(found.source, found.model)
        if len(self._used) >= MAX_ASKS:
            self._used.clear()
        self._used[caller.name, model] = self._now()
        return ask

    def entries(self, caller: Caller) -> list[Entry]:
        """Return every model the caller may use: the aliases, the short names, then what the upstreams list."""
        listed = [self._alias_entry(name) for name in self._aliases]
        listed += [
            structs.replace(source.entry(model), id=name, owned_by=OURS)
            for name, (source, model) in self._short_names().items()
        ]
        for source in self._sources.values():
            listed += [source.entry(model.id) for model in source.catalogue.models()]
        return [entry for entry in listed if caller.may_use(entry.id)]

    def entry(self, model: str, caller: Caller) -> Entry:
        """Return what is known of one model, called as it was asked for; raises as `resolve` does."""
        found = self._look_up(model, caller)
        entry = self._alias_entry(found.name) if found.source is None else found.source.entry(found.model)
        return structs.replace(entry, id=model)

    def targets(self) -> dict[str, list[str]]:
        """Return what each alias and each short name stands for, as ``upstream/model``, in the order of asking."""
        named = {name: [f"{source}/{model}" for source, model in pairs] for name, pairs in self._targets.items()}
        return named | {name: [f"{source.name}/{model}"] for name, (source, model) in self._short_names().items()}

    def used(self, caller: Caller, seconds: float) -> list[tuple[Entry, float]]:
        """Return what the caller has asked for in the last `seconds`, and when, the latest first."""
        since = self._now() - seconds
        late = [(model, at) for (name, model), at in self._used.items() if name == caller.name and at > since]
        late.sort(key=lambda use: -use[1])
        return [(self.entry(model, caller), at) for model, at in late if self._find(model) is not None]

    def _alias_entry(self, name: str) -> Entry:
        targets = [self._sources[source].entry(model) for source, model in self._targets.get(name, ())]
        if not targets:
            return Entry(name, OURS)
        return Entry(name, OURS, targets[0].created, join_capabilities([target.can for target in targets]))

    def _short_names(self) -> dict[str, tuple[Source, str]]:
        """Return what the short names stand for that mean nothing else."""
        found = {name: self._find_short(name) for name in self._short.names() if not self._find_listed((name,))}
        return {name: (short.source, short.model) for name, short in found.items() if short and short.source}

    def _look_up(self, model: str, caller: Caller, instead: str = "") -> _Found:
        """A key is good for a name as it was asked for, without its tag, or as it is listed.

        Of a model that does not exist `instead` is returned, if the key is good for that.
        """
        found = self._find(model)
        names = [model, model.removesuffix(":latest"), *([found.name] if found is not None else ())]
        if not any(map(caller.may_use, names)):
            raise Forbidden(f"this key may not use the model '{model}'", param="model")
        if found is None and instead and (found := self._find(instead)) and not caller.may_use(found.name):
            found = None
        if found is None:
            raise ModelNotFound(f"the model '{model}' does not exist{self._hint(model, caller)}", param="model")
        return found

    def _find(self, model: str) -> _Found | None:
        """Look for a model that may be listed as it was asked for, without its tag, or with it."""
        name = model.removesuffix(":latest")
        names = (model, name, f"{name}:latest")
        return self._find_listed(names) or self._find_short(name) or self._find_any(model)

    def _find_listed(self, names: Sequence[str]) -> _Found | None:
        return self._find_exact(names) or self._find_folded(names)

    def _find_exact(self, names: Sequence[str]) -> _Found | None:
        for name in names:
            if name in self._aliases:
                return _Found(name, None, "")
        prefix, slash, _ = names[0].partition("/")
        source = self._sources.get(prefix) if slash else None
        if source is not None and (found := _find_within(source, [name[len(prefix) + 1 :] for name in names])):
            return found
        for name in names:
            for source in self._sources.values():
                if source.catalogue.lists(name):
                    return _Found(name, source, name)
        return None

    def _find_folded(self, names: Sequence[str]) -> _Found | None:
        for name in names:
            alias = self._folded.get(name.lower())
            if alias is not None:
                return _Found(alias, None, "")
        for name in names:
            prefix, _, rest = name.lower().partition("/")
            for source in self._sources.values():
                if prefix == source.name.lower() and (model := source.catalogue.spell(rest)):
                    return _Found(f"{source.name}/{model}", source, model)
                if model := source.catalogue.spell(name):
                    return _Found(model, source, model)
        return None

    def _find_short(self, name: str) -> _Found | None:
        target = self._short.find(name.lower())
        if target is None:
            return None
        upstream, model = target
        return _Found(f"{upstream}/{model}", self._sources[upstream], model)

    def _find_any(self, model: str) -> _Found | None:
        for source in self._sources.values():
            if source.catalogue.any_name and source.catalogue.may_serve(model):
                return _Found(model, source, model)
        return None

    def _hint(self, model: str, caller: Caller) -> str:
        """Name what may have been meant, among what the caller may use."""
        named = [entry.id for entry in self.entries(caller)]
        bare = [name.partition("/")[2] for name in named if "/" in name] if caller.models is None else []
        meant = suggest(model, [*named, *bare])
        return f"; did you mean '{meant}'?" if meant else ""

    def _ask(self, source: Source, model: str) -> Ask:
        ask = self._asks.get((source.name, model))
        if ask is None:
            if len(self._asks) >= MAX_ASKS:
                self._asks.clear()
            ask = self._asks[source.name, model] = source.ask_model(model)
        return ask


def _find_within(source: Source, names: Sequence[str]) -> _Found | None:
    """Look for a model of one upstream: as it is listed in any case, else as it is called, without its tag."""
    catalogue = source.catalogue
    listed = next((name for name in names if catalogue.lists(name)), None)
    spelt = listed or next((model for name in names if (model := catalogue.spell(name))), None)
    model = spelt or names[1]
    if not model or not (spelt or catalogue.may_serve(model)):
        return None
    return _Found(f"{source.name}/{model}", source, model)
