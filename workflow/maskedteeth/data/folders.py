"""Which files of a user's folder are looked at."""

import os
from pathlib import Path, PurePath

from maskedteeth.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".tif", ".tiff", ".bmp")

#: Of pictures that cannot be read; they are listed as problems.
OTHER_SUFFIXES = (".gif", ".webp", ".jp2", ".heic")

#: Of files that are taken for DICOM unseen; many DICOM files are named by a number instead.
DICOM_SUFFIXES = (".dcm", ".dicom", ".dic")

#: Names of folders → the part of a split that is in them.
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("val", "valid", "validation"), "valid")


def has_suffix(file: PurePath) -> bool:
    """Tell whether a file's suffix is one of images."""
    return file.suffix.lower() in (*SUFFIXES, *DICOM_SUFFIXES)


def part_of(file: PurePath) -> str:
    """Return `train`, `valid`, `test` or "" by the folders on the way to a file."""
    return next((PARTS[word.lower()] for word in file.parts[:-1] if word.lower() in PARTS), "")


def files_below(folder: Path, *suffixes: str) -> list[Path]:
    """List the files in a folder and its subfolders, behind links, too, without hidden ones.

    A folder with the suffix of an image is listed like a file, so that somebody hears of it.

    Args:
        folder: to look into.
        suffixes: in small letters, of the files that are wanted; none: of any.

    Returns:
        In order.

    Raises:
        InputError: a folder cannot be read.
    """

    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise InputError(
            f"{error.filename} cannot be read ({error.strerror}); change its permissions."
        )

    for base, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        here = Path(base)
        inner = [here / name for name in folders if name[0] != "." and name != "__MACOSX"]
        found += [here / name for name in names if name[0] != "."]
        found += [each for each in inner if has_suffix(each)]
        loops = {each for each in inner if here.resolve().is_relative_to(each.resolve())}
        folders[:] = [each.name for each in inner if each not in loops and not has_suffix(each)]
    return sorted(file for file in found if not suffixes or file.suffix.lower() in suffixes)


def folders_named(root: Path, name: str) -> dict[str, Path]:
    """Return `root/NAME` or, where it is not there, all `root/PART/NAME`, by what names get before.

    Files of the first keep their names, those of the others are named `PART/FILE`. No PART is
    hidden.
    """
    if (root / name).is_dir():
        return {"": root / name}
    found = sorted(folder for folder in root.glob(f"[!.]*/{name}") if folder.is_dir())
    return {f"{folder.relative_to(root).parts[0]}/": folder for folder in found}
