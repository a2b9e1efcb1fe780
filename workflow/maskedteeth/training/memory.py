"""What to say when memory does not suffice."""

import re

from pydantic import BaseModel

from maskedteeth.errors import InputError

#: How torch and the libraries below it say that memory did not suffice.
SIGNS = re.compile(
    r"out of memory|you tried to allocate|_ALLOC_FAILED|can't allocate memory", re.IGNORECASE
)
SIZE = r"(\d[\d.]* ?(?:[KMGT]iB|bytes))"


def explained(error: BaseException, settings: BaseModel | None) -> InputError | None:
    """Return what a user should know of an error that is due to a lack of memory, else None.

    Args:
        error: as raised by torch, or by Python.
        settings: of the stage, from which network and batch size are read.
    """
    text = str(error)
    if not isinstance(error, MemoryError) and not SIGNS.search(text):
        return None
    on_card = re.search("cuda|cublas|cudnn", text, re.IGNORECASE)
    whose = "The card's memory" if on_card else "The computer's memory"
    facts = _facts(text)
    settings = getattr(settings, "job", settings)
    model, batch = getattr(settings, "model", None), getattr(settings, "batch_size", None)
    return InputError(f"{whose} does not suffice{_what(model, batch)}{facts}. {_advice(batch)}")


def _what(model: BaseModel | None, batch: int | None) -> str:
    if model is None:
        return ""
    ours = model.architecture == "modified_resunet"
    name = f"widths {list(model.widths)}" if ours else f"encoder {model.encoder}"
    size = "" if batch is None else f" with batch_size {batch}"
    return f" for {model.architecture} ({name}){size}"


def _facts(text: str) -> str:
    asked = re.search(rf"tried to allocate {SIZE}", text, re.IGNORECASE)
    there = re.search(rf"total capacity of {SIZE} of which {SIZE} is free", text)
    facts = [f"{_readable(asked[1])} more were asked for"] if asked else []
    facts += [f"{there[2]} of {there[1]} were free"] if there else []
    return f": {', '.join(facts)}" if facts else ""


def _readable(size: str) -> str:
    number, _, unit = size.rpartition(" ")
    return f"{int(number) / 2**20:.0f} MiB" if unit == "bytes" else size


def _advice(batch: int | None) -> str:
    if batch is not None and batch > 1:
        return f"Try batch_size {batch // 2}, or a smaller image (image.height, image.width)."
    return "Try a smaller image (image.height, image.width), or a machine with more memory."
