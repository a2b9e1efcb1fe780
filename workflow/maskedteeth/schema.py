"""The JSON schema of the settings, for editors and for the documentation."""

from pathlib import Path

from maskedteeth.config import Settings
from maskedteeth.files import write_json


def write_schema(*, schema: Path) -> None:
    """Write the JSON schema of :class:`maskedteeth.config.Settings` to ``schema``."""
    write_json(schema, Settings.model_json_schema())
