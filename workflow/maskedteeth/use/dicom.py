"""DICOM files become grey values, or one sentence says why not; `docs/use.md` lists the rules."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maskedteeth.data.pixels import DEPTHS, MOST_PIXELS
from maskedteeth.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

#: Where a DICOM file says that it is one (PS3.10, section 7.1).
PREAMBLE = 128
PREFIX = b"DICM"
#: Transfer syntax that packs the whole file, which may unpack to more than the memory holds.
DEFLATED = "1.2.840.10008.1.2.1.99"


def is_dicom(content: bytes) -> bool:
    """Tell whether a file's content (its beginning will do) is DICOM."""
    return content[PREAMBLE : PREAMBLE + len(PREFIX)] == PREFIX


def decode_dicom(content: bytes, path: Path) -> np.ndarray:
    """Decode a radiograph in DICOM to grey, as a viewer shows it when it is opened.

    The stages are those of the standard (PS3.4, annex N.2): stored values → modality LUT or rescale
    → VOI LUT, or else the first window → inverted where 0 is white (MONOCHROME1). Without window
    and LUT the values are scaled as those of other files, see
    :func:`maskedteeth.data.pixels.decode_grey`; if some are negative, from the smallest to the
    largest. Colours become Rec. 601 luma.

    Args:
        content: of the file.
        path: the file's name, for sentences.

    Returns:
        uint8 (H, W).

    Raises:
        InputError: it holds no picture, or several, is too large, cut off, or compressed in a way
            that nothing here decodes; or pydicom is not installed.
    """
    try:
        import pydicom
    except ModuleNotFoundError:
        raise InputError(
            f"{path} is DICOM, and pydicom, which reads it, is not installed: pip install "
            "--requirement envs/requirements.txt."
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spellings that the standard does not allow
            if DEFLATED.encode() in content[:4096]:
                raise InputError(
                    f"{path} is deflated as a whole, which is not read; export it uncompressed."
                )
            return _grey(pydicom.dcmread(io.BytesIO(content)), path)
    except InputError:
        raise
    except Exception as error:  # pydicom and decoders raise whatever they stumble over
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(
            f"{path} cannot be decoded as DICOM ({reason}): it is cut off, damaged or compressed "
            "in a way that is not read; export it again, uncompressed, or remove it."
        ) from None


def _grey(dataset: "Dataset", path: Path) -> np.ndarray:
    from pydicom.pixels import apply_color_lut, apply_modality_lut

    if "PixelData" not in dataset:
        raise InputError(f"{path} is DICOM without a picture in it; remove it.")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise InputError(
            f"{path} holds {frames} frames, a volume or a film, where one radiograph was expected; "
            "export the one that you mean."
        )
    if dataset.Rows * dataset.Columns > MOST_PIXELS:
        raise InputError(
            f"{path} has {dataset.Rows} x {dataset.Columns} pixels, more than {MOST_PIXELS:,} in "
            "all; no radiograph is so large: export it smaller or remove it."
        )
    _refuse_undecodable(dataset, path)
    stored, kind = dataset.pixel_array, dataset.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        stored = apply_color_lut(stored, dataset)
    if stored.ndim == 3:  # pydicom has made RGB of all other colours
        bits = 16 if kind == "PALETTE COLOR" and stored.dtype == np.uint16 else dataset.BitsStored
        shares = stored.astype(np.float32) / (2**bits - 1)
        return _of_shares(cv2.cvtColor(shares, cv2.COLOR_RGB2GRAY))
    if not kind.startswith("MONOCHROME"):
        raise InputError(f"{path} is of the kind {kind}, which is not read; export it as grey.")
    grey = _of_shares(_windowed(apply_modality_lut(stored, dataset), dataset))
    return 255 - grey if kind == "MONOCHROME1" else grey


def _windowed(values: np.ndarray, dataset: "Dataset") -> np.ndarray:
    """Return what a viewer makes of values, from 0 (black, in MONOCHROME2) to 1."""
    from pydicom.pixels import apply_voi, apply_windowing

    if dataset.get("VOILUTSequence"):
        entries, first, bits = dataset.VOILUTSequence[0].LUTDescriptor
        # pydicom 3.0 counts entries of 8 bits in 8 bits, and is wrong from the 257th on.
        dataset.VOILUTSequence[0].LUTDescriptor = [entries, first, 16]
        return apply_voi(values, dataset) / (2**bits - 1)
    if dataset.get("WindowWidth") is not None and dataset.get("WindowCenter") is not None:
        # What lies outside of any window becomes the limits of what windowing returns.
        lowest, highest = apply_windowing(np.array([-1e12, 1e12]), dataset)
        return (apply_windowing(values, dataset) - lowest) / (highest - lowest)
    lowest, highest = float(values.min()), float(values.max())
    if lowest >= 0:
        lowest = 0.0
        highest = next((2.0**bits - 1 for bits in DEPTHS if highest < 2**bits), highest)
    return (values - lowest) / (max(highest - lowest, 1))


def _of_shares(shares: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def _refuse_undecodable(dataset: "Dataset", path: Path) -> None:
    from pydicom.pixels import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_compressed:
        return
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        raise InputError(
            f"{path} is compressed as {syntax.name}, which nothing here decodes. Install a "
            "decoder that pydicom then finds (pip install python-gdcm), or export it uncompressed."
        )
