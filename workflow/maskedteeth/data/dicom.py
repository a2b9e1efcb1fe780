"""DICOM files become grey values, or one sentence says why not; `docs/use.md` lists the rules."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from maskedteeth.data.pixels import DEPTHS, MOST_PIXELS, decode_grey
from maskedteeth.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset


def is_dicom(content: bytes) -> bool:
    """Tell whether a file's content (its first 132 bytes will do) is DICOM (PS3.10, 7.1)."""
    return content[128:132] == b"DICM"


def decode_radiograph(content: bytes, path: Path) -> np.ndarray:
    """Decode DICOM as :func:`decode_dicom`, other files as :func:`decode_grey`: uint8 (H, W)."""
    return (decode_dicom if is_dicom(content) else decode_grey)(content, path)


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
            that nothing here decodes.
    """
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of spellings that the standard does not allow
            dataset = pydicom.dcmread(io.BytesIO(content))
            _refuse_other_than_one_radiograph(dataset, path)
            return np.rint(np.clip(_shares(dataset, path), 0, 1) * 255).astype(np.uint8)
    except InputError:
        raise
    except Exception as error:  # pydicom and decoders raise whatever they stumble over
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(
            f"{path} cannot be decoded as DICOM ({reason}): it is cut off, damaged or compressed "
            "in an unsupported way; export it again, uncompressed, or remove it."
        ) from None


def _refuse_other_than_one_radiograph(dataset: "Dataset", path: Path) -> None:
    if "PixelData" not in dataset:
        raise InputError(f"{path} is a DICOM file without a picture; remove it.")
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
    kind = dataset.PhotometricInterpretation
    if not kind.startswith(("MONOCHROME", "RGB", "YBR")):
        raise InputError(f"{path} is {kind}, which is not supported; export it as grey values.")


def _shares(dataset: "Dataset", path: Path) -> np.ndarray:
    """Return float (H, W) from 0 (black) to 1; what lies outside a window may be beyond."""
    from pydicom.pixels import apply_modality_lut

    stored = dataset.pixel_array
    if stored.ndim == 3 and dataset.SamplesPerPixel == 1:
        raise ValueError(f"its pixels are those of {len(stored)} pictures")
    if stored.ndim == 3:  # pydicom has made RGB of all colours
        colours = stored.astype(np.float32) / (2**dataset.BitsStored - 1)
        return cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
    shares = _windowed(apply_modality_lut(stored, dataset), dataset, path)
    return 1 - shares if dataset.PhotometricInterpretation == "MONOCHROME1" else shares


def _windowed(values: np.ndarray, dataset: "Dataset", path: Path) -> np.ndarray:
    from pydicom.pixels import apply_voi, apply_windowing

    if dataset.get("VOILUTSequence"):
        entries, first, bits = dataset.VOILUTSequence[0].LUTDescriptor
        # pydicom 3.0 counts entries of 8 bits in 8 bits, and is wrong from the 257th on.
        dataset.VOILUTSequence[0].LUTDescriptor = [entries, first, 16]
        return apply_voi(values, dataset) / (2**bits - 1)
    if dataset.get("WindowWidth") is not None and dataset.get("WindowCenter") is not None:
        # What lies outside of any window becomes the limits of what windowing returns.
        try:
            lowest, highest = apply_windowing(np.array([-1e12, 1e12]), dataset)
        except ValueError as error:
            raise InputError(
                f"{path} has a window of width {dataset.WindowWidth} that cannot be applied "
                f"({error}); correct the window, or export it without one."
            ) from None
        return (apply_windowing(values, dataset) - lowest) / (highest - lowest)
    lowest, highest = float(values.min()), float(values.max())
    if lowest >= 0:
        lowest = 0.0
        highest = next((2.0**bits - 1 for bits in DEPTHS if highest < 2**bits), highest)
    return (values - lowest) / max(highest - lowest, 1)
