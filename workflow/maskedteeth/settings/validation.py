"""Mistakes in settings, as sentences."""

import difflib
import re
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from maskedteeth.errors import InputError
from maskedteeth.settings.config import (
    MEANING_PATTERN,
    NAME_PATTERN,
    STUDY_PATTERN,
    Data,
)

#: Characters of a value that a sentence shows.
LONGEST = 80

#: Types by the beginning of pydantic's names of mistakes → what must be.
TYPES = {
    "int": "a whole number",
    "float": "a number",
    "string": "text; put quotes around it",
    "tuple": "a list, such as [a, b]",
    "dict": "a mapping, such as {name: value}",
    "model": "a mapping, such as {name: value}",
}
#: Patterns of names → what they mean.
PATTERNS = {
    MEANING_PATTERN: "a number of one or two digits, or the word tooth or ignore",
    NAME_PATTERN: "lower-case letters, digits and _, beginning with a letter",
    STUDY_PATTERN: "letters, digits, _ and -, beginning with a letter or digit",
}


def validate(values: dict[str, Any], kind: type[BaseModel]) -> Any:
    """Check ``values`` against ``kind`` and return the typed settings.

    Raises:
        InputError: one sentence a mistake, each naming the setting by its path, what was found
            and what is allowed; for an unknown name the nearest known one.
    """
    try:
        return kind.model_validate(_with_nulls(values))
    except ValidationError as error:
        items = error.errors(include_url=False)
        # A list whose items are wrong is not too short besides.
        wrong = {item["loc"][:-1] for item in items}
        items = [i for i in items if i["type"] != "too_short" or i["loc"] not in wrong]
        sentences = [_sentence(kind, item) for item in items]
        raise InputError("\n".join(dict.fromkeys(sentences))) from None


def _with_nulls(values: Any) -> Any:
    """Read the text null as nothing: inside of a mapping, Snakemake's --config has nothing else."""
    if isinstance(values, dict):
        return {name: _with_nulls(value) for name, value in values.items()}
    if isinstance(values, list):
        return [*map(_with_nulls, values)]
    return None if values == "null" else values


def naming(setting: str, sentence: str) -> str:
    """Name in a sentence about a dataset the settings of that one: of `data`, or a further one."""
    return re.sub(rf"\bdata\.(?=({'|'.join(Data.model_fields)})\b)", f"{setting}.", sentence)


def _sentence(kind: type[BaseModel], item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"] if part != "[key]")
    problem, message = item["type"], item["msg"]
    if problem == "extra_forbidden":
        known = _names_at(kind, item["loc"][:-1])
        near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}."
        if ":" in str(item["loc"][-1]):
            hint = "put a space after the colon."
        return f"Setting {path} is unknown; {hint}"
    if problem == "missing":
        return f"Setting {path} is missing; add it."
    if problem == "value_error":
        message = message.removeprefix("Value error, ")
        return f"Setting {path}: {message}." if path else f"Setting {message}."
    where = f"Setting {path} is" if path else "Settings are"
    in_yaml = {"None": "null", "True": "true", "False": "false"}
    shown = re.sub(
        rf"\b({'|'.join(in_yaml)})\b", lambda word: in_yaml[word[0]], repr(item["input"])
    )
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    expected = _expected(problem, message, item.get("ctx", {}), item["input"])
    return f"{where} {shown}; {expected}."


def _expected(problem: str, message: str, limits: dict[str, Any], found: Any) -> str:
    """Return what must be: pydantic's own words where a person would choose them."""
    if problem == "string_pattern_mismatch":
        return f"it must consist of {PATTERNS[limits['pattern']]}"
    if kind := re.fullmatch("([a-z]+)_(type|parsing|parsing_size|from_float)", problem):
        return f"it must be {TYPES[kind[1]]}"
    if problem == "multiple_of" and isinstance(found, int):
        step = limits["multiple_of"]
        below = max(found // step, 1) * step
        return f"it must be a multiple of {step}, such as {below} or {below + step}"
    if limits.get("lt") == 1 and isinstance(found, int | float) and 1 < found < 100:
        return f"it must be less than 1: write {found / 100:g} for {found:g} %"
    message = re.sub(r"^(Input|String|Tuple) should", "it must", message)
    return re.sub(r" after validation, not \d+$", "", message)


def _names_at(kind: Any, location: tuple[Any, ...]) -> list[str]:
    for part in location:
        named = isinstance(kind, type) and issubclass(kind, BaseModel)
        kind = kind.model_fields[part].annotation if named else get_args(kind)[-1]
        if isinstance(kind, UnionType):  # X | None
            kind = get_args(kind)[0]
    return list(kind.model_fields)
