"""Mistakes in settings, as sentences."""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from maskedteeth.errors import InputError


def validate(values: dict[str, Any], kind: type[BaseModel]) -> Any:
    """Check ``values`` against ``kind`` and return the typed settings.

    Raises:
        InputError: one sentence a mistake, each naming the setting by its path, what was found
            and what is allowed; for an unknown name the nearest known one.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        sentences = [_sentence(kind, item) for item in error.errors(include_url=False)]
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
    return f"{where} {found!r}; {message[0].lower()}{message[1:]}."


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
