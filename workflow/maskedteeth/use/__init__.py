"""Finished networks at work on a user's own radiographs.

In three lines::

    from maskedteeth.use import Segmenter
    segmenter = Segmenter("results/demo/runs/unet/fraction-0.9/seed-42/weights.safetensors")
    mask = segmenter("radiograph.png").mask  # uint8 (H, W), 1 = tooth
"""

import importlib

#: Name → module, imported when the name is first used: torch takes seconds.
_HERE = {
    "Segmenter": "segmenter",
    "Segmentation": "segmenter",
    "Reconstructor": "reconstructor",
    "Reconstruction": "reconstructor",
    "read_radiograph": "radiographs",
}
__all__ = list(_HERE)


def __getattr__(name: str):
    if name not in _HERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HERE[name]}"), name)
