"""The house rules that no linter knows: who may import whom, how large things may grow, what has one place only.

Each test collects every breach, so that one run tells all there is to mend.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

FLOORS = {
    "": 0,  # the package itself: its version
    "core": 0,
    "wire": 1,
    "dialects": 2,
    "net": 2,
    "stores": 2,
    "tools": 2,
    "observe": 2,
    "testing": 2.5,
    "stages": 3,
    "upstreams": 3,
    "agents": 4,
    "server": 5,
    "config": 5.5,
    "connect": 5.8,
    "app": 6,
    "start": 6.5,
    "explain": 6.5,
    "balance": 6.6,
    "cli": 7,
    "__main__": 8,
}
"""A package may import itself and what lies below it."""

NEVER = {
    "core": {""},
    "testing": {"stores", "tools", "observe"},
    "stages": {"dialects", "testing"},
    "agents": {"testing"},
    "config": FLOORS.keys() - {"core"},
}
"""What a package may not import although it lies below."""

PURE = {"core", "wire", "dialects"}
"""Bytes in, bytes out: of the standard library they import only what neither waits nor looks outside nor rolls dice."""

WAITS = {
    "asyncio",
    "concurrent",
    "multiprocessing",
    "queue",
    "sched",
    "select",
    "selectors",
    "signal",
    "threading",
    "time",
}
LOOKS = {"logging", "os", "pathlib", "platform", "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile"}
ROLLS = {"random", "secrets", "uuid"}
IMPURE_MODULES = WAITS | LOOKS | ROLLS
IMPURE_CALLS = {"open", "input", "print", "now", "utcnow", "today"}

SHARED_BY_DIALECTS = {"openai_body", "openai_errors", "openai_events", "openai_media", "openai_stream"}
"""Modules in `dialects` that are no dialect."""

LIBRARIES = {"aiohttp", "anthropic", "httpx", "httpx2", "openai", "opentelemetry", "orjson", "pydantic", "requests"}
EXTRAS = {
    "bpe_openai",
    "click",
    "jsonschema",
    "jsonschema_rs",
    "mcp",
    "multiprocessing",
    "prometheus_client",
    "python_socks",
    "redis",
    "rich",
}
ON_DEMAND = LIBRARIES | EXTRAS
"""What must not be loaded before something asks for it."""

BUDGETS = {"gateway": (260, 32_000), "testing": (75, 8_000)}
"""Files and lines; the simulator and the conformance check are programs of their own, which no request passes."""
MAX_FILE, MAX_FUNCTION, MAX_NESTING = 400, 50, 3
HOMELESS = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Block = ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match

Node = TypeVar("Node", bound=ast.AST)


class Module(NamedTuple):
    """One Python file."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The part of the house it belongs to."""
        return package_of(self.name)

    def at(self, line: int) -> str:
        """Return a place in the file, in the form an editor follows."""
        return f"{self.path.relative_to(ROOT)}:{line}"

    def nodes(self, kind: type[Node]) -> Iterator[Node]:
        """Yield every node of one kind."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kind))


def test_every_package_has_a_floor() -> None:
    none(f"{module.at(1)}: give {module.package} a floor" for module in source() if module.package not in FLOORS)


def test_imports_point_down() -> None:
    none(
        f"{module.at(line)}: {module.package or 'the package'} must not import {target}"
        for module in source()
        for line, target in imports(module)
        if root_of(target) == "dragoman" and not may_import(module.package, package_of(target))
    )


def test_a_dialect_knows_of_another_only_its_schema() -> None:
    none(
        f"{module.at(line)}: {target} belongs to another dialect"
        for module in source()
        if module.package == "dialects" and module.name != "dragoman.dialects"
        for line, target in imports(module)
        if target.startswith("dragoman.dialects") and not may_know(module.name, target)
    )


def test_bytes_and_meaning_are_free_of_the_world() -> None:
    none(
        f"{module.at(line)}: {module.package} must not import {target}"
        for module in source()
        if module.package in PURE
        for line, target in imports(module)
        if root_of(target) in IMPURE_MODULES or not (root_of(target) in {"dragoman", "msgspec"} or is_standard(target))
    )
    none(
        f"{module.at(call.lineno)}: {module.package} must not call {ast.unparse(call.func)}"
        for module in source()
        if module.package in PURE
        for call in module.nodes(ast.Call)
        if last_name(call.func) in IMPURE_CALLS
    )


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    script = "import dragoman.app, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=SRC)
    none(f"importing dragoman.app loads {name}" for name in sorted(ON_DEMAND & set(loaded.stdout.split())))


def test_the_whole_is_small_enough_to_read_in_a_day() -> None:
    parts = {
        "gateway": [module for module in source() if module.package != "testing"],
        "testing": [module for module in source() if module.package == "testing"],
    }
    for part, (files, lines) in BUDGETS.items():
        assert len(parts[part]) <= files, part
        assert sum(len(module.text.splitlines()) for module in parts[part]) <= lines, part


def test_files_stay_small() -> None:
    lengths = [(module, len(module.text.splitlines())) for module in everything()]
    none(f"{module.at(1)}: {length} lines" for module, length in lengths if length > MAX_FILE)


def test_functions_stay_small() -> None:
    none(
        f"{module.at(function.lineno)}: {function.name} has {length} lines"
        for module in everything()
        for function in functions(module)
        for length in [(function.end_lineno or 0) - function.lineno + 1]
        if length > MAX_FUNCTION
    )


def test_functions_stay_flat() -> None:
    none(
        f"{module.at(function.lineno)}: {function.name} is {nesting(function)} blocks deep"
        for module in everything()
        for function in functions(module)
        if nesting(function) > MAX_NESTING
    )


def test_every_file_is_named_after_its_subject() -> None:
    none(
        f"{module.at(1)}: the name says nothing"
        for module in everything()
        for name in [module.path.stem.removeprefix("test_")]
        if name.startswith("new_") or name.endswith("_v2") or HOMELESS & set(name.split("_"))
    )


def test_every_source_file_has_its_own_test_file() -> None:
    none(
        f"{module.at(1)}: its test {test.relative_to(ROOT)} is missing"
        for module in source()
        if module.path.name not in {"__init__.py", "__main__.py"}
        for test in [unit_test_of(module)]
        if not test.exists()
    )


def test_nothing_is_typed_away() -> None:
    none(
        f"{module.at(name.lineno)}: {ast.unparse(name)}"
        for module in source()
        for name in [*module.nodes(ast.Name), *module.nodes(ast.Attribute)]
        if ast.unparse(name) in {"Any", "cast", "typing.Any", "typing.cast"}
    )


def test_there_is_one_last_line_of_defence() -> None:
    places = [
        module.at(handler.lineno)
        for module in source()
        for handler in module.nodes(ast.ExceptHandler)
        if catches_all(handler)
    ]
    assert len(places) <= 1, places
    assert all(place.startswith("src/dragoman/server/") for place in places)


def test_tasks_are_made_in_groups() -> None:
    none(
        f"{module.at(call.lineno)}: {ast.unparse(call.func)}"
        for module in source()
        if module.name != "dragoman.server.run"
        for call in module.nodes(ast.Call)
        if is_loose_task(call.func)
    )


def none(breaches: Iterable[str]) -> None:
    """Fail with every breach on its own line."""
    found = list(dict.fromkeys(breaches))
    assert not found, "\n".join(["", *found])


@cache
def read_modules(folder: str) -> tuple[Module, ...]:
    """Return every Python file under a folder of the repository, parsed."""
    modules: list[Module] = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "node_modules" not in path.parts:
            parts = path.relative_to(SRC if folder == "src" else ROOT).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            text = path.read_text(encoding="utf-8")
            modules.append(Module(name, path, text, ast.parse(text)))
    return tuple(modules)


def source() -> tuple[Module, ...]:
    """Return the modules of the gateway."""
    return read_modules("src")


def everything() -> tuple[Module, ...]:
    """Return the modules of the gateway, its tests and its benchmark."""
    return source() + read_modules("tests") + read_modules("bench")


def functions(module: Module) -> Iterator[Function]:
    """Yield every function and method of a module."""
    yield from module.nodes(ast.FunctionDef)
    yield from module.nodes(ast.AsyncFunctionDef)


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the full dotted name of every module it imports, those inside functions too."""
    for node in module.nodes(ast.Import):
        yield from ((node.lineno, alias.name) for alias in node.names)
    known = {other.name for other in source()}
    for origin in module.nodes(ast.ImportFrom):
        base = absolute(module, origin)
        for alias in origin.names:
            full = f"{base}.{alias.name}"
            yield origin.lineno, full if full in known else base


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """Return the dotted name that a `from` import begins with, dots in front resolved."""
    if not node.level:
        return node.module or ""
    here = module.name.split(".")
    up = node.level - (module.path.name == "__init__.py")
    return ".".join([*here[: len(here) - up], *filter(None, [node.module])])


def package_of(name: str) -> str:
    """Return the part of the house that `dragoman.<part>.…` belongs to; empty for the package itself."""
    return name.split(".")[1] if "." in name else ""


def root_of(name: str) -> str:
    """Return the top-level package of a dotted name."""
    return name.split(".")[0]


def is_standard(name: str) -> bool:
    """Tell whether a module belongs to Python itself."""
    return root_of(name) in sys.stdlib_module_names


def may_import(importer: str, target: str) -> bool:
    """Tell whether one part of the house may import another."""
    return importer == target or (FLOORS[target] < FLOORS[importer] and target not in NEVER.get(importer, ()))


def may_know(name: str, target: str) -> bool:
    """Tell whether a module of a dialect may import `target`, a module of some dialect."""
    dialect, parts = name.split(".")[2], target.split(".")[2:]
    return not parts or parts[0] in {dialect, *SHARED_BY_DIALECTS} or parts[1:] == ["schema"]


def unit_test_of(module: Module) -> Path:
    """Return the path of the test file that covers a module."""
    path = module.path.relative_to(SRC / "dragoman")
    return ROOT / "tests/unit" / path.with_name(f"test_{path.name}")


def nesting(node: ast.AST, depth: int = 0) -> int:
    """Return how deep the blocks of a function lie in each other; `elif` is as deep as its `if`."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, nesting(child, depth + (isinstance(child, Block) and not is_elif)))
    return deepest


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler swallows what it cannot know; one that cleans up and raises on does not."""
    names = {ast.unparse(node) for node in ast.walk(handler.type)} if handler.type else {"BaseException"}
    last = handler.body[-1]
    raises_on = isinstance(last, ast.Raise) and last.exc is None
    return "Exception" in names or ("BaseException" in names and not raises_on)


def is_loose_task(function: ast.expr) -> bool:
    """Tell whether a call starts a task that no group waits for."""
    name = last_name(function)
    owner = last_name(function.value) if isinstance(function, ast.Attribute) else ""
    return name in {"ensure_future", "gather"} or (name == "create_task" and not owner.endswith("group"))


def last_name(node: ast.expr) -> str:
    """Return `c` of `a.b.c`; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
