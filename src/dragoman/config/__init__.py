"""The configuration: one TOML file, the environment over it, every mistake told at once.

Only `app`, `connect` and the commands read it; what is below them gets values.
"""

from dragoman.config.check import ConfigErrors
from dragoman.config.load import load_config
from dragoman.config.schema import Config

__all__ = ["Config", "ConfigErrors", "load_config"]
