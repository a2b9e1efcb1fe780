"""Mistakes in settings, as sentences."""

import difflib
import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from maskedteeth.errors import InputError
from maskedteeth.settings.strict import NAME_PATTERN, STUDY_PATTERN

#: Characters of a value that a sentence shows.
LONGEST = 80


def validate(values: dict[str, Any], kind: type[BaseModel]) -> Any:
    """Check ``values`` against ``kind`` and return the typed settings.

    Raises:
        InputError: one sentence a mistake, each naming the setting by its path, what was found
            and what is allowed; for an unknown name the nearest known one.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        items = error.errors(include_url=False)
        # A list whose items are wrong is not too short besides.
        wrong = {item["loc"][:-1] for item in items}
        items = [i for i in items if i["type"] != "too_short" or i["loc"] not in wrong]
        sentences = [_sentence(kind, item) for item in items]
        raise InputError("\n".join(dict.fromkeys(sentences))) from None


def _sentence(kind: type[BaseModel], item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"] if part != "[key]")
    found, problem, message = item["input"], item["type"], item["msg"]
    if problem == "extra_forbidden":
        known = list(_fields_at(kind, item["loc"][:-1]))
        near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}."
        return f"Setting {path} is unknown; {hint}"
    if problem == "missing":
        return f"Setting {path} is missing; add it."
    if problem == "value_error":
        message = message.removeprefix("Value error, ")
        return f"Setting {path}: {message}." if path else f"Setting {message}."
    where = f"Setting {path} is" if path else "Settings are"
    return f"{where} {_shown(found)}; {_expected(problem, item.get('ctx', {}), found, message)}."


#: Kind of mistake, as pydantic names it → what must be, with the limits that pydantic tells.
EXPECTED = {
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_parsing_size": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_type": "it must be a number",
    "float_parsing": "it must be a number",
    "finite_number": "it must be a finite number",
    "boolean": "it must be a number or text (YAML takes yes, no, on and off for true and false "
    "unless they are quoted)",
    "string_type": "it must be text; put quotes around it",
    "string_too_short": "it must not be empty",
    "string_too_long": "it must have at most {max_length} characters",
    "tuple_type": "it must be a list, such as [a, b]",
    "too_short": "it must have {min_length} or more entries",
    "dict_type": "it must be a mapping, such as {{name: value}}",
    "model_type": "it must be a mapping, such as {{name: value}}",
    "greater_than": "it must be above {gt:g}",
    "greater_than_equal": "it must be {ge} or more",
    "less_than": "it must be below {lt:g}",
    "less_than_equal": "it must be {le} or less",
    "multiple_of": "it must be a multiple of {multiple_of}",
    "literal_error": "it must be {expected}",
}
#: Patterns of names → what they mean.
PATTERNS = {
    NAME_PATTERN: "it must consist of small letters, digits and _, and begin with a letter",
    STUDY_PATTERN: "it must consist of letters, digits, _ and -, and begin with a letter or digit",
}


def _expected(problem: str, limits: dict[str, Any], found: Any, message: str) -> str:
    if problem == "string_pattern_mismatch":
        return PATTERNS[limits["pattern"]]
    if problem not in EXPECTED:
        return f"{message[0].lower()}{message[1:]}"
    sentence = EXPECTED[problem].format(**limits)
    if problem == "literal_error":
        known = re.findall(r"'([^']*)'", limits["expected"])
        near = difflib.get_close_matches(str(found), known, n=1)
        sentence += f" (did you mean {near[0]!r}?)" if near else ""
    return sentence


def _shown(value: Any) -> str:
    """Print a value as YAML writes it, and a long one by its beginning."""
    text = {None: "null", True: "true", False: "false"}.get(value) if _is_constant(value) else None
    text = repr(value) if text is None else text
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _is_constant(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _fields_at(kind: Any, location: tuple[Any, ...]) -> list[str]:
    """Return the names of the settings at ``location`` inside ``kind``."""
    for part in location:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[part].annotation
        else:  # dict[Name, X] or tuple[X, ...]: one step into X
            kind = get_args(kind)[-1]
        options = [a for a in get_args(kind) if isinstance(a, type) and issubclass(a, BaseModel)]
        if options and type(None) in get_args(kind):  # X | None
            kind = options[0]
    return list(kind.model_fields)
