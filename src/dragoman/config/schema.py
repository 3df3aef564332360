"""What the configuration can say: one Struct per table, and below each field the sentence that documents it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Port = Annotated[int, Meta(ge=0, le=65535, description="port, 0 to 65535")]
Count = Annotated[int, Meta(ge=1, description="whole number above 0")]
Size = Annotated[int, Meta(ge=1, description="bytes")]
Seconds = Annotated[float, Meta(gt=0, le=86_400, description="seconds")]
Delay = Annotated[float, Meta(ge=0, le=86_400, description="seconds")]
Lifetime = Annotated[float, Meta(gt=0, le=3_153_600_000, description="seconds")]
Rate = Annotated[float, Meta(gt=0, le=1_000_000, description="number above 0")]
Host = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.:%-]+$", description="host name or IP address")]
Url = Annotated[
    str,
    Meta(
        pattern=r"^https?://([0-9A-Za-z_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-\"$->@-~]*)?$",
        description="http or https URL without user, query and fragment",
    ),
]
StoreUrl = Annotated[
    str, Meta(pattern=r"^sqlite://(/[ -~]+)?$", description="sqlite:/// and a path, or sqlite:// alone")
]
Name = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.-]{1,64}$", description="name of 1 to 64 letters, digits, _ . -")]
ModelName = Annotated[
    str, Meta(pattern=r"^[!-~]{1,256}$", description="model name of 1 to 256 printable ASCII characters without spaces")
]
Served = Annotated[str, Meta(pattern=r"^([!-)+-~]{1,256}|\*)$", description="model name, or * alone")]
Target = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.-]{1,64}/[!-~]{1,256}$", description="upstream/model")]
Pattern = Annotated[str, Meta(pattern=r"^([!-)+-~]{1,256}\*?|\*)$", description="model name that may end in *")]
Hash = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$", description="sha256: and 64 hexadecimal digits")]
Version = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)*$", description="digits and dots")]
Origin = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9+.-]*://[!-)+-~]*\*?$", description="origin that may end in *")]
Endpoint = Literal["chat", "completions", "embeddings", "images", "videos", "audio", "moderations"]


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


class Secret:
    """A text that no message, log line or dump shows; `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one header it is meant for."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


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
    ollama_version: Version = "0.33.0"
    """The version that Ollama's clients are told; some of them want at least 0.6.4."""
    ollama_origins: tuple[Origin, ...] = ORIGINS
    """The origins whose web pages may ask on Ollama's paths, and on all paths while there is no client key."""
    timeout: ServerTimeout = ServerTimeout()


class UpstreamTimeout(Struct, frozen=True, forbid_unknown_fields=True):
    """How long an upstream may take."""

    connect: Seconds = 5.0
    """To connect, TLS included."""
    first: Seconds | None = None
    """To begin its answer; when absent, 60 for a stream, and only `total` for a plain answer."""
    idle: Seconds = 60.0
    """Between two pieces of a stream."""
    total: Seconds = 600.0
    """For the whole answer, every attempt included."""


class Retry(Struct, frozen=True, forbid_unknown_fields=True):
    """How failures that may pass are met."""

    attempts: Count = 3
    """How often one call is tried at most; 1 means never again."""


class OpenAiUpstream(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="openai"):
    """A server that speaks OpenAI's dialect."""

    base_url: Url
    """Where its API begins, usually up to `/v1`; a known name has its own default."""
    key: Secret | UnsetType = UNSET
    """Its API key; a known name takes it from its environment variable. Absent: none is sent."""
    models: tuple[Served, ...] = ()
    """The models it serves; `["*"]` passes any name on, empty means those that its catalogue lists."""
    timeout: UpstreamTimeout = UpstreamTimeout()
    retry: Retry = Retry()
    endpoints: tuple[Endpoint, ...] = ("chat", "embeddings", "images", "videos", "audio", "moderations")
    """Which of OpenAI's endpoints it has."""
    refresh: Seconds = 300.0
    """How long its catalogue is believed before it is read again."""


class Speed(Struct, frozen=True, forbid_unknown_fields=True):
    """How fast the simulator answers."""

    first: Delay = 0.2
    """To its first token; 0 answers at once."""
    rate: Rate = 50.0
    """Tokens a second after the first."""


class SimUpstream(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sim"):
    """The simulator: models that cost nothing and need no network."""

    speed: Speed = Speed()
    seed: int = 0
    """The same seed gives the same answers."""


Upstream = OpenAiUpstream | SimUpstream


class Alias(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind a name; `name = "upstream/model"` and `name = ["a/x", "b/y"]` are short for the table."""

    targets: Annotated[tuple[Target, ...], Meta(min_length=1)]
    """The models behind the name, in the order in which they are tried; one call is tried three times at most."""
    strict: bool = False
    """Whether a call is refused of which part would be lost on its way, as `x-dragoman-strict: true` asks for one."""


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
    keys: dict[Name, ClientKey] = {}
    """The clients that may ask. None at all: anyone may, and the server listens on loopback only."""
    limits: Limits = Limits()
    store: Store = Store()


class Config(Document, frozen=True, forbid_unknown_fields=True):
    """A configuration that holds together: every secret read, every target known."""

    file: str | None = None
    """The file it came from; None when there was none."""
    warnings: list[str] = []
    """What works but should be otherwise, each as `path: reason`."""


def dump_config(config: Config) -> bytes:
    """Return `config` as JSON with every secret shown as `***`."""
    return msgspec.json.format(msgspec.json.encode(config, enc_hook=_hide))


def _hide(value: object) -> str:
    if isinstance(value, Secret):
        return repr(value)
    raise TypeError(f"cannot write {type(value).__name__}")
