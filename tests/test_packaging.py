"""What is installed is what was pinned, and for every dependency there is a written reason."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import dragoman

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.lock", "requirements-build.lock", "requirements-dev.lock", "requirements-llama.lock"]


def test_the_locks_name_no_place_to_download_from() -> None:
    for name in [*LOCKS, "tests/sdk/node/package-lock.json", "tests/sdk/agents/package-lock.json"]:
        assert not re.search(r"://|file:|\"resolved\"|^-", (ROOT / name).read_text(), re.MULTILINE), name


def test_every_pinned_version_has_its_hashes() -> None:
    for name in LOCKS:
        for requirement in (ROOT / name).read_text().split("\n    # via")[0:-1]:
            assert "==" in requirement, name
            assert "--hash=sha256:" in requirement, name


def test_the_locks_agree_with_each_other() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()
    assert pins("requirements-build.lock").items() <= pins("requirements-dev.lock").items()


def test_the_sdks_are_tested_with_the_tests_of_their_own_version() -> None:
    assert pins("tests/sdk/suites/requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_every_dependency_is_pinned_and_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    reasons = (ROOT / "docs/dependencies.md").read_text()
    asked = [project["project"]["dependencies"], groups["build"], groups["dev"], groups["llama"]]
    for lock, wanted in zip(LOCKS, asked, strict=True):
        for requirement in wanted:
            name = re.split(r"[^\w-]", requirement, maxsplit=1)[0]
            assert name in pins(lock)
            assert f"| `{name}` |" in reasons, f"{name} has no reason in docs/dependencies.md"


def test_the_version_has_one_source() -> None:
    assert version("dragoman") == dragoman.__version__


def pins(lock: str) -> dict[str, str]:
    """Return the version of every package in a lock, with its marker when it depends on the machine."""
    lines = re.findall(r"^([a-z][\w-]*)==(.+?) \\$", (ROOT / lock).read_text(), re.MULTILINE)
    return {f"{name}{marker}": pinned for name, rest in lines for pinned, _, marker in [rest.partition(" ")]}
