"""Ways in which a file is damaged or is another one; each writes a file in the place of another."""

import json

import numpy as np
import torch
from safetensors.torch import load_file, save_file


def other_shape(source, target):
    """Write a file of the same kind with another shape, type or other names in it."""
    if source.suffix == ".npy":
        np.save(target, np.load(source).astype(np.float32)[:, 0])
    elif source.suffix == ".npz":
        np.savez(target, **{name: array[..., None] for name, array in np.load(source).items()})
    elif source.suffix == ".json":
        content = json.loads(source.read_text())
        target.write_text(json.dumps(dict.fromkeys(content, 1)))
    elif source.suffix == ".csv":
        header, *rows = source.read_text().splitlines()
        target.write_text("\n".join([header + ",more", *rows]))
    elif source.suffix == ".yaml":
        target.write_text("- 1\n")
    else:
        save_file({name: t.reshape(1, -1) for name, t in load_file(source).items()}, target)


def other_names(source, target):
    """Write a file of the same kind that lacks what is looked for."""
    if source.suffix == ".npy":
        np.savez(target, images=np.load(source))
        target.with_suffix(".npy.npz").rename(target)
    elif source.suffix == ".npz":
        np.savez(target, **{f"other {name}": array for name, array in np.load(source).items()})
    elif source.suffix == ".json":
        target.write_text(json.dumps([1, 2]))
    elif source.suffix == ".csv":
        target.write_text("a,b\n1,2\n")
    elif source.suffix == ".yaml":
        target.write_text("other: 1\n")
    else:
        save_file({"other": torch.zeros(1)}, target)


def header_of_a_terabyte(source, target):
    """Say, where safetensors and NPY files say so, that the header is huge."""
    content = source.read_bytes()
    huge = (2**40).to_bytes(8, "little")
    target.write_bytes(huge + content[8:] if source.suffix == ".safetensors" else huge)


DAMAGES = {
    "missing": lambda source, target: None,
    "empty": lambda source, target: target.write_bytes(b""),
    "random": lambda source, target: target.write_bytes(np.random.default_rng(0).bytes(500)),
    "cut": lambda source, target: target.write_bytes(
        source.read_bytes()[: len(source.read_bytes()) * 2 // 3].rstrip(b"\n")
    ),
    "CSV": lambda source, target: target.write_text("a,b\n1,2\n"),
    "JSON": lambda source, target: target.write_text('{"a": 1}\n'),
    "deep": lambda source, target: target.write_text("[" * 100_000),
    "a folder": lambda source, target: target.mkdir(),
    "huge": header_of_a_terabyte,
    "other shape": other_shape,
    "other names": other_names,
}
