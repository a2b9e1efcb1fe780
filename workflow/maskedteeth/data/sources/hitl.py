"""The paper's dataset [11]: Humans in the Loop (2023), a project of Supervisely.

It holds every radiograph twice, beside JSON annotations and beside drawn masks; the JSON half is
read, where each tooth is a polygon of its own.
"""

from dataclasses import replace
from pathlib import Path

from maskedteeth.data.records import Found
from maskedteeth.data.sources.supervisely import of_dataset
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

#: The folder that is read, of those in the publisher's zip.
DATASET = "Teeth Segmentation JSON"


def find_records(root: Path, layout: Layout) -> Found:
    """List the radiographs of the dataset at ``root``, each with its annotated objects.

    ``root`` is the folder `Teeth Segmentation JSON`, or one that holds it, however deep. Where
    numbers of teeth leave it open they are Universal.

    Raises:
        InputError: the dataset's layout is not there, or holds no radiograph.
    """
    nearest = sorted(root.rglob(DATASET), key=lambda folder: len(folder.parts))  # to root
    bases = (folder / "d2" for folder in (root, *nearest))
    base = next((b for b in bases if (b / "img").is_dir() and (b / "ann").is_dir()), None)
    if base is None:
        raise InputError(
            f"{root} does not hold the dataset: '{DATASET}/d2/img' and '.../d2/ann' were expected. "
            "Unpack it again, or name its folder in data.path. For another Supervisely project, "
            "set data.source to 'supervisely'."
        )
    return replace(of_dataset(base), numbering="universal")
