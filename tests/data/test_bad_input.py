"""Whatever is wrong with a dataset: a file is used by a rule, set aside with a reason, or stops."""

import re
from pathlib import Path

import bad_input
import cv2
import numpy as np
import pytest
from bad_input import ANNOTATIONS, HEIGHT, MASKS, PNG, RADIOGRAPHS, WHOLE, WIDTH, saved
from PIL import Image

from maskedteeth.data.index import index
from maskedteeth.data.pixels import decode_grey
from maskedteeth.data.prepare import prepare
from maskedteeth.errors import InputError
from maskedteeth.files import read_csv
from maskedteeth.settings.jobs import IndexJob, PrepareJob

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "input.md"
STOPS = {
    "more of all this than `data.most_problems`",
    "nothing usable",
    "no such folder",
    "changed since it was indexed",
}


def settings(source, most_problems=0.5):
    return IndexJob(source=source, images="images", masks="masks", most_problems=most_problems)


def run(raw, out, job):
    """Index and prepare; return the rows, the problems, the radiographs and the masks."""
    files = {name: out / f"{name}.csv" for name in ("index", "problems")}
    arrays = {name: out / f"{name}.npy" for name in ("images", "masks")}
    index(job, raw=raw, **files)
    size = {"height": HEIGHT, "width": WIDTH}
    prepare(PrepareJob(source=job, **size), raw=raw, index=files["index"], **arrays)
    return *map(read_csv, files.values()), *map(np.load, arrays.values())


@pytest.fixture
def dataset(tmp_path, write_folder):
    raw = write_folder(tmp_path / "raw", 3)
    (raw / "original.png").write_bytes((raw / PNG).read_bytes())
    return raw


@pytest.fixture
def hitl_dataset(tmp_path, radiograph):
    for part in ("img", "ann"):
        (tmp_path / "raw" / "d2" / part).mkdir(parents=True)
    for number in (1, 2, 3):
        image = tmp_path / "raw" / "d2" / "img" / f"{number}.jpg"
        cv2.imwrite(str(image), radiograph(number)[0])
        (tmp_path / "raw" / "d2" / "ann" / f"{image.name}.json").write_bytes(WHOLE)
    return tmp_path / "raw"


def assert_sentence(found, expected, raw):
    shortened = found.replace(f"{raw}/", "")
    assert re.fullmatch(".*".join(map(re.escape, expected.split("…"))), shortened), shortened


@pytest.mark.parametrize("row", RADIOGRAPHS + MASKS, ids=lambda row: row.trouble)
def test_a_radiograph_or_mask_is_used_by_a_rule_or_set_aside(row, dataset, tmp_path, radiograph):
    pixels, mask = radiograph(2)
    row.make(dataset, pixels, mask)
    rows, problems, images, masks = run(dataset, tmp_path, settings("folder"))
    ids = [entry["id"] for entry in rows]
    if row.outcome == "used":
        assert len(rows) == 3 and problems == []
        place = ids.index(row.id)
        assert np.abs(images[place].astype(float) - row.expected(pixels)).max() <= 1
        assert (masks[place] == (0 if row.trouble == "missing mask" else mask // 255)).all()
        return
    assert row.id not in ids and len(rows) == 2 + (row.outcome == "passed over")
    assert problems[0]["id"] == row.id
    assert_sentence(problems[0]["reason"], row.expected, dataset)


@pytest.mark.parametrize("row", ANNOTATIONS, ids=lambda row: row.trouble)
def test_an_annotation_is_used_by_a_rule_or_set_aside(row, hitl_dataset, tmp_path, radiograph):
    row.make(hitl_dataset, *radiograph(2))
    rows, problems, _, masks = run(hitl_dataset, tmp_path, settings("hitl"))
    if row.outcome == "used":
        assert len(rows) == 3
        left_out = "1 objects of class 'implant' were left out: teeth are '1' to '32'."
        assert [p["reason"] for p in problems] == [left_out] * ("beside teeth" in row.trouble)
        assert (masks[1] == row.expected).all()
        assert rows[1]["labelled"] == str(int(row.expected.any()))
        return
    assert len(rows) == 2 + (row.outcome == "passed over")
    assert [problem["id"] for problem in problems] == [row.id]
    assert_sentence(problems[0]["reason"], row.expected, hitl_dataset)


def test_the_documentation_says_the_same():
    lines = DOCUMENTATION.read_text().splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    documented = {cell[0]: cell[1].partition(":")[0] for cell in cells if ":" in cell[1]}
    rows = RADIOGRAPHS + MASKS + ANNOTATIONS
    assert len({row.trouble for row in rows}) == len(rows)
    assert documented == {row.trouble: row.outcome for row in rows} | dict.fromkeys(STOPS, "stops")


def test_hidden_files_and_subfolders_are_none_of_ours(dataset, tmp_path):
    for name in (".DS_Store", "._2.png"):
        (dataset / "images" / name).write_bytes(b"\0")
    (dataset / "images" / "old").mkdir()
    rows, problems, *_ = run(dataset, tmp_path, settings("folder"))
    assert len(rows) == 3 and problems == []


def test_a_share_of_problems_stops_and_names_the_setting(dataset, tmp_path):
    (dataset / PNG).write_bytes(b"")
    (dataset / "masks" / "77.png").write_bytes(b"")  # no radiograph, and does not count
    expected = (
        f"1 of 3 radiographs in {dataset} are unusable, more than 33% (data.most_problems). Mend "
        f"or remove them, or raise it. The first: {dataset / PNG} is empty (0 bytes); restore or "
        "remove it."
    )
    with pytest.raises(InputError, match=f"^{re.escape(expected)}$"):
        run(dataset, tmp_path, settings("folder", most_problems=0.33))
    assert not (tmp_path / "index.csv").exists()
    assert len(run(dataset, tmp_path, settings("folder", most_problems=0.34))[0]) == 2


def test_nothing_usable_stops_whatever_the_share(dataset, tmp_path):
    for file in (dataset / "images").iterdir():
        file.write_bytes(b"")
    with pytest.raises(InputError, match="3 of 3 radiographs in .* are unusable"):
        run(dataset, tmp_path, settings("folder", most_problems=1))


@pytest.mark.parametrize("file", [PNG, "masks/2.png"])
def test_a_file_that_changes_after_the_index_is_one_sentence(dataset, tmp_path, file):
    run(dataset, tmp_path, settings("folder"))
    before = (tmp_path / "images.npy").read_bytes()
    other = np.full((HEIGHT, WIDTH), 255, np.uint8)
    (dataset / file).write_bytes(saved(other))
    files = {"index": tmp_path / "index.csv", "masks": tmp_path / "masks.npy"}
    job = PrepareJob(source=settings("folder"), height=32, width=64)
    with pytest.raises(InputError, match=rf"/{file} has changed since it was indexed\. Start"):
        prepare(job, raw=dataset, images=tmp_path / "images.npy", **files)
    assert (tmp_path / "images.npy").read_bytes() == before


# --- Decoding ---


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["JPEG", "progressive", "PNG", "TIFF", "compressed TIFF", "BMP"])
def test_a_file_cut_off_anywhere_has_its_exact_pixels_or_none(radiograph, kind):
    options = {"progressive": {"progressive": True}, "compressed TIFF": {"compression": "tiff_lzw"}}
    content = saved(
        radiograph(1)[0],
        {"progressive": "JPEG"}.get(kind, kind.split()[-1]),
        **options.get(kind, {}),
    )
    whole = decode_grey(content, Path("1.png"))
    step = max(1, len(content) // 200)
    cuts = [*range(0, len(content), step), *range(len(content) - 20, len(content))]
    refused = 0
    for cut in cuts:
        try:
            assert (decode_grey(content[:cut], Path("1.png")) == whole).all(), cut
        except InputError:
            refused += 1
    assert refused > 0.85 * len(cuts)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright_at_either_size(radiograph, kind, orientation):
    stored = radiograph(1)[0]
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain, tagged = (saved(stored, kind, **extra) for extra in ({}, {"exif": exif}))
    as_shown = {
        1: lambda x: x,
        2: np.fliplr,
        3: lambda x: np.rot90(x, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda x: np.rot90(x, -1),
        7: lambda x: np.rot90(x, 2).T,
        8: lambda x: np.rot90(x, 1),
    }[orientation]
    for half in (False, True):
        expected = as_shown(decode_grey(plain, Path("1"), half))
        assert (decode_grey(tagged, Path("1"), half) == expected).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
def test_half_the_size_has_the_greys_of_the_whole(radiograph, mode):
    image = Image.fromarray(radiograph(1)[0]).convert("RGB").convert(mode)
    content = saved(image, "JPEG", quality=95)
    whole, half = (decode_grey(content, Path("1"), half) for half in (False, True))
    averaged = cv2.resize(whole, half.shape[::-1], interpolation=cv2.INTER_AREA)
    assert half.shape == (HEIGHT // 2, WIDTH // 2)
    assert np.abs(half.astype(float) - averaged).mean() < 1


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_pixels_are_scaled_from_their_depth(bits, channels, suffix):
    values = np.linspace(0, 2**bits - 1, 64 * 64).astype(np.uint16).reshape(64, 64)
    pixels = values if channels == 1 else np.dstack([values] * channels)
    if channels == 4:
        pixels[:, :, 3] = 65535
    content = cv2.imencode(suffix, pixels)[1].tobytes()
    found = decode_grey(content, Path("1"))
    assert np.abs(found - values * (255 / (2**bits - 1))).max() <= 0.51


def test_a_picture_that_unpacks_to_more_than_it_says_takes_no_memory():
    content = bad_input.png_of_size(8000, 10_000)  # just not too large, and cut off
    with pytest.raises(InputError, match="cut off or damaged"):
        decode_grey(content, Path("1.png"))


def test_sixteen_bit_grey_with_alpha_lies_on_black():
    grey = np.full((40, 40), 65535, np.uint16)
    pixels = np.dstack([grey, grey, grey, np.where(np.arange(40) < 10, 0, 65535) + 0 * grey])
    found = decode_grey(cv2.imencode(".png", pixels.astype(np.uint16))[1].tobytes(), Path("1"))
    assert (found[:, :10] == 0).all() and (found[:, 10:] == 255).all()
