"""The Structs: their defaults are right by their own types, and a secret shows itself to nobody."""

import msgspec
import pytest
from msgspec import UNSET

from dragoman.config.schema import ClientKey, Config, Document, dump_config
from dragoman.config.upstreams import OpenAiUpstream, SimUpstream
from dragoman.config.values import Secret

HIDDEN = "sk-very-secret"


def test_the_defaults_pass_their_own_checks() -> None:
    assert msgspec.convert(msgspec.to_builtins(Document()), Document) == Document()


def test_the_documented_defaults_hold() -> None:
    config = Config()
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8484)
    assert msgspec.structs.astuple(config.server.timeout) == (10, 30, 60, 75, 15, 30)
    server = config.server
    assert (server.public_url, server.key_in_path, server.ollama_version) == (None, False, "0.33.0")
    assert {"http://localhost", "https://127.0.0.1:*", "app://*", "chrome-extension://*"} < set(server.ollama_origins)
    assert (config.limits.body, config.limits.head, config.limits.header, config.limits.url) == (
        33_554_432,
        32_768,
        16_384,
        8_192,
    )
    upstream = OpenAiUpstream(base_url="http://lab/v1")
    assert msgspec.structs.astuple(upstream.timeout) == (5, None, 60, 600)
    assert (upstream.key, upstream.models, upstream.refresh) == (UNSET, (), 300)
    assert upstream.endpoints == ("chat", "embeddings", "images", "videos", "audio", "moderations")
    assert upstream.retry.attempts == 3
    assert msgspec.structs.astuple(SimUpstream().speed) == (0.2, 50)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Config().server.port = 1  # type: ignore[misc]


def test_a_secret_is_shown_by_nothing_but_reveal() -> None:
    secret = Secret(HIDDEN)
    assert f"{secret} {secret!r} {secret!s:>5} {[secret]}" == "*** ***   *** [***]"
    assert secret.reveal() == HIDDEN
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_secrets_are_equal_when_their_texts_are() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_dump_shows_everything_but_the_secrets() -> None:
    config = Config(
        upstreams={"lab": OpenAiUpstream(base_url="http://lab/v1", key=Secret(HIDDEN)), "sim": SimUpstream()},
        keys={"app": ClientKey(hash="sha256:" + 64 * "0", key=Secret(HIDDEN))},
    )
    dumped = dump_config(config)
    assert HIDDEN not in dumped.decode() + repr(config)
    again = msgspec.json.decode(dumped, type=Config, dec_hook=lambda _, text: Secret(str(text)))
    assert again.upstreams["lab"] == OpenAiUpstream(base_url="http://lab/v1", key=Secret("***"))
    assert again.upstreams["sim"] == SimUpstream()


def test_a_dump_leaves_out_what_is_told_otherwise() -> None:
    dumped = dump_config(Config(recognised=["SYSTEM_TOKEN → x"], toml="[keys]", warnings=["w"]))
    assert not {"recognised", "toml"} & msgspec.json.decode(dumped).keys()
    assert msgspec.json.decode(dumped)["warnings"] == ["w"]


def test_nothing_is_fetched_and_no_name_comes_along_unless_somebody_says_so() -> None:
    config = Config()
    assert (config.attachments.fetch, config.attachments.size) == (False, 20 << 20)
    assert (config.names.presets, config.server.tokens) == ((), "auto")


def test_a_dump_refuses_what_is_neither_plain_nor_secret() -> None:
    with pytest.raises(TypeError, match="cannot write object"):
        dump_config(Config(warnings=[object()]))  # type: ignore[list-item]
