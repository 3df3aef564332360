"""The reference page and the JSON Schema, both made from the Structs.

`python -m dragoman.config.reference` prints `docs/configuration.md`, with `--schema` the schema for editors.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from typing import Annotated, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, Struct

from dragoman.config import schema, upstreams
from dragoman.config.check import Table, bare_type, is_struct, is_table
from dragoman.config.known import KNOWN, REGIONS, Known
from dragoman.config.schema import Document
from dragoman.config.upstreams import About, Remote
from dragoman.config.values import Secret, Size

Docs = dict[str, str]
"""The sentence below each field, by `Struct.field`."""

EXAMPLE = """\
[server]
host = "0.0.0.0"
timeout = { keep_alive = 120 }

[upstreams.poe]                                  # a known name needs no more than its key, here $POE_API_KEY

[upstreams.lab]                                  # any OpenAI-compatible server
kind = "openai"
base_url = "http://127.0.0.1:8000/v1"
key = "$file:/run/secrets/lab"
models = ["*"]                                   # any model name is passed on
endpoints = ["chat", "completions"]
timeout = { first = 300, total = 900 }

[models]
fast = ["poe/GPT-5-mini", "lab/small"]           # the second when the first fails
"gpt-4o" = "poe/GPT-4o"

[keys.app]
hash = "sha256:5f2fe6bcb3a5d9c5d1a1c2d7f0b1f7d7a0a1f6a0c7ed3d44a9e1d0c1a8d3b9e2"
models = ["fast", "lab/*"]

[keys.notebook]
key = "$NOTEBOOK_KEY"

[limits]
in_flight = 200
"""

_HEAD = f"""\
# Configuration

<!-- Made by `python -m dragoman.config.reference`; its sentences stand in src/dragoman/config. -->

Dragoman needs no configuration. Where there is one, it is one TOML file: the one that `-c FILE` names, else the one
that `$DRAGOMAN_CONFIG` names, else `dragoman.toml` in the working directory. An unknown key is refused, and all
mistakes are listed at once, each with its path. All durations are seconds, all sizes bytes.

## Example

```toml
{EXAMPLE}```
"""

_TAIL = """
## Known upstreams

These names need no `kind` and no `base_url`. While the file names no upstream, each whose key is in the environment is
there; when there is none, the simulator is there alone, as `sim`. An upstream that the file names takes from the same
variables what the file does not say.

{known}

`POE_API_KEY` makes two upstreams: `poe`, which asks each model in the best way, and `poe_bot`, which always asks in the
bot protocol. `OLLAMA_HOST` may be a host, `host:port` or a URL, as Ollama reads it, and `ANTHROPIC_BASE_URL` may leave
the `/v1` out. Clients read these variables too: one that names the address where this server listens moves nothing.

Qwen is asked at the address of its `region`, unless it has a `base_url`:

{regions}

What each kind can do, and how it is reached, is told in [upstreams.md](upstreams.md).

## Environment variables

| variable | meaning |
|---|---|
| `DRAGOMAN_CONFIG` | The configuration file, unless `-c` names one. |
| `DRAGOMAN_KEY` | A client key, the `key` of `[keys.env]`. |
| `DRAGOMAN__…` | Any key of the configuration, over what the file says. |

`DRAGOMAN__SERVER__PORT=9000` sets `server.port`: two underscores separate the names, and their case does not matter.
The value is read as TOML, so that `DRAGOMAN__UPSTREAMS__LAB__MODELS='["*"]'` sets a list; what is not TOML is a text.

The variables that other programs were configured with are understood too, see [coming-from](coming-from/README.md).

## Short names

`[names]` with `presets = ["short_names"]` makes `claude`, `gpt`, `gemini`, `grok`, `llama`, `qwen`, `deepseek`, `kimi`
and `mistral` stand for the strongest model of each family that the upstreams list. Names of your own, and names that an
upstream lists itself, count more. `dragoman check` shows the candidates of each name, `dragoman models` the one that it
stands for now, and `x-dragoman-model` the one that answered.

## Secrets

A secret is `"$NAME"`, the value of an environment variable, or `"$file:/absolute/path"`, the content of a file without
the white space around it. The key itself may stand there too, but it is warned about. No message, log line or dump
shows a secret.

A server without any client key listens on loopback addresses only.
"""


def write_page() -> str:
    """Return `docs/configuration.md`."""
    docs = _read_docs()
    known = [
        [
            f"`{name}`",
            f"`{known.key_variable}`{', if any' if known.host else ''}",
            f"`{known.url_variable}`",
            known.base_url,
        ]
        for name, known in KNOWN.items()
        if known.variable
    ]
    regions = _write_table(["region", "base URL"], [[f"`{region}`", url] for region, url in REGIONS.items()])
    tail = _TAIL.format(
        known=_write_table(["name", "key", "base URL", "default base URL"], known),
        regions=regions,
    )
    sections = (_write_section(field.name, field.type, docs) for field in msgspec.structs.fields(Document))
    return "".join([_HEAD, *sections, tail])


def json_schema() -> Table:
    """Return the JSON Schema of the file, for editors; it knows the short forms and the known names."""
    root: Table = msgspec.json.schema(Document, schema_hook=lambda _: {"type": "string"})
    structs = _inner(root, "$defs")
    for path, sentence in _read_docs().items():
        struct, _, field = path.partition(".")
        if struct in structs and field in _inner(structs, struct, "properties"):
            _inner(structs, struct, "properties", field)["description"] = sentence
    upstreams = _inner(structs, "Document", "properties", "upstreams")
    upstreams["properties"] = {name: _known_schema(known, upstreams, structs) for name, known in KNOWN.items()}
    targets = _inner(structs, "Alias", "properties", "targets")
    models = _inner(structs, "Document", "properties", "models")
    models["additionalProperties"] = {"anyOf": [targets["items"], targets, {"$ref": "#/$defs/Alias"}]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}


def main() -> None:
    """Print the page, or with `--schema` the JSON Schema."""
    wanted = "--schema" in sys.argv[1:]
    sys.stdout.write(
        msgspec.json.format(msgspec.json.encode(json_schema())).decode() + "\n" if wanted else write_page()
    )


def _known_schema(known: Known, upstreams: Table, structs: Table) -> Table:
    """Return the schema of an upstream with a known name: what the name implies may be left out."""
    kinds = _inner(upstreams, "additionalProperties", "discriminator", "mapping")
    struct = str(kinds[known.kind]).rpartition("/")[2]
    structs[f"Known{struct}"] = {**_inner(structs, struct), "required": []}
    others = [{"$ref": kinds[kind]} for kind in kinds if kind != known.kind]
    return {"anyOf": [{"$ref": f"#/$defs/Known{struct}"}, *others]}


def _read_docs() -> Docs:
    """Return what stands below the fields; Python itself keeps no such strings."""
    docs: Docs = {}
    for struct in [node for module in (upstreams, schema) for node in ast.parse(inspect.getsource(module)).body]:
        if not isinstance(struct, ast.ClassDef):
            continue
        for field, below in zip(struct.body, struct.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(sentence))):
                    docs[f"{struct.name}.{name}"] = sentence
                case _:
                    pass
    return docs


def _write_section(name: str, kind: object, docs: Docs) -> str:
    """Return the section of the top-level table `name`."""
    if is_struct(kind):
        return f"\n## `[{name}]`\n" + _write_struct(kind, docs)
    kind = bare_type(get_args(kind)[1])
    text = f"\n## `[{name}.NAME]`\n\n{docs[f'Document.{name}']}\n"
    if is_struct(kind):
        return text + _write_struct(kind, docs)
    arms = [arm for arm in get_args(kind) if is_struct(arm)]
    text += f"\n### All kinds but `sim`\n{_write_struct(Remote, docs)}"
    text += f"\n### `[{name}.NAME.about.MODEL]`\n{_write_struct(About, docs)}"
    return text + "".join(f'\n### `kind = "{arm.__struct_config__.tag}"`\n{_write_struct(arm, docs)}' for arm in arms)


def _write_struct(kind: type[Struct], docs: Docs) -> str:
    rows = list(_rows(kind, docs))
    table = _write_table(["key", "type", "default", "meaning"], rows)
    return f"\n{inspect.getdoc(kind)}\n" + (f"\n{table}\n" if rows else "")


def _rows(kind: type[Struct], docs: Docs, prefix: str = "") -> Iterator[list[str]]:
    """Yield the keys of a table, but those that all upstreams have in common and are told of once."""
    for field in msgspec.structs.fields(kind):
        if kind is not Remote and issubclass(kind, Remote) and field.name in Remote.__struct_fields__:
            continue
        inner = bare_type(field.type)
        if is_struct(inner):
            yield from _rows(inner, docs, f"{prefix}{field.name}.")
        else:
            default = "required" if field.required else _write_default(inner, field.default)
            yield [f"`{prefix}{field.name}`", _write_type(inner), default, _find_doc(kind, field.name, docs)]


def _find_doc(kind: type[Struct], name: str, docs: Docs) -> str:
    """Return the sentence below a field, which may stand where the Struct has it from."""
    return next(docs[f"{each.__name__}.{name}"] for each in kind.__mro__ if f"{each.__name__}.{name}" in docs)


def _write_type(kind: object) -> str:
    described = next((meta.description for meta in get_args(kind) if isinstance(meta, Meta)), None)
    if get_origin(kind) is Annotated and described:
        return described
    if get_origin(kind) is Annotated:
        return _write_type(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return f"list: {_write_type(get_args(kind)[0])}"
    if get_origin(kind) is Literal:
        return " or ".join(f'`"{choice}"`' for choice in get_args(kind))
    if get_origin(kind) is dict:
        return "table"
    if kind is bool:
        return "true or false"
    return "secret" if kind is Secret else "whole number"


def _write_default(kind: object, default: object) -> str:
    if default in (None, UNSET, NODEFAULT, "", ()):  # tables have no default but a factory
        return "none"
    if kind == Size and isinstance(default, int):
        return f"{default >> 20} MiB" if default >= 1 << 20 else f"{default >> 10} KiB"
    if isinstance(default, float):
        return f"{default:.12g}"
    return f"`{msgspec.json.encode(default).decode()}`" if isinstance(default, str | tuple | bool) else str(default)


def _write_table(head: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    lines = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _inner(table: Table, *steps: str) -> Table:
    """Return the table at `steps`, which is there."""
    for step in steps:
        inner = table.get(step)
        assert is_table(inner), step
        table = inner
    return table


if __name__ == "__main__":
    main()
