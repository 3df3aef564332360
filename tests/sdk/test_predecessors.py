"""The environments of the programs before us, as `dragoman check` and `dragoman serve` understand them."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest

from tests.sdk.environment import ELSEWHERE, environment
from tests.sdk.process import served

PATIENCE = 30.0
ENVIRONMENTS = {
    "a Poe MCP server": {"POE_API_KEY": "p-secret"},
    "a front of agents": {
        "OPENAI_COMPAT_ENABLE": "true",
        "OPENAI_COMPAT_PORT": "8001",
        "OPENAI_COMPAT_MODEL_NAME": "cortex-flow",
        "OPENAI_COMPAT_MAX_CONTEXT_TOKENS": "8192",
        "OPENAI_COMPAT_TOKEN_MODEL": "gpt-4",
        "OPENAI_API_KEY": "o-secret",
    },
    "a bridge to Poe": {
        "SYSTEM_TOKEN": "p-secret",
        "CUSTOM_TOKEN": "c-secret",
        "MODEL_MAPPING": '{"gpt-4": "GPT-4o"}',
        "CORE_NUM": "4",
        "TIME_OUT": "120",
        "ALL_PROXY": "socks5://me:hunter2@127.0.0.1:1080",
    },
    "a front of Qwen": {"DASHSCOPE_API_KEY": "q-secret"},
}
SECRETS = ("p-secret", "c-secret", "q-secret", "o-secret", "hunter2")


@pytest.mark.parametrize("program", ENVIRONMENTS)
def test_check_explains_the_environment_and_shows_none_of_its_secrets(program: str, tmp_path: Path) -> None:
    variables = ENVIRONMENTS[program]
    done = check(variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(secret in done.stdout for secret in SECRETS)
    for name in variables:
        assert f"{name} → " in done.stdout or f"{name}: not used, " in done.stdout or name.endswith("_API_KEY")
    assert settings(done.stdout) == settings(check_again(done.stdout, variables, tmp_path))


def test_a_malformed_variable_is_told_by_its_name_and_ends_the_command() -> None:
    done = check({**ENVIRONMENTS["a bridge to Poe"], "MODEL_MAPPING": "{", "CORE_NUM": "all"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: MODEL_MAPPING: expected a JSON object from names to names of Poe's models",
        "error: CORE_NUM: expected a whole number above 0",
    ]


def test_a_proxy_that_cannot_be_used_ends_the_command_before_anything_is_served() -> None:
    variables = {**ENVIRONMENTS["a bridge to Poe"], "ALL_PROXY": "socks5://me@127.0.0.1:1080"}
    for command in ("check", "serve", "models"):
        done = run(command, variables)
        assert done.returncode == 2
        assert done.stderr.splitlines()[0] == (
            "error: upstreams.poe.proxy: a SOCKS proxy wants user and password, each 1 to 255 ASCII characters "
            "(set by ALL_PROXY)"
        )


def test_a_client_of_the_bridge_is_let_in_by_its_token_and_the_start_tells_why() -> None:
    nobody = {"POE_BASE_URL": "http://127.0.0.1:9/v1", "POE_BOT_BASE_URL": "http://127.0.0.1:9/bot"}
    with served(["serve", "--port", "0"], {**ENVIRONMENTS["a bridge to Poe"], **nobody}) as gateway:
        request = Request(f"{gateway.address}/v1/models", headers={"authorization": "Bearer c-secret"})
        with urlopen(request, timeout=PATIENCE) as response:
            assert '"id":"gpt-4"' in response.read().decode()
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"{gateway.address}/v1/models", timeout=PATIENCE)
        assert "SYSTEM_TOKEN → upstreams.poe.key, upstreams.poe_bot.key\n" in gateway.log
        assert not any(secret in gateway.log + gateway.greeting for secret in SECRETS)


def run(command: str, variables: Mapping[str, str], folder: Path = ELSEWHERE) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        ["dragoman", command],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def check(variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return run("check", variables)


def check_again(shown: str, variables: Mapping[str, str], folder: Path) -> str:
    """Return what `check` prints when its own TOML is the file; empty where it had none to print."""
    toml = shown.partition("The same in dragoman.toml:\n\n")[2].partition("┏")[0]
    (folder / "dragoman.toml").write_text(toml.partition("The configuration is good")[0])
    return run("check", variables, folder).stdout


def settings(shown: str) -> dict[str, object]:
    """Return the configuration that `check` prints, but where it comes from."""
    document = msgspec.convert(json.JSONDecoder().raw_decode(shown)[0], dict[str, object])
    del document["file"]
    return document
