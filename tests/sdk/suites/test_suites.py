"""The tests that OpenAI and Anthropic wrote for their own SDKs, against a live gateway that translates for them."""

from pathlib import Path

import pytest

from tests.sdk.process import Served, served
from tests.sdk.suites.suite import UNPACKED, read_suite, run_suite, surprises

CONFIG = """
[server]
port = 0

[store]
url = "sqlite://"

[upstreams.lab]
kind = "openai"
base_url = "$UPSTREAM"
models = ["*"]

[models]
"""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_an_sdks_own_tests_end_as_listed(name: str, upstream: Served, tmp_path: Path) -> None:
    if not (UNPACKED / name).is_dir():
        pytest.skip("the source packages of the SDKs are not there: make test fetches them")
    suite = read_suite(name)
    file = tmp_path / "dragoman.toml"
    aliases = "".join(f'"{model}" = "lab/instant"\n' for model in suite.models)
    file.write_text(CONFIG.replace("$UPSTREAM", f"{upstream.address}/v1") + aliases)
    with served(["serve", "-c", str(file)]) as gateway:
        outcome = run_suite(name, suite, gateway.address, tmp_path / "report.xml")
        assert '"bug"' not in gateway.log
    assert outcome.passed
    found = surprises(suite, outcome)
    assert not found, "\n".join(found)
