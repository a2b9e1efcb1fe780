"""Which radiographs a user means, and their grey values."""

import glob
import itertools
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.data.pixels import decode_grey, read_file
from maskedteeth.data.prepare import resized_radiograph
from maskedteeth.data.records import SUFFIXES
from maskedteeth.errors import InputError, say
from maskedteeth.use.dicom import PREAMBLE, PREFIX, decode_dicom, is_dicom

#: What the names of the pictures end with that are written here.
RESULTS = (".mask.png", ".overlay.png", ".reconstruction.png")

#: Of files that are taken for radiographs unseen; many DICOM files are named by a number instead.
KNOWN_SUFFIXES = (*SUFFIXES, ".dcm", ".dicom", ".dic")


def find_radiographs(paths: list[Path], out: Path) -> list[Path]:
    """Return the files that ``paths`` mean, each once, in their order.

    Args:
        paths: files, whatever their name; folders, of which images are taken by their suffix and
            DICOM files by that or their content, without their subfolders; and patterns with
            ``*``, ``?``, ``[…]`` and ``**``, of which results of an earlier call in ``out`` are
            left out, with a sentence.
        out: where results go.

    Raises:
        InputError: one of them is not there, a folder or pattern holds none, or ``out`` is one of
            the folders.
    """
    found: list[Path] = []
    for path in itertools.chain.from_iterable(_expanded(path, out) for path in paths):
        if path.is_dir():
            if path.resolve() == out.resolve():
                raise InputError(
                    f"--out is {out}, the folder of the radiographs; name another one, so that "
                    "masks are not taken for radiographs."
                )
            files = sorted(file for file in path.iterdir() if _is_radiograph(file))
            if not files:
                raise InputError(
                    f"{path} holds no radiograph: no file in it is {', '.join(SUFFIXES)} or "
                    "DICOM. Subfolders are not searched; a pattern such as "
                    f"'{path}/**/*.png' does."
                )
            found += files
        else:
            found.append(path)
    once: dict[Path, Path] = {}
    for file in found:
        once.setdefault(file.absolute(), file)
    return list(once.values())


def _expanded(path: Path, out: Path) -> list[Path]:
    if path.exists() or path.is_symlink():
        return [path]
    # Not Path.glob, which takes no absolute patterns.
    matches = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207
    if not matches:
        pattern = glob.has_magic(str(path))
        raise InputError(
            f"Nothing is like {path}; check the pattern."
            if pattern
            else f"{path} does not exist; name a radiograph, a folder of them or a pattern."
        )
    files = [file for file in matches if not _is_result(file, out)]
    if not files:
        raise InputError(f"All that is like {path} are results in {out}; check the pattern.")
    if left_out := len(matches) - len(files):
        say(f"Left out of {path}: {left_out} results of an earlier call in {out}.")
    return files


def _is_result(file: Path, out: Path) -> bool:
    return file.name.endswith(RESULTS) and file.parent.resolve() == out.resolve()


def _is_radiograph(file: Path) -> bool:
    if file.name.startswith(".") or not file.is_file():
        return False
    if file.suffix.lower() in KNOWN_SUFFIXES:
        return True
    try:
        with file.open("rb") as opened:
            return is_dicom(opened.read(PREAMBLE + len(PREFIX)))
    except OSError:
        return False


def names_of(files: list[Path]) -> list[str]:
    """Return for each file a name of its own, on file systems that ignore case too.

    It is the file's name without suffix where no other has it, or else ``FOLDER-NAME``, with a
    number behind where that is taken as well.
    """
    stems = [file.stem if file.suffix.lower() in KNOWN_SUFFIXES else file.name for file in files]
    counts = Counter(map(str.casefold, stems))
    taken = {stem for stem, count in counts.items() if count == 1}
    names = []
    for file, name in zip(files, stems, strict=True):
        if counts[name.casefold()] > 1:
            first = f"{file.absolute().parent.name}-{name}"
            numbered = (f"{first}-{number}" for number in itertools.count(2))
            candidates = itertools.chain([first], numbered)
            name = next(c for c in candidates if c.casefold() not in taken)
            taken.add(name.casefold())
        names.append(name)
    return names


def read_radiograph(path: Path | str) -> np.ndarray:
    """Read a radiograph of any size: JPEG, PNG, TIFF, BMP or DICOM, told by content.

    The rules are those of :func:`maskedteeth.data.pixels.decode_grey` and
    :func:`maskedteeth.use.dicom.decode_dicom`.

    Returns:
        uint8 (H, W), grey values, upright.

    Raises:
        InputError: it cannot be read.
    """
    path = Path(path)
    content = read_file(path)
    if is_dicom(content):
        return decode_dicom(content, path)
    return decode_grey(content, path)


def at_size(
    radiograph: Path | str | np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a radiograph twice: as it is, and as a network of a size was trained on it.

    Of a file the small one has the very pixels that the stage `prepare` makes of it.

    Args:
        radiograph: a file, or grey values, uint8 (H, W).
        height: of the small one.
        width: likewise.

    Returns:
        uint8 (H, W) and uint8 (height, width).

    Raises:
        InputError: the file cannot be read.
        ValueError: the array is of another type or shape.
    """
    if isinstance(radiograph, np.ndarray):
        _refuse_other_arrays(radiograph)
        return radiograph, _resized(radiograph, height, width)
    path = Path(radiograph)
    content = read_file(path)
    if is_dicom(content):
        pixels = decode_dicom(content, path)
        return pixels, _resized(pixels, height, width)
    pixels = decode_grey(content, path)
    return pixels, resized_radiograph(content, path, pixels.shape, (height, width))


def _resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _refuse_other_arrays(pixels: np.ndarray) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or not pixels.size:
        raise ValueError(
            f"The radiograph is {pixels.dtype} of shape {pixels.shape}; expected are grey values, "
            "uint8 (H, W)."
        )
