"""The commands. What a command needs is imported when it runs, so that `dragoman serve` starts at once."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dragoman import __version__
from dragoman.config.check import ConfigErrors, write_path
from dragoman.config.load import load_config

if TYPE_CHECKING:
    from dragoman.config.schema import Config

_config_option = click.option(
    "-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file (default: ./dragoman.toml)."
)
_PORT = click.IntRange(0, 65535)
_DIALECTS = ("openai_chat", "openai_responses", "anthropic", "ollama")
"""What `conform` tests."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """One server, every LLM dialect in, any upstream out, nothing lost in translation."""


@main.command()
@_config_option
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=_PORT, help="Port to listen on; 0 takes any free one.")
def serve(file: Path | None, host: str | None, port: int | None) -> None:
    """Serve until told to stop."""
    from dragoman.start import serve_gateway

    given = {"server.host": host, "server.port": port}
    config = _load(file, {path: value for path, value in given.items() if value is not None})
    for line in (*config.recognised, *(f"warning: {warning}" for warning in config.warnings)):
        click.echo(line, err=True)
    _listen(config.server.host, lambda: serve_gateway(config))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8585, show_default=True, help="Port to listen on; 0 takes any free one.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same answers.")
@click.option("--first", type=click.FloatRange(0), default=0.2, show_default=True, help="Seconds to the first token.")
@click.option(
    "--rate", type=click.FloatRange(0), default=50.0, show_default=True, help="Tokens a second; 0: all at once."
)
@click.option("--instant", is_flag=True, help="Answer everything at once.")
def simulate(host: str, port: int, seed: int, first: float, rate: float, *, instant: bool) -> None:
    """Serve the simulator alone: an upstream for tests, with models that misbehave on purpose."""
    from dragoman.start import serve_simulator

    first, rate = (0.0, 0.0) if instant else (first, rate)
    _listen(host, lambda: serve_simulator(host, port, seed, first, rate))


@main.command()
@_config_option
def check(file: Path | None) -> None:
    """List every mistake of a configuration with its path, or explain what it means."""
    from dragoman.explain import show_config

    show_config(_load(file, {}))


@main.command()
@_config_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def models(file: Path | None, *, as_json: bool) -> None:
    """List the models that can be asked for and what is known of them, asking the upstreams for theirs."""
    from dragoman.explain import show_models

    sys.exit(show_models(_load(file, {}), as_json=as_json))


@main.command()
@_config_option
@click.argument("name")
@click.option(
    "--queries", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Look at the last so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def upstream(file: Path | None, name: str, queries: int, *, as_json: bool) -> None:
    """Show what is left of the account at an upstream, and what was spent on what (Poe tells it)."""
    from dragoman.balance import show_accounts

    try:
        sys.exit(show_accounts(_load(file, {}), name, queries, as_json=as_json))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None


@main.command("conform")
@click.argument("url")
@click.option("--dialect", "dialects", type=click.Choice(_DIALECTS), multiple=True, help="Test this one; repeatable.")
@click.option("--model", default="", help="Model to ask (default: the first that the server lists).")
@click.option("--thinking-model", "thinking", default="", help="A model that thinks.")
@click.option("--embedding-model", "embedding", default="", help="A model that embeds.")
@click.option("--breaking-model", "breaking", default="", help="A model whose streams break off with an error.")
@click.option("--key", default="", envvar="DRAGOMAN_KEY", help="Client key (default: $DRAGOMAN_KEY).")
@click.option("--timeout", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds of patience.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def conform_server(
    url: str, dialects: Sequence[str], key: str, timeout: float, *, as_json: bool, **models: str
) -> None:
    """Test any model server, dialect by dialect, over the raw wire and through the official SDKs."""
    import msgspec

    from dragoman.testing.conform.run import conform
    from dragoman.testing.conform.scenarios import Subject
    from dragoman.testing.conform.server import open_server
    from dragoman.testing.conform.show import print_report
    from dragoman.testing.conform.verdict import Mismatch

    try:
        report = conform(open_server(url, key, timeout), msgspec.convert(models, Subject), dialects or _DIALECTS)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="URL") from None
    except Mismatch as mismatch:
        click.echo(f"error: {mismatch}", err=True)
        sys.exit(1)
    print_report(report, as_json=as_json)
    sys.exit(1 if report.failures else 0)


@main.group()
def key() -> None:
    """Client keys."""


@key.command("new")
@click.argument("name", default="app")
def new_key(name: str) -> None:
    """Make a client key: shown once, and the lines for the configuration that know it by its hash."""
    from dragoman.config.keys import hash_key, make_key

    if not re.fullmatch(r"[0-9A-Za-z_.-]{1,64}", name):
        raise click.BadParameter("expected 1 to 64 letters, digits, _ . -", param_hint="NAME")
    made, table = make_key(), write_path(("keys", name))
    click.echo(f'key, for the client:\n  {made}\n\nfor dragoman.toml:\n  [{table}]\n  hash = "{hash_key(made)}"')


def _load(file: Path | None, settings: dict[str, object]) -> Config:
    """Read the configuration; its mistakes, all of them, end the command with status 2."""
    from dragoman.connect import JUDGES

    try:
        return load_config(file, settings=settings, judges=JUDGES)
    except ConfigErrors as errors:
        for error in errors.errors:
            click.echo(f"error: {error}", err=True)
        sys.exit(2)


def _listen(host: str, serve: Callable[[], None]) -> None:
    """Serve; an address that cannot be had ends the command with status 1."""
    try:
        serve()
    except OSError as error:
        click.echo(f"error: cannot listen on {host}: {error.strerror or error}", err=True)
        sys.exit(1)
