"""Which radiographs a user means, and their grey values."""

from os.path import realpath  # unlike Path.resolve, also of links in a circle
from pathlib import Path

import numpy as np

from maskedteeth.data.dicom import decode_radiograph
from maskedteeth.data.folders import files_below
from maskedteeth.data.pixels import read_file
from maskedteeth.data.records import is_radiograph, name_of
from maskedteeth.errors import InputError

#: What the names of the pictures end with that are written here.
RESULTS = (".mask.png", ".overlay.png", ".numbers.png")


def find_radiographs(paths: list[Path], out: Path) -> dict[str, Path]:
    """Return the files that ``paths`` mean, without the results of an earlier call.

    Args:
        paths: files, whatever their name; and folders with their subfolders, of which images are
            taken, told by their suffix or by how they begin.
        out: folder of the results.

    Returns:
        Name → file. The name is the file's without suffix, and in a folder also the way to it.

    Raises:
        InputError: one of them is not there, two files have one name, there is no radiograph, one
            lies in ``out``, or ``out`` is a file.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out is {out}, which is a file; name a folder.")
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{path} does not exist; name a radiograph or a folder of them.")
        folder = path if path.is_dir() else path.parent
        files = filter(is_radiograph, files_below(path)) if path.is_dir() else [path]
        for file in files:
            name, target = name_of(file.relative_to(folder)), realpath(file)
            if out.resolve() not in Path(target).parents:
                if realpath(found.setdefault(name, file)) != target:
                    raise InputError(
                        f"{found[name]} and {file} have one name, and so would their results. Name "
                        "the folder that both are in, or rename one."
                    )
            elif not file.name.endswith(RESULTS):
                raise InputError(
                    f"{file} lies in --out ({out}), where it could be replaced; name a folder "
                    "without radiographs."
                )
    if not found:
        raise InputError(
            f"There is no radiograph in {', '.join(map(str, paths))}: no file is JPEG, PNG, "
            "TIFF, BMP or DICOM."
        )
    return found


def read_radiograph(radiograph: Path | str | np.ndarray) -> np.ndarray:
    """Read a radiograph of any size.

    Args:
        radiograph: a JPEG, PNG, TIFF, BMP or DICOM file, told by its content (the rules are those
            of :func:`maskedteeth.data.pixels.decode_grey` and
            :func:`maskedteeth.data.dicom.decode_dicom`); or grey values, uint8 (H, W), 0 = black.

    Returns:
        uint8 (H, W), grey values, upright.

    Raises:
        InputError: the file cannot be read.
        ValueError: the array is of another type or shape.
    """
    if not isinstance(radiograph, np.ndarray):
        return decode_radiograph(read_file(Path(radiograph)), Path(radiograph))
    if radiograph.dtype != np.uint8 or radiograph.ndim != 2 or not radiograph.size:
        raise ValueError(
            f"The radiograph is {radiograph.dtype} of shape {radiograph.shape}; expected are grey "
            "values, uint8 (H, W)."
        )
    return radiograph
