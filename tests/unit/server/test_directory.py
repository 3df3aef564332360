"""Which ask answers for a model name."""

from collections.abc import Mapping

import pytest

from dragoman.core.ask import Answer, Ask
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.core.capabilities import Capabilities, Entry
from dragoman.core.errors import Forbidden, ModelNotFound
from dragoman.server.directory import MAX_ASKS, Directory, Names, Source, Target
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model

ANYBODY = Caller("")


class Upstreams:
    """Asks that only have names."""

    def __init__(self) -> None:
        self.names: dict[Ask, str] = {}
        self.made = 0

    def ask(self, name: str) -> Ask:
        async def ask(call: Call) -> Answer:
            return Answer(Burst([]), None, lambda: None)

        self.names[ask] = name
        self.made += 1
        return ask

    def source(self, name: str, *models: str, any_name: bool = False, known: bool = True) -> Source:
        listed = [Model(model, created=7) for model in models] if known else None
        return Source(name, Catalogue(listed, any_name=any_name), lambda model: self.ask(f"{name} serves {model}"))

    def directory(self, *sources: Source, aliases: tuple[str, ...] = ()) -> Directory:
        return Directory({alias: self.ask(f"alias {alias}") for alias in aliases}, sources)


def resolutions(upstreams: Upstreams, directory: Directory, *models: str) -> Mapping[str, str]:
    return {model: upstreams.names[directory.resolve(model, ANYBODY)] for model in models}


def test_a_name_is_looked_for_in_order() -> None:
    up = Upstreams()
    poe = up.source("poe", "gpt", "claude:latest", "gpt/mini")
    lab = up.source("lab", "gpt", "fast", any_name=True)
    expected = {
        "fast": "alias fast",
        "fast:latest": "alias fast",
        "gpt": "poe serves gpt",
        "gpt:latest": "poe serves gpt",
        "poe/gpt": "poe serves gpt",
        "poe/gpt:latest": "poe serves gpt",
        "poe/claude:latest": "poe serves claude:latest",
        "claude:latest": "poe serves claude:latest",
        "poe/claude": "poe serves claude:latest",
        "claude": "poe serves claude:latest",
        "poe/gpt/mini": "poe serves gpt/mini",
        "gpt/mini": "poe serves gpt/mini",
        "lab/gpt": "lab serves gpt",
        "lab/other": "lab serves other",
        "other": "lab serves other",
        "other:latest": "lab serves other:latest",
        "org/other": "lab serves org/other",
        "poe/unknown": "lab serves poe/unknown",
    }
    assert resolutions(up, up.directory(poe, lab, aliases=("fast",)), *expected) == expected


def test_an_alias_wins_with_its_tag() -> None:
    up = Upstreams()
    directory = up.directory(aliases=("a", "a:latest", "b:latest"))
    expected = {"a": "alias a", "a:latest": "alias a:latest", "b": "alias b:latest", "b:latest": "alias b:latest"}
    assert resolutions(up, directory, *expected) == expected


def test_the_case_of_a_name_matters_only_where_two_differ_in_nothing_else() -> None:
    up = Upstreams()
    poe = up.source("Poe", "GPT", "gpt", "Claude:latest", "Org/Model")
    lab = up.source("lab", "llama", "Poe/odd", any_name=True)
    expected = {
        "FAST": "alias Fast",
        "fast:latest": "alias Fast",
        "gpt": "Poe serves gpt",
        "GPT": "Poe serves GPT",
        "Gpt": "Poe serves GPT",
        "claude": "Poe serves Claude:latest",
        "CLAUDE:LATEST": "Poe serves Claude:latest",
        "org/model": "Poe serves Org/Model",
        "poe/gpt": "Poe serves GPT",
        "POE/ORG/MODEL": "Poe serves Org/Model",
        "Poe/claude": "Poe serves Claude:latest",
        "LLAMA": "lab serves llama",
        "LAB/LLAMA": "lab serves llama",
        "lab/LLAMA:latest": "lab serves llama",
        "poe/ODD": "lab serves Poe/odd",
        "lab/Other": "lab serves Other",
        "Other": "lab serves Other",
    }
    assert resolutions(up, up.directory(poe, lab, aliases=("Fast",)), *expected) == expected


@pytest.mark.parametrize(
    ("allowed", "model", "may"),
    [
        (("fast",), "FAST", True),
        (("fast",), "Slow", False),
        (("poe/gpt",), "POE/GPT", True),
        (("poe/gpt",), "GPT", False),
        (("gpt",), "GPT:latest", True),
        (("poe/g*",), "Poe/GPT", True),
        (("SLOW",), "slow", False),
    ],
)
def test_a_key_is_good_for_its_names_in_any_case_that_means_the_same(
    allowed: tuple[str, ...], model: str, may: bool
) -> None:
    up = Upstreams()
    directory = up.directory(up.source("poe", "gpt"), aliases=("fast", "slow", "SLOW"))
    try:
        directory.resolve(model, Caller("app", allowed))
    except Forbidden:
        assert not may
    else:
        assert may


def test_an_upstream_whose_models_are_not_known_yet_is_asked_by_its_name_only() -> None:
    up = Upstreams()
    directory = up.directory(up.source("poe", known=False))
    assert resolutions(up, directory, "poe/gpt") == {"poe/gpt": "poe serves gpt"}
    with pytest.raises(ModelNotFound):
        directory.resolve("gpt", ANYBODY)


@pytest.mark.parametrize("model", ["nobody", "poe/nobody", "poe/", "/gpt", "gpt:other", ":latest", "poe"])
def test_what_nobody_serves_does_not_exist(model: str) -> None:
    up = Upstreams()
    with pytest.raises(ModelNotFound) as caught:
        up.directory(up.source("poe", "gpt"), aliases=("fast",)).resolve(model, ANYBODY)
    assert caught.value.param == "model"
    assert caught.value.message.partition(";")[0] == f"the model '{model}' does not exist"


def test_what_may_have_been_meant_is_named() -> None:
    up = Upstreams()
    directory = up.directory(up.source("poe", "gpt-5-mini"), aliases=("fast",))
    for wrong, meant in (("gpt5-mini", "gpt-5-mini"), ("poe/gpt-5-mnii", "poe/gpt-5-mini"), ("fsat", "fast")):
        with pytest.raises(ModelNotFound, match=f"; did you mean '{meant}'\\?$"):
            directory.resolve(wrong, ANYBODY)


def test_nobody_is_shown_a_name_that_the_key_is_not_for() -> None:
    up = Upstreams()
    caller = Caller("app", ("fast*",))
    with pytest.raises(ModelNotFound, match=r"does not exist$"):
        up.directory(up.source("poe", "fastidious-gpt"), aliases=()).resolve("fastidious-gtp", caller)


@pytest.mark.parametrize(
    ("allowed", "model", "may"),
    [
        (("fast",), "fast", True),
        (("fast",), "fast:latest", True),
        (("fast",), "poe/gpt", False),
        (("fast",), "nobody", False),
        (("poe/*",), "poe/gpt", True),
        (("poe/*",), "gpt", False),
        (("poe/*",), "poetry", False),
        (("gpt",), "gpt", True),
        (("gpt",), "poe/gpt", False),
        ((), "fast", False),
    ],
)
def test_a_key_is_good_for_its_own_names(allowed: tuple[str, ...], model: str, may: bool) -> None:
    up = Upstreams()
    directory = up.directory(up.source("poe", "gpt"), aliases=("fast",))
    if may:
        directory.resolve(model, Caller("app", allowed))
        directory.entry(model, Caller("app", allowed))
    else:
        for look in (directory.resolve, directory.entry):
            with pytest.raises(Forbidden, match="may not use the model"):
                look(model, Caller("app", allowed))


def test_the_list_shows_what_the_key_is_good_for() -> None:
    up = Upstreams()
    directory = up.directory(up.source("poe", "gpt", "claude"), up.source("lab", any_name=True), aliases=("fast",))
    fast, gpt, claude = Entry("fast", "dragoman"), Entry("poe/gpt", "poe", 7), Entry("poe/claude", "poe", 7)
    assert directory.entries(ANYBODY) == [fast, gpt, claude]
    assert directory.entries(Caller("app", ("poe/g*",))) == [gpt]
    assert directory.entries(Caller("app", ())) == []


def test_one_entry_has_the_name_it_was_asked_by() -> None:
    up = Upstreams()
    directory = up.directory(
        up.source("poe", "gpt", "llama:latest"), up.source("lab", any_name=True), aliases=("fast",)
    )
    assert directory.entry("llama", ANYBODY) == Entry("llama", "poe", 7)
    assert directory.entry("fast", ANYBODY) == Entry("fast", "dragoman")
    assert directory.entry("gpt", ANYBODY) == Entry("gpt", "poe", 7)
    assert directory.entry("poe/gpt:latest", ANYBODY) == Entry("poe/gpt:latest", "poe", 7)
    assert directory.entry("lab/new", ANYBODY) == Entry("lab/new", "lab")
    assert directory.entry("new", ANYBODY) == Entry("new", "lab")
    assert directory.entry("org/new", ANYBODY) == Entry("org/new", "lab")


def test_asks_are_kept_but_not_without_end() -> None:
    up = Upstreams()
    directory = up.directory(up.source("lab", any_name=True))
    assert directory.resolve("m", ANYBODY) is directory.resolve("lab/m", ANYBODY)
    for number in range(MAX_ASKS):
        directory.resolve(f"m{number}", ANYBODY)
    made = up.made
    directory.resolve("m", ANYBODY)
    assert up.made == made + 1


def test_an_alias_can_what_its_targets_can() -> None:
    up = Upstreams()
    able = Model("able", 9, Capabilities(vision=True, context=10), "Able")
    source = Source(
        "lab", Catalogue([able, Model("plain", 3, Capabilities(vision=False))]), lambda model: up.ask(model)
    )
    targets: dict[str, list[Target]] = {"one": [("lab", "able")], "two": [("lab", "plain"), ("lab", "able")]}
    directory = Directory({name: up.ask(name) for name in targets}, [source], targets)
    assert directory.entries(ANYBODY) == [
        Entry("one", "dragoman", 9, able.can),
        Entry("two", "dragoman", 3, able.can),
        Entry("lab/able", "lab", 9, able.can, "Able"),
        Entry("lab/plain", "lab", 3, Capabilities(vision=False)),
    ]


class Hours:
    """A clock to be set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_asked_for_of_late_is_known_to_who_asked() -> None:
    up, hours = Upstreams(), Hours()
    directory = Directory({"fast": up.ask("fast")}, [up.source("lab", "m", any_name=True)], now=hours)
    app, other = Caller("app", ("*",)), Caller("other")
    directory.resolve("fast", app)
    hours.now += 10
    directory.resolve("lab/m", app)
    directory.resolve("m", other)
    assert [(entry.id, at) for entry, at in directory.used(app, 60)] == [("lab/m", 1010), ("fast", 1000)]
    assert [(entry.id, at) for entry, at in directory.used(other, 60)] == [("m", 1010)]
    assert [entry.id for entry, _ in directory.used(app, 10)] == ["lab/m"]
    directory.entry("fast", app)
    assert [entry.id for entry, _ in directory.used(app, 10)] == ["lab/m"]


def test_a_model_that_is_gone_is_used_no_more() -> None:
    up = Upstreams()
    source = up.source("lab", "m")
    directory = up.directory(source)
    directory.resolve("m", ANYBODY)
    source.catalogue.replace([])
    assert directory.used(ANYBODY, 60) == []


def test_what_was_asked_for_is_not_kept_without_end() -> None:
    up = Upstreams()
    directory = up.directory(up.source("lab", any_name=True))
    for number in range(MAX_ASKS + 5):
        directory.resolve(f"m{number}", ANYBODY)
    assert len(directory.used(ANYBODY, 60)) == 5


def test_a_short_name_stands_for_what_is_listed() -> None:
    up = Upstreams()
    poe, lab = up.source("poe", "gpt-5", "sonnet"), up.source("lab", "opus", any_name=True)
    presets = {
        "claude": ("opus", "sonnet"),
        "gpt": ("gpt-5",),
        "kimi": ("k2",),
        "sonnet": ("gpt-5",),
        "fast": ("opus",),
    }
    targets = {"fast": [("poe", "gpt-5")]}
    directory = Directory({"fast": up.ask("alias fast")}, [poe, lab], targets, names=Names(presets))
    expected = {
        "claude": "lab serves opus",
        "Claude:latest": "lab serves opus",
        "gpt": "poe serves gpt-5",
        "kimi": "lab serves kimi",  # for want of a candidate, as any other name
        "sonnet": "poe serves sonnet",  # a name that is listed is no other
        "fast": "alias fast",
    }
    assert resolutions(up, directory, *expected) == expected
    assert [entry.id for entry in directory.entries(ANYBODY)][:3] == ["fast", "claude", "gpt"]
    assert directory.entries(ANYBODY)[1].owned_by == "dragoman"
    assert directory.entry("claude", ANYBODY).created == 7
    assert directory.targets() == {"fast": ["poe/gpt-5"], "claude": ["lab/opus"], "gpt": ["poe/gpt-5"]}


def test_a_key_is_good_for_a_short_name_or_for_what_it_stands_for() -> None:
    up = Upstreams()
    directory = Directory({}, [up.source("poe", "opus")], names=Names({"claude": ("opus",)}))
    for models in (("claude",), ("poe/*",)):
        assert up.names[directory.resolve("claude", Caller("app", models))] == "poe serves opus"
    with pytest.raises(Forbidden):
        directory.resolve("claude", Caller("app", ("gpt",)))


async def test_what_does_not_exist_may_have_a_model_to_stand_for_it() -> None:
    up = Upstreams()
    names = Names(default="fast")
    directory = Directory({"fast": up.ask("alias fast")}, [up.source("poe", "gpt")], names=names)
    assert directory.resolve("gpt-4-misspelt", ANYBODY) is directory.resolve("fast", ANYBODY)
    with pytest.raises(ModelNotFound):
        directory.entry("gpt-4-misspelt", ANYBODY)
    with pytest.raises(Forbidden):
        directory.resolve("gpt-4-misspelt", Caller("app", ("fast",)))
    with pytest.raises(ModelNotFound):
        directory.resolve("gpt-4-misspelt", Caller("app", ("gpt*",)))
    allowed = directory.resolve("gpt-4-misspelt", Caller("app", ("gpt*", "fast")))
    assert allowed is directory.resolve("fast", ANYBODY)


def test_a_default_that_is_not_there_stands_for_nothing() -> None:
    up = Upstreams()
    with pytest.raises(ModelNotFound):
        Directory({}, [up.source("poe", "gpt")], names=Names(default="gone")).resolve("x", ANYBODY)
