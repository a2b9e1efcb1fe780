"""Finished networks at work on a user's own radiographs.

In three lines::

    from maskedteeth.use import Segmenter
    segmenter = Segmenter("results/demo/runs/unet/fraction-0.9/seed-42/weights.safetensors")
    mask = segmenter("radiograph.png").mask  # uint8 (H, W), 1 = tooth
"""

__all__ = ["Segmenter", "read_radiograph"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from maskedteeth.use import networks, radiographs  # only now: torch takes seconds

    return getattr(radiographs if name == "read_radiograph" else networks, name)
