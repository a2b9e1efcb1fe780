"""Every setting as a page for people, from the same source as the JSON schema."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import PATTERNS

INTRODUCTION = """# Every setting

Written by `make schema` from `workflow/maskedteeth/settings/config.py`; do not edit it by hand.

*Paper* is the default, which is the paper's value or what was decided where the paper is silent
(`decisions.md`). `config/paper.yaml` has them in place, and any other file, given with
`--configfile`, is merged over it. `<name>` stands for names of your own; an entry that is set to
null is left out.
"""
HEADER = "| setting | values | paper | meaning |\n|---|---|---|---|"

#: Types of JSON schema → words.
WORDS = {"integer": "whole number", "number": "number", "string": "text", "object": "mapping"}
WORDS |= {"null": "null"}
#: Limits of JSON schema → how they are printed.
LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "multiple of {}",
    "minItems": "{} or more of them",
    "maxLength": "at most {} characters",
}

Schema = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A group of settings: its dotted name, its schema and the default of the whole group."""

    name: str
    schema: Schema
    default: Any = None


def settings_page() -> str:
    """Return the page, Markdown: a section a group of settings, a line a setting."""
    schema = Settings.model_json_schema()
    sections = _sections(Section("", schema), schema["$defs"])
    return "\n".join([INTRODUCTION, *(_printed(section, schema["$defs"]) for section in sections)])


def _sections(section: Section, definitions: Schema) -> Iterator[Section]:
    """Yield a group and those inside it, each after the one that it belongs to."""
    yield section
    for name, field in section.schema["properties"].items():
        kind = _group(field)
        if kind:
            dotted = f"{section.name}.{name}".lstrip(".") + (".<name>" if _named(field) else "")
            yield from _sections(
                Section(dotted, definitions[kind], field.get("default")), definitions
            )


def _group(field: Schema) -> str | None:
    """Name the group that a field is or, by a name of the user's, holds; None for a value."""
    inner = [field, *field.get("anyOf", []), *field.get("patternProperties", {}).values()]
    return next((i["$ref"].rpartition("/")[2] for i in inner if "$ref" in i), None)


def _named(field: Schema) -> bool:
    return "patternProperties" in field


def _printed(section: Section, definitions: Schema) -> str:
    rows = []
    for name, field in section.schema["properties"].items():
        dotted = f"{section.name}.{name}".lstrip(".")
        if _group(field) and "description" not in field:
            continue  # a section of its own says it all
        rows.append(
            f"| `{dotted}` | {_values(field)} | {_default(section, name, field)} "
            f"| {field.get('description', '')} |"
        )
    title = f"## `{section.name}`" if section.name else "## The study"
    about = section.schema["description"].split("\n\n")[0].replace("\n", " ")
    return "\n".join([title, "", about, "", *([HEADER, *rows, ""] if rows else [])])


def _values(field: Schema) -> str:
    """Say which values a setting takes."""
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        return " or ".join(_values(option) for option in field["anyOf"])
    if group := _group(field):
        return "entries by name" if _named(field) else f"see `{group.lower()}`"
    limits = [text.format(field[key]) for key, text in LIMITS.items() if key in field]
    if "pattern" in field:
        limits.append(PATTERNS[field["pattern"]].removeprefix("it must consist of "))
    if field["type"] == "array":
        return ", ".join([f"list of: {_values(field['items'])}", *limits])
    return ", ".join([WORDS[field["type"]], *limits])


def _default(section: Section, name: str, field: Schema) -> str:
    """Print what the paper's settings have, as YAML writes it."""
    whole = section.default if isinstance(section.default, dict) else {}
    if name not in whole and "default" not in field:
        return "to be given"
    value = whole.get(name, field.get("default"))
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
