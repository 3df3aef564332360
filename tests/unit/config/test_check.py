"""Documents in, a configuration or a list of mistakes out."""

import tomllib
from collections.abc import Mapping

import pytest

from dragoman.config.check import At, ConfigErrors, Given, check_document, write_path
from dragoman.config.keys import hash_key
from dragoman.config.known import REGIONS
from dragoman.config.schema import Config
from dragoman.config.upstreams import OpenAiUpstream, QwenUpstream, SimUpstream
from dragoman.config.values import CaFile, Proxy, Secret

LAB = '[upstreams.lab]\nkind = "openai"\nbase_url = "http://127.0.0.1:8000/v1"\n'
HASH = hash_key("dg-one")
KINDS = "openai or poe or poe_bot or qwen or anthropic or ollama or sim"


def check(text: str, environ: Mapping[str, str] | None = None, given: Mapping[At, Given] | None = None) -> Config:
    return check_document(tomllib.loads(text), environ or {}, given or {})


def mistakes(text: str, environ: Mapping[str, str] | None = None, given: Mapping[At, Given] | None = None) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        check(text, environ, given)
    assert str(caught.value) == "\n".join(caught.value.errors)
    return caught.value.errors


def test_an_empty_document_is_all_defaults() -> None:
    assert check("") == Config()


def test_a_full_document_is_read_to_the_last_key() -> None:
    config = check(
        f"""
        [server]
        host = "::1"
        port = 0
        public_url = "https://llm.example.com/base/"
        key_in_path = true
        timeout = {{ head = 1, drain = 0.5 }}
        {LAB}
        key = "$LAB_KEY"
        models = ["a", "*"]
        timeout = {{ first = 300, total = 900 }}
        retry = {{ attempts = 1 }}
        endpoints = ["chat", "completions"]
        refresh = 60
        [upstreams.slow]
        kind = "sim"
        speed = {{ first = 0, rate = 5 }}
        seed = -3
        [models]
        one = "lab/x"
        two = ["lab/x", "slow/y/z"]
        [models.three]
        targets = ["lab/x"]
        [keys.app]
        hash = "{HASH}"
        models = ["one", "lab/*"]
        [limits]
        n = 1
        """,
        {"LAB_KEY": "sk-lab"},
    )
    assert (config.server.host, config.server.port, config.server.timeout.head) == ("::1", 0, 1)
    assert (config.server.public_url, config.server.key_in_path) == ("https://llm.example.com/base", True)
    lab, slow = config.upstreams["lab"], config.upstreams["slow"]
    assert isinstance(lab, OpenAiUpstream)
    assert (lab.key, lab.models, lab.timeout.first, lab.timeout.idle) == (Secret("sk-lab"), ("a", "*"), 300, 60)
    assert (lab.retry.attempts, lab.endpoints, lab.refresh) == (1, ("chat", "completions"), 60)
    assert isinstance(slow, SimUpstream)
    assert (slow.speed.first, slow.speed.rate, slow.seed) == (0, 5, -3)
    assert {name: alias.targets for name, alias in config.models.items()} == {
        "one": ("lab/x",),
        "two": ("lab/x", "slow/y/z"),
        "three": ("lab/x",),
    }
    assert (config.keys["app"].hash, config.keys["app"].models) == (HASH, ("one", "lab/*"))
    assert config.limits.n == 1
    assert config.warnings == []


def test_all_mistakes_are_told_at_once_in_the_order_of_the_document() -> None:
    assert mistakes(
        """
        [server]
        port = "x"
        prot = 1
        [upstreams.lab]
        kind = "openai"
        timeout = { conect = 5 }
        [models]
        fast = ["lab/x", "lob/x"]
        """
    ) == [
        "server.port: expected int, got str",
        "server.prot: unknown key; did you mean port?",
        "upstreams.lab.timeout.conect: unknown key; did you mean connect?",
        "upstreams.lab.base_url: missing",
        "models.fast[1]: no upstream is named lob; did you mean lab?",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("server.port = 65536", "server.port: expected int <= 65535"),
        ("server.port = -1", "server.port: expected int >= 0"),
        ("server.port = true", "server.port: expected int, got bool"),
        ("server.port = 1.0", "server.port: expected int, got float"),
        ("server.port = []", "server.port: expected int, got list"),
        ("server.port = {}", "server.port: expected int, got table"),
        ("server.host = 2026-01-01", "server.host: expected str, got date"),
        ("server.host = ''", "server.host: expected host name or IP address"),
        ('server.host = "localhost\\n"', "server.host: expected printable characters only"),
        ("server = 5", "server: expected table, got int"),
        (
            "server.public_url = 'llm.example.com'",
            "server.public_url: expected http or https URL without user, query and fragment",
        ),
        ("server.public_url = 'https://a:65536'", "server.public_url: expected a port up to 65535"),
        ("server.key_in_path = 'yes'", "server.key_in_path: expected bool, got str"),
        ("server.ollama_version = 'v1'", "server.ollama_version: expected digits and dots"),
        ("server.ollama_version = '0.33.0-rc2'", "server.ollama_version: expected digits and dots"),
        ("server.ollama_origins = ['localhost']", "server.ollama_origins[0]: expected origin that may end in *"),
        ("server.ollama_origins = ['http://*.a']", "server.ollama_origins[0]: expected origin that may end in *"),
        ("server.timeout.head = 0", "server.timeout.head: expected float > 0.0"),
        ("server.timeout.head = nan", "server.timeout.head: expected float > 0.0"),
        ("server.timeout.head = inf", "server.timeout.head: expected float <= 86400.0"),
        ("server.timeout.head = true", "server.timeout.head: expected float, got bool"),
        ("limits.n = 0", "limits.n: expected int >= 1"),
        ("limits.rpm = 0", "limits.rpm: unknown key"),
        ("agents = {}", "agents: unknown key"),
        ("upstreams = 1", "upstreams: expected table, got int"),
        ("upstreams.lab = 1", "upstreams.lab: expected table, got int"),
        ("upstreams.lab = {}", f"upstreams.lab.kind: missing; expected {KINDS}"),
        ("upstreams.opnai = {}", f"upstreams.opnai.kind: missing; expected {KINDS}; did you mean openai?"),
        ("upstreams.lab.kind = 'grok'", f"upstreams.lab.kind: expected {KINDS}"),
        ("upstreams.lab.kind = 5", f"upstreams.lab.kind: expected {KINDS}"),
        ("upstreams.sim.key = '$A'", "upstreams.sim.key: unknown key"),
        ("upstreams.sim.speed.first = -1", "upstreams.sim.speed.first: expected float >= 0.0"),
        ("upstreams.'a b'.kind = 'sim'", 'upstreams."a b": expected name of 1 to 64 letters, digits, _ . -'),
        (LAB + "models = 'x'", "upstreams.lab.models: expected list, got str"),
        (LAB + "models = ['x', 5]", "upstreams.lab.models[1]: expected str, got int"),
        (LAB + "models = ['gpt-*']", "upstreams.lab.models[0]: expected model name, or * alone"),
        (
            LAB + "endpoints = ['chat', 'telepathy']",
            "upstreams.lab.endpoints[1]: expected chat or responses or completions or embeddings or images or videos "
            "or audio or moderations",
        ),
        (LAB + "endpoints = [5]", "upstreams.lab.endpoints[0]: expected str, got int"),
        (LAB + "retry.attempts = 0", "upstreams.lab.retry.attempts: expected int >= 1"),
        (LAB + "ca = 5", "upstreams.lab.ca: expected str, got int"),
        (LAB + "proxy = 5", "upstreams.lab.proxy: expected str, got int"),
        (LAB + "key = 'a'\nkeys = ['b']", "upstreams.lab.keys: expected key or keys, not both"),
        (LAB + "budget = 5", "upstreams.lab.budget: unknown key"),
        ("models.a = 5", "models.a: expected upstream/model, list or table, got int"),
        ("models.a = 'x'", "models.a: expected upstream/model"),
        ("models.a = [5]", "models.a[0]: expected str, got int"),
        ("models.a = []", "models.a: expected at least one target"),
        ("models.a = {}", "models.a.targets: missing"),
        ("models.a = { targets = ['poe/x'] }", "models.a.targets[0]: no upstream is named poe; add [upstreams.poe]"),
        ("models.a = { targets = [] }", "models.a: expected at least one target"),
        ("models.a = 'poe/x'", "models.a: no upstream is named poe; add [upstreams.poe]"),
        (LAB + "[models.a]\ntargets = ['lab/x']\ntools = 'auto'", "models.a.tools: unknown key"),
        (
            LAB + "[models]\n'a b' = 'lab/x'",
            'models."a b": expected model name of 1 to 256 printable ASCII characters without spaces',
        ),
        ("keys.app = 'x'", "keys.app: expected table, got str"),
        ("keys.app = {}", "keys.app: expected hash or key"),
        (f"keys.app = {{ hash = '{HASH}', key = 'x' }}", "keys.app: expected hash or key, not both"),
        ("keys.app.hash = 'sha256:0'", "keys.app.hash: expected sha256: and 64 hexadecimal digits"),
        (
            f"keys.app = {{ hash = '{HASH}', models = ['a*b'] }}",
            "keys.app.models[0]: expected model name that may end in *",
        ),
        (f"keys.app = {{ hash = '{HASH}', rpm = 60 }}", "keys.app.rpm: unknown key"),
        ("store.url = 'redis://x'", "store.url: expected sqlite:/// and a path, or sqlite:// alone"),
        ("store.url = 'sqlite://file.db'", "store.url: expected sqlite:/// and a path, or sqlite:// alone"),
    ],
)
def test_a_mistake_is_told_with_its_path(text: str, mistake: str) -> None:
    assert mistakes(text) == [mistake]


def test_a_base_url_that_is_none_is_refused_without_repeating_it() -> None:
    assert mistakes('[upstreams.lab]\nkind = "openai"\nbase_url = "http://user:hunter2@lab/v1"') == [
        "upstreams.lab.base_url: expected http or https URL without user, query and fragment"
    ]


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("http://[::1]:65535/v1", "http://[::1]:65535/v1"),
        ("http://lab_1:80/a/b", "http://lab_1:80/a/b"),
    ],
)
def test_a_base_url_loses_its_last_slash(url: str, read: str) -> None:
    lab = check(f'[upstreams.lab]\nkind = "openai"\nbase_url = "{url}"').upstreams["lab"]
    assert isinstance(lab, OpenAiUpstream)
    assert lab.base_url == read


def test_a_port_that_cannot_be_is_refused() -> None:
    assert mistakes('[upstreams.lab]\nkind = "openai"\nbase_url = "http://[::1]:65536/v1"') == [
        "upstreams.lab.base_url: expected a port up to 65535"
    ]


def test_a_target_may_name_an_upstream_that_has_mistakes_of_its_own() -> None:
    assert mistakes("upstreams.lab.kind = 'x'\nmodels.a = 'lab/x'") == [f"upstreams.lab.kind: expected {KINDS}"]


def test_a_kind_with_regions_is_asked_where_its_region_is() -> None:
    qwen = check("upstreams.lab = { kind = 'qwen', region = 'cn' }").upstreams["lab"]
    assert isinstance(qwen, QwenUpstream)
    assert qwen.base_url == REGIONS["cn"]


def test_a_known_name_with_another_kind_is_what_it_says() -> None:
    config = check("[upstreams.poe]\nkind = 'sim'")
    assert config.upstreams == {"poe": SimUpstream()}
    assert config.warnings == []


def test_a_known_upstream_at_its_own_address_wants_a_key() -> None:
    known, moved = "https://api.poe.com/v1", "http://127.0.0.1:9/v1"
    assert check(f'[upstreams.poe]\nbase_url = "{known}"').warnings == [
        "upstreams.poe.key: missing, and POE_API_KEY is not set"
    ]
    assert check(f'[upstreams.poe]\nbase_url = "{moved}"').warnings == []


def lab_key(text: str, environ: Mapping[str, str] | None = None, given: Mapping[At, Given] | None = None) -> Config:
    return check(f"{LAB}key = '''{text}'''", environ, given)


def read_key(config: Config) -> str:
    lab = config.upstreams["lab"]
    assert isinstance(lab, OpenAiUpstream)
    assert isinstance(lab.key, Secret)
    return lab.key.reveal()


def test_a_key_is_read_from_its_variable() -> None:
    config = lab_key("$LAB_KEY", {"LAB_KEY": "$sk-1"})
    assert read_key(config) == "$sk-1"
    assert config.warnings == []


def test_a_key_in_plain_sight_works_and_is_warned_about() -> None:
    config = lab_key("sk-1")
    assert read_key(config) == "sk-1"
    assert config.warnings == ['upstreams.lab.key: a key in plain sight; better "$NAME" or "$file:/path"']


def test_a_key_that_the_environment_put_there_is_not_warned_about() -> None:
    given: dict[At, Given] = {("upstreams", "lab", "key"): Given("DRAGOMAN__UPSTREAMS__LAB__KEY", "sk-1")}
    assert lab_key("sk-1", given=given).warnings == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$LAB_KEY", "the environment variable LAB_KEY is not set"),
        ("$hunter-2!", "expected $NAME or $file:/path"),
        ("$SPLIT", "expected printable ASCII without spaces"),
        ("hunter\n2", "expected printable characters only"),
    ],
)
def test_a_key_that_cannot_be_read_is_a_mistake_that_does_not_show_it(text: str, reason: str) -> None:
    environ = {"SPLIT": "hunter\r\nx-evil: 2"}
    with pytest.raises(ConfigErrors) as caught:
        lab_key(text, environ)
    assert caught.value.errors == [f"upstreams.lab.key: {reason}"]


def test_a_key_that_is_no_text_is_a_mistake_that_does_not_show_it() -> None:
    assert mistakes(f"{LAB}key = 12345") == ["upstreams.lab.key: expected str, got int"]


def test_of_a_client_key_only_the_hash_is_kept() -> None:
    config = check("keys.app.key = '$APP_KEY'", {"APP_KEY": "dg-one"})
    assert config.keys["app"].hash == HASH
    assert not isinstance(config.keys["app"].key, Secret)
    assert config.keys["app"].models == ("*",)


def test_a_client_key_that_may_use_no_model_stays_so() -> None:
    assert check(f"keys.app = {{ hash = '{HASH}', models = [] }}").keys["app"].models == ()


def test_two_clients_cannot_share_a_key() -> None:
    text = f"keys.one.hash = '{HASH}'\nkeys.two.key = '$TWO'"
    assert mistakes(text, {"TWO": "dg-one"}) == ["keys.two: the same key as keys.one"]


def test_a_mistake_from_the_environment_names_its_variable() -> None:
    given: dict[At, Given] = {("server",): Given("DRAGOMAN__SERVER", "{ port = true }")}
    assert mistakes("server = { port = true }", given=given) == [
        "server.port: expected int, got bool (set by DRAGOMAN__SERVER)"
    ]


def test_a_text_from_the_environment_may_look_like_a_number() -> None:
    given: dict[At, Given] = {
        ("upstreams", "lab", "key"): Given("A", "0123"),
        ("server", "host"): Given("B", "1e5"),
    }
    config = check(f"{LAB}key = 123\n[server]\nhost = 1e5\n[keys.app]\nhash = '{HASH}'", given=given)
    assert (read_key(config), config.server.host) == ("0123", "1e5")


def test_a_table_from_the_environment_is_no_text() -> None:
    given: dict[At, Given] = {("server", "host"): Given("DRAGOMAN__SERVER__HOST", "{}")}
    assert mistakes("server.host = {}", given=given) == [
        "server.host: expected str, got table (set by DRAGOMAN__SERVER__HOST)"
    ]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.4.84", "::1"])
def test_a_server_without_keys_may_listen_on_loopback(host: str) -> None:
    assert check(f'server.host = "{host}"').server.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "llm.example.com", "127.0.0.1.example.com"])
def test_a_server_without_keys_listens_nowhere_else(host: str) -> None:
    assert mistakes(f'server.host = "{host}"\n[keys]') == [
        "server.host: without any client key the server binds loopback only"
    ]


def test_a_server_with_a_key_listens_anywhere() -> None:
    assert check(f"server.host = '0.0.0.0'\nkeys.app.hash = '{HASH}'").server.host == "0.0.0.0"


def test_a_client_key_with_a_mistake_is_not_taken_for_none() -> None:
    assert mistakes("server.host = '0.0.0.0'\nkeys.app = {}") == ["keys.app: expected hash or key"]


@pytest.mark.parametrize(
    ("at", "path"),
    [
        (("models", "fast", 1), "models.fast[1]"),
        (("models", "gpt-4.1", "targets"), 'models."gpt-4.1".targets'),
        (("models", 'a"b'), r'models."a\"b"'),
        (("",), '""'),
    ],
)
def test_a_path_is_written_as_toml_would(at: At, path: str) -> None:
    assert write_path(at) == path


def test_targets_that_are_never_asked_are_warned_of() -> None:
    three, four = ('["lab/a", "lab/b", "lab/c"]', '["lab/a", "lab/b", "lab/c", "lab/d"]')
    assert check(f"{LAB}[models]\nfast = {three}").warnings == []
    assert check(f"{LAB}[models]\nfast = {four}").warnings == [
        "models.fast: only the first 3 targets are ever asked for one call"
    ]


def test_a_password_of_a_proxy_in_plain_sight_is_warned_of() -> None:
    assert check(f"{LAB}proxy = 'http://proxy:1'").warnings == []
    assert check(f"{LAB}proxy = 'http://u:hunter2@proxy:1'").warnings == [
        'upstreams.lab.proxy: a password in plain sight; better "$NAME" or "$file:/path"'
    ]


def test_a_header_may_be_plain_or_a_secret_and_is_of_one_line() -> None:
    lab = check(f"{LAB}headers = {{ X-Title = ' us ', x-key = '$K' }}", {"K": "k 1"}).upstreams["lab"]
    assert isinstance(lab, OpenAiUpstream)
    assert lab.headers == {"X-Title": Secret("us"), "x-key": Secret("k 1")}
    bad = mistakes(f"{LAB}headers = {{ 'a b' = 'x', a = '$K', b = 5, c = '$NO' }}", {"K": "k\r\nevil: 1"})
    assert bad == [
        'upstreams.lab.headers."a b": expected name of a header',
        "upstreams.lab.headers.a: expected printable ASCII",
        "upstreams.lab.headers.b: expected str, got int",
        "upstreams.lab.headers.c: the environment variable NO is not set",
    ]


def test_what_only_the_network_can_judge_is_told_with_all_the_rest() -> None:
    def judge(text: str) -> None:
        raise ValueError("not today")

    text = f"{LAB}ca = '/bad.pem'\nproxy = 'http://bad'\nrefresh = 0"
    with pytest.raises(ConfigErrors) as caught:
        check_document(tomllib.loads(text), {}, {}, {Proxy: judge, CaFile: judge})
    assert caught.value.errors == [
        "upstreams.lab.ca: not today",
        "upstreams.lab.proxy: not today",
        "upstreams.lab.refresh: expected float > 0.0",
    ]
