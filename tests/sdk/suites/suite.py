"""An SDK's own tests as they come in its source package: run against a server, and compared with what is known."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

import msgspec
from msgspec import Struct

from tests.sdk.environment import environment

UNPACKED = Path(sys.prefix) / "suites"
"""Where `make test` puts the source packages."""
PATIENCE = 200.0
"""Seconds for one suite; it takes a tenth of them on an idle machine."""
_HERE = Path(__file__).parent
_ROOT = "tests.api_resources."
_WAY = re.compile(r"^test_((method|raw_response|streaming_response)_)?")


class LeftOut(Struct, frozen=True, forbid_unknown_fields=True):
    """Tests that do not pass, and the reason they have in common."""

    reason: str
    tests: list[str]
    """`file.request`; `*` stands for anything."""


class Suite(Struct, frozen=True, forbid_unknown_fields=True):
    """What is run of one SDK's tests."""

    path: str
    """What the SDK's base URL has after the address."""
    plugins: list[str]
    files: list[str]
    """Below `tests/api_resources`."""
    models: list[str]
    """The models that the tests name."""
    left_out: list[LeftOut]


class Outcome(Struct):
    """How the tests ended, by what they request: in each way, with each of the SDK's clients, read strictly or not."""

    passed: set[str]
    failed: dict[str, str]
    """At least one of them failed: what was said."""


def read_suite(name: str) -> Suite:
    """Return the suite that `name`.toml describes."""
    return msgspec.convert(tomllib.loads((_HERE / f"{name}.toml").read_text()), Suite)


def run_suite(name: str, suite: Suite, address: str, report: Path) -> Outcome:
    """Run the tests of SDK `name` against the server at `address`; `report` is a file to write."""
    plugins = ["pytest_asyncio.plugin", "pytest_timeout", *suite.plugins]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "--override-ini=addopts=", "--tb=line"),
            *("-p", "no:cacheprovider", "--timeout=20", f"--junit-xml={report}"),
            *(word for plugin in plugins for word in ("-p", plugin)),
            *(f"tests/api_resources/{file}" for file in suite.files),
        ],
        cwd=UNPACKED / name,
        env=environment({"TEST_API_BASE_URL": address + suite.path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return _read_report(report)


def surprises(suite: Suite, outcome: Outcome) -> list[str]:
    """Return what is not as the suite's list says, in words."""
    expected = [name for group in suite.left_out for name in group.tests]
    found = [f"{name} fails: {said}" for name, said in outcome.failed.items() if not _listed(name, expected)]
    found += [f"{name} passes, take it off the list" for name in outcome.passed if _listed(name, expected)]
    everything = [*outcome.failed, *outcome.passed]
    found += [f"{form} is no test" for form in expected if not any(fnmatchcase(name, form) for name in everything)]
    return sorted(found)


def _read_report(report: Path) -> Outcome:
    failed: dict[str, str] = {}
    names: set[str] = set()
    for case in ElementTree.parse(report).iter("testcase"):
        name = _short(case.get("classname", ""), case.get("name", ""))
        if case.find("skipped") is not None:
            continue
        names.add(name)
        for problem in (*case.iter("failure"), *case.iter("error")):
            failed.setdefault(name, f"{case.get('name')}: {problem.get('message', '')}")
    return Outcome(names - failed.keys(), failed)


def _short(where: str, test: str) -> str:
    """Return `chat.completions.x` for `test_method_x[loose]` of `tests.api_resources.chat.test_completions.TestX`.

    `method`, `raw_response` and `streaming_response` are the SDK's three ways to make one request.
    """
    module = re.sub(r"\.Test\w+$", "", where.removeprefix(_ROOT)).replace("test_", "")
    return f"{module}.{re.sub(_WAY, '', test.partition('[')[0])}"


def _listed(name: str, forms: Sequence[str]) -> bool:
    return any(fnmatchcase(name, form) for form in forms)
