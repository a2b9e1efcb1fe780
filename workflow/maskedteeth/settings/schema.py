"""The JSON schema of the settings, for editors and for the documentation."""

from pathlib import Path

from maskedteeth.files import write_json
from maskedteeth.settings.config import Settings


def write_schema(*, schema: Path) -> None:
    """Write the JSON schema of :class:`maskedteeth.settings.config.Settings` to ``schema``."""
    write_json(schema, Settings.model_json_schema())
