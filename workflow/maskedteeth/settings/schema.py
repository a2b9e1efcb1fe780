"""The settings as a JSON schema for editors, and as a page for people."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from maskedteeth.files import write_json, write_text
from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import PATTERNS

INTRODUCTION = """# Every setting

Written by `make schema` from `workflow/maskedteeth/settings/config.py`; do not edit it by hand.

*Paper* is the default: the paper's value, or what was decided where the paper is silent
(`decisions.md`). `config/paper.yaml` shows them in place; any other file given with
`--configfile` is merged over it. `<name>` stands for a name of your choice; an entry that is set
to null is left out.
"""

#: Words of JSON schema → how they are printed.
WORDS = {"integer": "whole number", "string": "text", "object": "mapping"}
LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "multiple of {}",
}


def write_schema(*, schema: Path, docs: Path | None = None) -> None:
    """Write what is known of every setting, as a JSON schema for editors and a page for people.

    Args:
        schema: JSON to write, its JSON schema.
        docs: Markdown to write, where asked for: the same for people.
    """
    write_json(schema, Settings.model_json_schema())
    if docs is not None:
        write_text(docs, "\n".join([INTRODUCTION, *_printed(Settings, "", {})]))


def _printed(kind: type[BaseModel], name: str, paper: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a group, whose dotted name ends with a dot, and of those inside it."""
    about = kind.__doc__.split("\n\n")[0].replace("\n   ", "")
    rows, inner = [], []
    for field, schema in kind.model_json_schema()["properties"].items():
        info = kind.model_fields[field]
        value = paper.get(field, ... if info.is_required() else info.default)
        types = [info.annotation, *get_args(info.annotation)]
        group = next((t for t in types if isinstance(t, type) and issubclass(t, BaseModel)), None)
        same = [f for f, i in Settings.model_fields.items() if name and i.annotation is group]
        where = f"of `{same[0]}`" if same else "below"
        if group and not same:
            named = "<name>." if get_origin(info.annotation) is dict else ""
            default = dict(value) if isinstance(value, BaseModel) else {}
            inner += _printed(group, f"{name}{field}.{named}", default)
        if "description" in schema and not isinstance(value, BaseModel):
            values = f"the settings {where}" if group else _values(schema)
            rows.append(f"| `{name}{field}` | {values} | {_default(value)} | {info.description} |")
    table = ["| setting | values | paper | meaning |", "|---|---|---|---|", *rows, ""]
    title = f"## `{name.rstrip('.')}`" if name else "## The study"
    yield from [title, "", about, "", *(table if rows else []), *inner]


def _values(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_values, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    limits = [text.format(schema[key]) for key, text in LIMITS.items() if key in schema]
    if "pattern" in schema:
        limits.append(f"of {PATTERNS[schema['pattern']]}")
    if schema["type"] == "array":
        return ", ".join([f"list of: {_values(schema['items'])}", *limits])
    return ", ".join([WORDS.get(schema["type"], schema["type"]), *limits])


def _default(value: Any) -> str:
    """Print what the paper's settings have, as YAML writes it."""
    if value is ...:
        return "to be given"
    return f"`{value if isinstance(value, str) else json.dumps(to_jsonable_python(value))}`"
