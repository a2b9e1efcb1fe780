"""What the stages of the data leave to all that follow: the index and the pixels."""

from pathlib import Path

import numpy as np
import pandas as pd


def read_index(index: Path) -> pd.DataFrame:
    """Read ``index.csv``, a row a radiograph in the order of the arrays.

    Returns:
        Its columns: names, files and digests as str, ``labelled`` as bool, ``tooth_fraction`` and
        ``teeth`` as float (NaN where nobody annotated the radiograph, or counted teeth).
    """
    numbers = {"height": int, "width": int}
    optional = {"tooth_fraction": "", "teeth": ""}
    frame = pd.read_csv(index, dtype=str, keep_default_na=False, na_values=optional)
    frame = frame.astype(numbers | dict.fromkeys(optional, float))
    return frame.assign(labelled=frame["labelled"] == "1")


def read_rows(array: Path, index: Path, ids: list[str]) -> np.ndarray:
    """Return the rows of ``images.npy`` or ``masks.npy`` that belong to radiographs.

    Args:
        array: the file.
        index: ``index.csv``, in whose order the array stands.
        ids: radiographs, in the order wanted.

    Returns:
        uint8 (len(ids), H, W).
    """
    places = pd.Index(read_index(index)["id"]).get_indexer(ids)
    return np.load(array, mmap_mode="r")[places]
