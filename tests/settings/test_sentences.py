"""Every setting there is, with every kind of mistake: the settings' types are walked through."""

import copy
import re
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from test_config import paper

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import validate

#: What nobody but a programmer would write.
JARGON = re.compile(
    r"\b(input|string|tuple|dict|dictionary|instance|valid|validation|parse|pydantic|None|True|int"
    r"|float|greater than)\b"
)
CONTENT = paper()
CONTENT["data"]["phantom"] = {}
CONTENT["methods"]["unet"]["short_label"] = "U"


def bare(kind):
    """Return a type without its metadata and without None, and its metadata."""
    metadata = []
    while True:
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            metadata += more
            continue
        options = [part for part in get_args(kind) if part is not NoneType]
        if get_origin(kind) in (Union, UnionType) and len(options) == 1:
            kind = options[0]
            continue
        return kind, metadata


def takes_null(kind):
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def limits(metadata):
    """Return the limits in a field's metadata: {"ge": 1}."""
    found = {}
    for item in metadata:
        for part in getattr(item, "metadata", [item]):
            names = ("ge", "gt", "le", "lt", "min_length", "max_length")
            found |= {n: getattr(part, n) for n in names if getattr(part, n, None) is not None}
    return found


def walk(kind: type[BaseModel], path: tuple = ()):
    """Yield the path, annotation and metadata of every setting, and every section itself."""
    yield path, kind, []
    for name, field in kind.model_fields.items():
        inner, metadata = bare(field.annotation)
        where = (*path, name)
        if get_origin(inner) is dict and issubclass(bare(get_args(inner)[1])[0], BaseModel):
            entry = "random_block_masking" if name == "pretext" else "unet"
            yield from walk(bare(get_args(inner)[1])[0], (*where, entry))
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from walk(inner, where)
        else:
            yield where, field.annotation, [*field.metadata, *metadata]


def mistakes():
    for path, annotation, metadata in walk(Settings):
        kind, _ = bare(annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            name = next(iter(kind.model_fields))
            yield (*path, f"{name}x"), 1, f"did you mean {name!r}?"
            if path:
                yield path, [1], "it must be a mapping"
            continue
        known = limits(metadata)
        yield path, 3 if get_origin(kind) is dict else {"a": 1}, "it must be"
        if get_origin(kind) is not dict:
            yield path, True, "it must"
        if not takes_null(annotation):
            yield path, None, "it must be"
        if kind in (int, float):
            yield path, "many", "it must be a"
            yield path, float("inf"), "it must be a"
            if "ge" in known or "gt" in known:
                yield path, known.get("ge", known.get("gt")) - 1, "it must be"
            if "gt" in known:
                yield path, known["gt"], "it must be above"
            if "le" in known or "lt" in known:
                yield path, known.get("le", known.get("lt")) + 1, "it must be"
        if kind is str:
            yield path, 3, "it must be text"
        if get_origin(kind) is Literal:
            yield path, get_args(kind)[0] + "x", f"did you mean {get_args(kind)[0]!r}?"
        if get_origin(kind) is tuple:
            yield path, 5, "it must be a list"
            yield path, [{}], "it must be"
            if takes_null(annotation) is False:
                yield path, [], "or more entries"


def put(path, value):
    content = copy.deepcopy(CONTENT)
    section = content
    for name in path[:-1]:
        section = section.setdefault(name, {})
        assert isinstance(section, dict)
    section[path[-1]] = value
    return content


MISTAKES = list(mistakes())


def test_the_walk_sees_every_setting():
    paths = {".".join(path) for path, *_ in MISTAKES}
    assert {"study", "seeds", "data.phantom.error_rate", "methods.unet.model.options"} <= paths
    assert {"pretext.random_block_masking.blocks.area", "compute.checkpoint_minutes"} <= paths
    assert validate(put(("study",), "x"), Settings).study == "x"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    MISTAKES,
    ids=[f"{'.'.join(path)}={value!r}" for path, value, _ in MISTAKES],
)
def test_a_mistake_is_one_plain_sentence_with_the_path(path, value, expected):
    with pytest.raises(InputError) as error:
        validate(put(path, value), Settings)
    sentence = str(error.value)
    assert re.match(rf"Setting {re.escape('.'.join(path))}(\.\d+)? is ", sentence), sentence
    assert "\n" not in sentence and sentence.endswith((".", "?")), sentence
    assert expected in sentence, sentence
    shown = repr(value) if isinstance(value, str) else ""
    assert not JARGON.search(sentence.replace(shown, "").replace(".".join(path), "")), sentence
