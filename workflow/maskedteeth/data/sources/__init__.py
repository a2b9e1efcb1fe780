"""Where radiographs come from: a module a format, each with the same two functions.

``find_records(root, layout)`` lists the radiographs below a folder with their annotations' files,
and what cannot be used. ``read_annotation(record, height, width)`` reads one annotation.
"""

from pathlib import Path
from types import ModuleType

from maskedteeth.data.records import Problem, Record
from maskedteeth.data.sources import folder, hitl
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

#: By the names of data.source. The phantom is drawn in the layout of the paper's dataset.
SOURCES: dict[str, ModuleType] = {"folder": folder, "hitl": hitl, "phantom": hitl}


def find_records(layout: Layout, raw: Path) -> tuple[list[Record], list[Problem]]:
    """List the dataset at ``raw``.

    Raises:
        InputError: a folder is missing, cannot be read, or holds no radiograph.
    """
    if not raw.is_dir():
        raise InputError(f"data.path {raw} is not a folder; name the folder of the dataset.")
    try:
        return SOURCES[layout.source].find_records(raw, layout)
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be listed ({error.strerror}); mend its permissions."
        ) from None
