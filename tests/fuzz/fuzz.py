"""Coverage-guided fuzzing of what reads other people's files.

    pip install -r tests/fuzz/requirements.txt
    python tests/fuzz/fuzz.py annotation -max_total_time=600
    python tests/fuzz/fuzz.py index -max_total_time=600

`annotation` makes a mask of the bytes of a JSON annotation, `index` the line of a radiograph of
the bytes of an image file, decoded whole and at half its size. Whatever the bytes, the outcome is
a result that holds what it promises, or an InputError; anything else ends the run with a traceback
and leaves the bytes in a file `crash-*`. Further arguments go to libFuzzer. Seeds are made here.
"""

import contextlib
import io
import json
import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["maskedteeth.data", "PIL"]):
    import PIL.BmpImagePlugin
    import PIL.JpegImagePlugin
    import PIL.MpoImagePlugin
    import PIL.PngImagePlugin
    import PIL.TiffImagePlugin

    from maskedteeth.data import hitl
    from maskedteeth.data.index import index
    from maskedteeth.data.pixels import decode_grey
    from maskedteeth.data.records import Record
import cv2
import numpy as np

from maskedteeth.errors import InputError
from maskedteeth.files import read_csv
from maskedteeth.settings.jobs import IndexJob

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
HEIGHT, WIDTH = 40, 60


def fuzz_annotation(content: bytes) -> None:
    """Read the bytes as the annotation of a radiograph of 40 x 60 pixels."""
    record = Record("1", FOLDER / "1.png", FOLDER / "1.png.json")
    record.annotation.write_bytes(content)
    try:
        found = hitl.read_annotation(record, HEIGHT, WIDTH)
    except InputError as error:
        _check_sentence(error)
        return
    assert found.mask.shape == (HEIGHT, WIDTH) and found.mask.dtype == np.uint8
    assert found.mask.max() <= 1 and found.labelled == (found.teeth > 0)
    assert found.labelled or not found.mask.any()


def fuzz_index(content: bytes) -> None:
    """Index a folder that holds the bytes as its only radiograph, and a mask of them."""
    settings = IndexJob(source="folder", images="images", masks="masks", near_duplicates="group")
    files = {"index": FOLDER / "index.csv", "problems": FOLDER / "problems.csv"}
    for part in ("images", "masks"):
        (FOLDER / part).mkdir(exist_ok=True)
        (FOLDER / part / "1.png").write_bytes(content)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            index(settings, raw=FOLDER, **files)
        row = read_csv(files["index"])[0]
        whole, half = (decode_grey(content, FOLDER / "1.png", half) for half in (False, True))
    except InputError as error:
        _check_sentence(error)
        return
    size = int(row["height"]), int(row["width"])
    assert whole.shape == size and whole.dtype == half.dtype == np.uint8
    assert half.shape in (size, tuple(-(-side // 2) for side in size)), (half.shape, size)


#: What stands in a number's, a name's or a list's place.
STRANGE = (
    *(None, True, "", "1", "13(polygon)", "polygon", "bitmap", "line", [], {}, [[]], [[1, 2]]),
    *(0, -1, 0.5, 41, 60, 99, -1e9, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf")),
)


def mutate_annotation(content: bytes, most: int, seed: int) -> bytes:
    """Change a value, or add or drop one, in the JSON; one time in four change bytes instead."""
    generator = random.Random(seed)
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        tree = None
    if not tree or not isinstance(tree, dict) or generator.random() < 0.25:
        return atheris.Mutate(content, most)
    places, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        places += [(node, key) for key in keys]
        waiting += [node[key] for key in keys if isinstance(node[key], dict | list)]
    for _ in range(generator.randint(1, 4)):
        node, key = generator.choice(places)
        with contextlib.suppress(LookupError):  # its place went with the change before
            value, copied = node[key], generator.choice(places)
            match generator.randrange(4):
                case 0:
                    node[key] = generator.choice(STRANGE)
                case 1 if isinstance(value, int | float):
                    node[key] = value + generator.choice((-100, -10, -1, 1, 10, 100))
                case 2 if isinstance(node, list):
                    node.insert(key, json.loads(json.dumps(value)))
                case 3:
                    del node[key]
                case _:
                    node[key] = json.loads(json.dumps(copied[0][copied[1]]))
    return json.dumps(tree).encode()[:most]


def _check_sentence(error: InputError) -> None:
    text = str(error)
    assert "1.png" in text and text.endswith((".", "!")) and "\n" not in text, text


def annotation_seeds() -> dict[str, bytes]:
    """Return annotations of all kinds that are read, and some that are not."""
    square, hole = [[2, 2], [30, 2], [30, 30], [2, 30]], [[5, 5], [9, 5], [9, 9], [5, 9]]
    crossing = [[2, 2], [30, 30], [30, 2], [2, 30]]

    def annotation(*figures: tuple, height: int = HEIGHT) -> bytes:
        objects = [
            {"classTitle": name, "geometryType": kind, "points": {"exterior": e, "interior": i}}
            for name, kind, e, i in figures
        ]
        return json.dumps({"size": {"height": height, "width": WIDTH}, "objects": objects}).encode()

    return {
        "none": annotation(),
        "one": annotation(("13", "polygon", square, [])),
        "hole": annotation(("1", "polygon", square, [hole]), ("32", "polygon", hole, [])),
        "crossing": annotation(("7", "polygon", crossing, [[]])),
        "line": annotation(("13(polygon)", "line", square[:2], [])),
        "bitmap": annotation(("13", "bitmap", [], [])),
        "outside": annotation(("9", "polygon", [[-9, -9], [1e9, 3.5], [3, float("nan")]], [])),
        "size": annotation(("9", "polygon", square, []), height=41),
        "bytes": b"\xef\xbb\xbf{}",
    }


def image_seeds() -> dict[str, bytes]:
    """Return small images of all formats and kinds."""
    grey = np.random.default_rng(0).integers(0, 256, (33, 34), np.uint8)
    deep, colour = grey.astype(np.uint16) * 16, np.dstack([grey, grey // 2, 255 - grey])
    seeds = {}
    for kind, pixels in {"grey": grey, "colour": colour, "deep": deep}.items():
        for suffix in (".jpg", ".png", ".tif", ".bmp"):
            if kind != "deep" or suffix in (".png", ".tif"):
                seeds[kind + suffix] = cv2.imencode(suffix, pixels)[1].tobytes()
    image = PIL.Image.fromarray(grey)
    for mode in ("1", "P", "LA", "RGBA", "CMYK"):
        for kind in ("PNG", "TIFF", "JPEG"):
            with contextlib.suppress(OSError):
                file = io.BytesIO()
                exif = PIL.Image.Exif()
                exif[0x0112] = 6
                image.convert(mode).save(file, kind, exif=exif)
                seeds[f"{mode}.{kind}"] = file.getvalue()
    file = io.BytesIO()
    image.save(file, "JPEG", progressive=True)
    return seeds | {"progressive": file.getvalue()}


TARGETS = {
    "annotation": (fuzz_annotation, annotation_seeds),
    "index": (fuzz_index, image_seeds),
}


def main() -> None:
    """Fuzz the target that is named."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    target, seeds = TARGETS[sys.argv[1]]
    corpus = Path(tempfile.mkdtemp(prefix=f"corpus-{sys.argv[1]}-"))
    for name, content in seeds().items():
        (corpus / name).write_bytes(content)
        target(content)
    own = {"custom_mutator": mutate_annotation} if target is fuzz_annotation else {}
    options = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=4096", *sys.argv[2:]]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target, **own)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
