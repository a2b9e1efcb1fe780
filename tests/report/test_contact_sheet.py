"""The contact sheet shows every radiograph once, and says what is odd about it."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from maskedteeth.cli import main
from maskedteeth.files import read_csv, write_csv
from maskedteeth.report.figures import contact_sheet as sheet
from maskedteeth.report.figures import panels
from maskedteeth.report.radiographs import find_copies, letters, read_radiographs

SETTINGS = {
    "dataset": "Radiographs for $5, a synthetic set",
    "protocol": "fixed-test",
    "threshold": 0.5,
    "boundary_tolerance": 2,
    "labels": {"ours": "Ours"},
    "short_labels": {"ours": "Ours"},
    "ours": "ours",
}
HEIGHT, WIDTH = 64, 128
FILES = ("images.npy", "masks.npy", "index.csv", "problems.csv")


class Dataset:
    """A prepared dataset on disk, and its contact sheet."""

    def __init__(self, folder, radiograph, count):
        self.folder = folder
        drawn = [radiograph(number, HEIGHT, WIDTH) for number in range(count)]
        self.images = np.stack([image for image, _ in drawn])
        self.masks = np.stack([mask // 255 for _, mask in drawn])
        self.rows = [
            {"id": f"x{n}", "sha256": f"{n}", "height": 100, "width": 210, "labelled": 1}
            | {"tooth_fraction": f"{mask.mean():.6f}", "teeth": 6, "duplicate_group": f"x{n}"}
            for n, mask in enumerate(self.masks)
        ]
        self.problems = []

    def leave_unannotated(self, *places):
        for place in places:
            self.rows[place] |= {"labelled": 0, "tooth_fraction": "", "teeth": ""}
            self.masks[place] = 0

    def write(self):
        np.save(self.folder / "images.npy", self.images)
        np.save(self.folder / "masks.npy", self.masks)
        write_csv(self.folder / "index.csv", self.rows)
        write_csv(self.folder / "problems.csv", self.problems, ("id", "reason"))

    def draw(self, stem="drawn"):
        self.write()
        out = {kind: self.folder / f"{stem}.{kind}" for kind in ("png", "pdf")}
        words = ["contact-sheet", "--settings", json.dumps(SETTINGS)]
        for name in FILES:
            words += [f"--{name.partition('.')[0]}", str(self.folder / name)]
        for kind, file in out.items():
            words += [f"--{kind}", str(file)]
        return main(words), out["png"], out["pdf"]


@pytest.fixture
def dataset(tmp_path, radiograph):
    return lambda count: Dataset(tmp_path, radiograph, count)


@pytest.fixture
def pages(monkeypatch):
    """Pages that were drawn, without the time to render them."""
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    monkeypatch.setattr(panels, "_small", lambda figure: Image.new("L", (1, 1)))
    return drawn


def texts(page):
    return [text.get_text() for text in page.axes[0].texts]


def listed(page):
    """Return what stands on a page after its caption and its number."""
    found = texts(page)
    return found[1 + next(n for n, text in enumerate(found) if text.startswith("page ")) :]


def test_pages_are_of_one_size_and_the_same_each_time(dataset):
    some = dataset(40)
    status, png, pdf = some.draw()
    assert status == 0
    with Image.open(png) as picture:
        assert picture.size == (int(11.69 * 150), int(8.27 * 150))
        assert np.asarray(picture.convert("L")).std() > 10
    content = pdf.read_bytes()
    assert content.count(b"/Type /Page ") == 2
    assert content.count(b"/MediaBox [ 0 0 841.68 595.44 ]") == 2
    assert b"CreationDate" not in content and b"/Type3" not in content
    _, *again = some.draw("again")
    assert [file.read_bytes() for file in again] == [png.read_bytes(), content]


def test_every_radiograph_stands_once_in_the_order_of_the_index(dataset, pages):
    some = dataset(40)
    assert some.draw()[0] == 0
    names = [text for page in pages for text in texts(page) if text.startswith("x")]
    assert names == [f"x{n}" for n in range(40)]
    share = some.masks[0].mean()
    assert listed(pages[0])[:3] == ["x0", f"6 teeth, {share:.1%}", "210 × 100"]
    assert "page 2 of 2" in texts(pages[1])
    assert "Radiographs: 40; annotated: 40" in texts(pages[0])[0]
    assert SETTINGS["dataset"] in texts(pages[0])[0]


def test_the_outline_lies_on_the_border_of_the_mask():
    mask = np.zeros((20, 30), np.uint8)
    mask[5:10, 8:20] = 1
    mask[7, 12] = 0  # a hole
    outline = sheet.outlines(mask)
    corners = {tuple(corner) for corner in outline.vertices}
    assert {(8.5, 5.5), (19.5, 5.5), (19.5, 9.5), (8.5, 9.5)} <= corners
    assert outline.vertices[:, 0].max() < 20 and outline.vertices[:, 1].max() < 10
    assert np.count_nonzero(outline.codes == sheet.Outline.MOVETO) == 2
    assert sheet.outlines(np.zeros((20, 30), np.uint8)) is None


def test_what_is_not_annotated_or_without_teeth_is_marked_and_listed(dataset, pages):
    some = dataset(5)
    some.leave_unannotated(1, 3)
    some.rows[4] |= {"tooth_fraction": "0.000000", "teeth": 0}
    assert some.draw()[0] == 0
    first, last = pages
    assert texts(first).count("not annotated") == 4  # on the two, and under them
    assert texts(first).count("no teeth") == 1
    titles = ("Not annotated", "Annotated as without teeth")
    assert listed(last) == [titles[0], "x1, x3", "", titles[1], "x4"]


def test_copies_are_framed_alike_and_named_by_a_letter(dataset, pages):
    some = dataset(8)
    some.images[5] = some.images[1]
    some.rows[5] |= {"sha256": "1", "duplicate_group": "x1"}
    some.images[6] = 255 - some.images[2] // 2
    assert some.draw()[0] == 0
    first, last = pages
    tags = [text for text in first.axes[0].texts if text.get_text().startswith("copy")]
    assert [tag.get_text()[-1] for tag in tags] == ["A", "B", "A", "B"]
    colours = [tag.get_bbox_patch().get_facecolor() for tag in tags]
    assert colours[0] == colours[2] != colours[1] == colours[3]
    groups = listed(last)[1:3]
    assert groups[0] == "A: x1, x5 (equal pixels)"
    assert groups[1].startswith("B: x2, x6 (alike, up to 0.0")
    assert groups[1].endswith("apart; not held together)")
    assert "copies of others among them: 4" in " ".join(texts(first))


def test_copies_are_those_of_the_index_and_those_that_look_alike(dataset):
    some = dataset(8)
    some.images[[3, 4]] = some.images[0], some.images[0][:, ::-1]
    some.rows[7]["duplicate_group"] = "x6"  # alike at full size, not as prepared
    some.write()
    radiographs = read_radiographs(some.folder / "index.csv")
    first, second = find_copies(radiographs, some.images)
    assert (first.letter, first.members, first.together) == ("A", [0, 3, 4], False)
    assert first.distance == pytest.approx(0, abs=1e-5) and not first.equal
    assert (second.letter, second.members) == ("B", [6, 7])
    assert (second.distance, second.equal, second.together) == (None, False, True)


def test_letters_go_on_after_z():
    assert list(map(letters, (0, 25, 26, 51, 701, 702))) == ["A", "Z", "AA", "AZ", "ZZ", "AAA"]


def test_problems_are_listed_with_their_reasons(dataset, pages, monkeypatch):
    monkeypatch.setattr(sheet, "MOST_LINES", 10)
    some = dataset(3)
    some.problems = [{"id": f"y{n}", "reason": "It has no byte."} for n in range(14)]
    assert some.draw()[0] == 0
    lines = listed(pages[-1])
    assert lines[:2] == ["Set aside or passed over (problems.csv)", "y0: It has no byte."]
    assert lines[-2:] == ["y9: It has no byte.", "… and 4 further lines"]
    assert "set aside or passed over: 14" in " ".join(texts(pages[-1]))


def test_of_a_large_dataset_a_bounded_number_is_drawn(dataset, pages, monkeypatch):
    monkeypatch.setattr(sheet, "MOST", 10)
    some = dataset(91)
    assert some.draw()[0] == 0
    (page,) = pages
    assert [t for t in texts(page) if t.startswith("x")] == [f"x{n}" for n in range(0, 91, 10)]
    assert "Drawn: 10 of 91, evenly spread over the index." in " ".join(texts(page))


def test_a_long_name_is_shortened_to_the_width_of_its_radiograph():
    name = "radiograph " * 30
    short = sheet.shortened(name, 1.7)
    assert panels.text_width(short, sheet.NOTE_SIZE, sheet.FONT) <= 1.7
    assert short.startswith("radiograph ra") and short.endswith("radiograph ") and "…" in short
    assert sheet.shortened("iiiiiiiiiiiiiiiiiiiiiiiii", 1.7) == "iiiiiiiiiiiiiiiiiiiiiiiii"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d.rows[1].update(labelled="yes"), "labelled 'yes'"),
        (lambda d: d.rows[1].update(tooth_fraction=""), "tooth_fraction '' and teeth '6' in row 2"),
        (lambda d: d.rows[1].update(teeth="many"), "teeth 'many'"),
        (lambda d: d.rows.pop(), "index.csv lists 2 radiographs"),
        (lambda d: setattr(d, "masks", d.masks[:, 1:]), "masks.npy holds 3 x 63 x 128 pixels"),
    ],
)
def test_what_does_not_belong_together_is_one_sentence(dataset, capsys, spoil, words):
    some = dataset(3)
    spoil(some)
    status, png, pdf = some.draw()
    assert status == 2 and words in capsys.readouterr().err
    assert not png.exists() and not pdf.exists()


def test_a_dataset_without_problems_has_no_list(dataset, pages):
    some = dataset(3)
    assert some.draw()[0] == 0
    assert len(pages) == 1 and read_csv(some.folder / "problems.csv") == []
