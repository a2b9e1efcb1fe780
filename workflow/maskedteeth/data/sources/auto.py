"""A folder whose format is told by what is in it."""

from pathlib import Path

from maskedteeth.data.folders import files_below, folders_named
from maskedteeth.data.records import Found
from maskedteeth.data.sources import coco, folder, hitl, labelme, supervisely, yolo
from maskedteeth.errors import InputError
from maskedteeth.settings.sections import Layout

MODULES = {
    "folder": folder,
    "supervisely": supervisely,
    "coco": coco,
    "labelme": labelme,
    "yolo": yolo,
}

#: JSON files of a folder that are looked into.
LOOKED_AT = 20


def find_records(root: Path, layout: Layout) -> Found:
    """Recognise the format, say which it is, and list the radiographs.

    Raises:
        InputError: several formats fit, or it is the paper's dataset, which tables have to name.
    """
    if any(root.rglob(hitl.DATASET)) or root.name == hitl.DATASET:
        raise InputError(
            f"{root} is the paper's dataset; set data.source to 'hitl', so that tables say so."
        )
    found = formats_of(root, layout)
    if len(found) > 1:
        raise InputError(
            f"{root} may be read as {' or '.join(found)}; say in data.source which it is."
        )
    if not found and not folders_named(root, layout.images):
        raise InputError(
            f"{root} holds neither a folder {layout.images!r} nor annotations of COCO, LabelMe, "
            "YOLO or Supervisely; docs/input.md says what is read."
        )
    source = found[0] if found else "folder"
    print(f"{root} is read as {source} (data.source)")
    return MODULES[source].find_records(root, layout)


def formats_of(root: Path, layout: Layout) -> list[str]:
    """Return the formats whose annotations are in a folder."""
    some = files_below(root, ".json")[:LOOKED_AT]
    signs = {
        "folder": bool(folders_named(root, layout.masks)),
        "supervisely": bool(supervisely.datasets(root)),
        "coco": any(map(coco.is_coco, some)),
        "labelme": any(map(labelme.is_labelme, some)),
        "yolo": bool(yolo.label_files(root)),
    }
    return [name for name, there in signs.items() if there]
