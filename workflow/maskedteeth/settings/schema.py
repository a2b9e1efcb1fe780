"""The JSON schema of the settings, for editors, and the page for people."""

from pathlib import Path

from maskedteeth.files import write_json, write_text
from maskedteeth.settings.config import Settings
from maskedteeth.settings.reference import settings_page


def write_schema(*, schema: Path, docs: Path | None = None) -> None:
    """Write what is known of every setting, as a JSON schema for editors and a page for people.

    Args:
        schema: JSON to write, its JSON schema.
        docs: Markdown to write, where asked for: the same for people.
    """
    write_json(schema, Settings.model_json_schema())
    if docs is not None:
        write_text(docs, settings_page())
