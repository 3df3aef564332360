"""The configuration: one TOML file, the environment over it, every mistake told at once.

Only `app` and `cli` read it; what is below them gets values.
"""

from dragoman.config.check import ConfigErrors
from dragoman.config.keys import hash_key, make_key
from dragoman.config.load import load_config
from dragoman.config.schema import (
    Alias,
    ClientKey,
    Config,
    Limits,
    OpenAiUpstream,
    Retry,
    Secret,
    Server,
    ServerTimeout,
    SimUpstream,
    Speed,
    Upstream,
    UpstreamTimeout,
    dump_config,
)

__all__ = [
    "Alias",
    "ClientKey",
    "Config",
    "ConfigErrors",
    "Limits",
    "OpenAiUpstream",
    "Retry",
    "Secret",
    "Server",
    "ServerTimeout",
    "SimUpstream",
    "Speed",
    "Upstream",
    "UpstreamTimeout",
    "dump_config",
    "hash_key",
    "load_config",
    "make_key",
]
