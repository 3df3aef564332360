"""What the configuration can say: one Struct per table, and below each field the sentence that documents it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from dragoman.config.upstreams import Upstream
from dragoman.config.values import (
    Count,
    Hash,
    Host,
    Lifetime,
    ModelName,
    Name,
    Origin,
    Pattern,
    Port,
    Seconds,
    Secret,
    Size,
    StoreUrl,
    Target,
    Url,
    Version,
)

ORIGINS = (
    *(
        f"{scheme}://{host}{port}"
        for host in ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 — the address of a page: nothing listens there
        for scheme in ("http", "https")
        for port in ("", ":*")
    ),
    *(f"{scheme}://*" for scheme in ("app", "file", "tauri", "vscode-webview", "vscode-file")),
    *(f"{browser}-extension://*" for browser in ("chrome", "moz", "safari-web")),
)
"""The origins of pages from the same machine, and of programs that are made of pages; the same as Ollama's."""


Preset = Literal["short_names"]


class ServerTimeout(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the server waits for its clients."""

    head: Seconds = 10.0
    """For a whole request head; later it is answered with 408."""
    body: Seconds = 30.0
    """For a request body, and one second more for each MiB of it."""
    write: Seconds = 60.0
    """For a client that has stopped reading its answer."""
    keep_alive: Seconds = 75.0
    """For the next request on a connection."""
    ping: Seconds = 15.0
    """Of silence in a stream, until its client is told that the answer is still coming."""
    drain: Seconds = 30.0
    """For the answers that are under way when the server is told to stop."""


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server listens."""

    host: Host = "127.0.0.1"
    """The address to listen on; one that is not loopback needs at least one client key."""
    port: Port = 8484
    """The TCP port to listen on; 0 takes any free one."""
    public_url: Url | None = None
    """Where clients reach the server when that is not where it listens; its host and origin are trusted."""
    key_in_path: bool = False
    """Whether `/k/<key>/` before any path holds the client's key, for clients that can send no header."""
    tokens: Literal["auto", "estimate"] = "auto"
    """How tokens are counted where nobody tells: exactly when the extra `tokens` is installed, or always roughly."""
    ollama_version: Version = "0.33.0"
    """The version that Ollama's clients are told; some of them want at least 0.6.4."""
    ollama_origins: tuple[Origin, ...] = ORIGINS
    """The origins whose web pages may ask on Ollama's paths, and on all paths while there is no client key."""
    timeout: ServerTimeout = ServerTimeout()


class Alias(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind a name; `name = "upstream/model"` and `name = ["a/x", "b/y"]` are short for the table."""

    targets: Annotated[tuple[Target, ...], Meta(min_length=1)]
    """The models behind the name, in the order in which they are tried; one call is tried three times at most."""
    strict: bool = False
    """Whether a call is refused of which part would be lost on its way, as `x-dragoman-strict: true` asks for one."""


class Names(Struct, frozen=True, forbid_unknown_fields=True):
    """How the names of models are understood."""

    presets: tuple[Preset, ...] = ()
    """Names that come along: `short_names` makes `claude`, `gpt`, `gemini` and others stand for what is listed."""
    default: ModelName | None = None
    """The model that answers for names which nothing stands for; without one they do not exist."""


class ClientKey(Struct, frozen=True, forbid_unknown_fields=True):
    """One client, known by this name."""

    hash: Hash = ""
    """What `dragoman key new` printed for the key. Give it or `key`; only the hash is kept in memory."""
    key: Secret | UnsetType = UNSET
    """The key itself, instead of its hash."""
    models: tuple[Pattern, ...] = ("*",)
    """The model names this key may use; `poe/*` means all that begin with `poe/`."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one server and one request may take."""

    in_flight: Count = 1000
    """Calls at the same time, over all keys."""
    per_key: Count = 100
    """Calls at the same time for each key."""
    body: Size = 32 * 1024 * 1024
    """A request body."""
    head: Size = 32 * 1024
    """A whole request head."""
    header: Size = 16 * 1024
    """One header, its name included."""
    headers: Count = 100
    """Headers of one request."""
    url: Size = 8 * 1024
    """A request target."""
    depth: Count = 64
    """Nesting of a JSON body."""
    digits: Count = 308
    """Digits of one number."""
    keys: Count = 10_000
    """String keys of one JSON object."""
    messages: Count = 10_000
    """Messages of one request."""
    tools: Count = 512
    """Tools of one request."""
    stop: Count = 16
    """Stop sequences of one request."""
    n: Count = 128
    """Answers asked for at once."""
    metadata: Count = 64
    """Metadata entries of one request."""


class Attachments(Struct, frozen=True, forbid_unknown_fields=True):
    """What clients only link, for upstreams that take none but attachments that come along."""

    fetch: bool = False
    """Whether links are fetched from here; only public addresses ever are."""
    size: Size = 20 * 1024 * 1024
    """A file that is fetched."""


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept from call to call: responses that can be continued, and jobs."""

    url: StoreUrl = "sqlite:///dragoman.db"
    """Where: `sqlite:///` and a path, made when first needed; `sqlite://` alone forgets everything at the end."""
    keep: Lifetime = 2_592_000.0
    """How long; 30 days unless said otherwise."""


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """All that can be configured."""

    server: Server = Server()
    upstreams: dict[Name, Upstream] = {}
    """The servers that are asked, by name. None at all: those whose keys the environment has, else the simulator."""
    models: dict[ModelName, Alias] = {}
    """Model names of your own."""
    names: Names = Names()
    keys: dict[Name, ClientKey] = {}
    """The clients that may ask. None at all: anyone may, and the server listens on loopback only."""
    limits: Limits = Limits()
    attachments: Attachments = Attachments()
    store: Store = Store()


class Config(Document, frozen=True, forbid_unknown_fields=True):
    """A configuration that holds together: every secret read, every target known."""

    file: str | None = None
    """The file it came from; None when there was none."""
    warnings: list[str] = []
    """What works but should be otherwise, each as `path: reason`."""
    recognised: list[str] = []
    """What other programs' environment variables became."""
    toml: str = ""
    """The TOML that says the same as those variables."""


def dump_config(config: Config) -> bytes:
    """Return `config` as JSON with every secret shown as `***`, without what is told otherwise."""
    shown = msgspec.structs.asdict(config)
    del shown["recognised"], shown["toml"]
    return msgspec.json.format(msgspec.json.encode(shown, enc_hook=_hide))


def _hide(value: object) -> str:
    if isinstance(value, Secret):
        return repr(value)
    raise TypeError(f"cannot write {type(value).__name__}")
