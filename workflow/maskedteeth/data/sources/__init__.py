"""Where radiographs come from: a module a format, each with the same two functions.

``find_records(root, layout)`` lists the radiographs below a folder with their annotations' files,
and what cannot be used. ``read_annotation(record, height, width)`` reads one annotation.
"""

from types import ModuleType

from maskedteeth.data.sources import folder, hitl

#: By the names of data.source. The phantom is drawn in the layout of the paper's dataset.
SOURCES: dict[str, ModuleType] = {"folder": folder, "hitl": hitl, "phantom": hitl}
