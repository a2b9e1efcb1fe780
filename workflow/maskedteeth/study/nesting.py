"""Settings and records without their nesting, to be compared and listed."""

from typing import Any


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return values without nesting: keys `model.widths`. What is empty stays as it is."""
    rows: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            rows |= flat(value, f"{prefix}{key}.")
        else:
            rows[f"{prefix}{key}"] = value
    return rows
