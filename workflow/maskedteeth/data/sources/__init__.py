"""Where radiographs come from: a module a format, each with the same function.

``find_records(root, layout)`` lists the radiographs below a folder with what is annotated on them,
and what cannot be used: :class:`maskedteeth.data.records.Found`.
"""


def module_of_source(source: str) -> str:
    """Name the module that reads a source, so that fingerprints follow just that one.

    The phantom is drawn in the layout of the paper's dataset.
    """
    return f"{__name__}.{'hitl' if source == 'phantom' else source}"
