"""JSON files that annotation tools write, checked against what was expected."""

import json
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from maskedteeth.data.pixels import MOST_BYTES_OF_TEXT, read_file
from maskedteeth.errors import InputError

#: Corners further out are no pixels of it.
Coordinate = Annotated[float, Field(strict=True, ge=-(2**16), le=2**16)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]

Kind = TypeVar("Kind", bound=BaseModel)


def parsed(
    file: Path, kind: type[Kind], what: str, held: str, most_bytes: int = MOST_BYTES_OF_TEXT
) -> Kind:
    """Read a JSON file.

    Args:
        file: to read.
        kind: of its content.
        what: the file was to be, in words.
        held: what it was to hold.
        most_bytes: that it may have.

    Raises:
        InputError: it cannot be read, or is something else.
    """
    content = read_file(file, most_bytes)
    try:
        return TypeAdapter(kind).validate_json(content.decode(json.detect_encoding(content)))
    except UnicodeDecodeError:
        raise InputError(
            f"{file} is not {what}: it is not text in UTF-8, UTF-16 or UTF-32. Save it as UTF-8, "
            "or restore or remove it."
        ) from None
    except ValidationError as error:
        raise InputError(
            f"{file} is not {what} ({first_mistake(error)}); {held} were expected. Restore or "
            "remove it."
        ) from None


def decoded(content: bytes) -> str:
    """Return the text of a JSON file in UTF-8, UTF-16 or UTF-32, or of its beginning."""
    return content.decode(json.detect_encoding(content), errors="replace")


def first_mistake(error: ValidationError) -> str:
    """Say where the first mistake is, and what it is."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return "".join(f"{part}: " for part in first["loc"]) + first["msg"]
