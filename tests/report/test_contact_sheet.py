"""The contact sheet shows every radiograph once, and marks what is odd about it."""

import numpy as np
import pandas as pd
import pytest
from test_figures import REPORT

from maskedteeth.data.arrays import Arrays
from maskedteeth.report.figures.contact_sheet import contact_sheet
from maskedteeth.report.figures.panels import write_figure


@pytest.fixture
def sheet(tmp_path, radiograph):
    """Return a function that draws the sheet of so many radiographs."""

    def draw(count, problems=(), **columns):
        drawn = [radiograph(number) for number in range(count)]
        masks = np.stack([mask // 255 for _, mask in drawn])
        names = [f"x{n}" for n in range(count)]
        index = pd.DataFrame({"id": names, "height": 100, "width": 210, "teeth": 6})
        index = index.assign(tooth_fraction=masks.mean(axis=(1, 2)), duplicate_group=names)
        index = index.assign(**columns)
        masks[~(index["tooth_fraction"] > 0)] = 0
        names = ("images.npy", "labels.npy", "index.csv", "problems.csv")
        files = {name.partition(".")[0]: tmp_path / name for name in names}
        np.save(files["images"], np.stack([image for image, _ in drawn]))
        np.save(files["labels"], masks)
        index.to_csv(files["index"], index=False)
        pd.DataFrame(problems, columns=["id", "reason"]).to_csv(files["problems"], index=False)
        dataset = Arrays(*(files[name] for name in Arrays._fields))
        return contact_sheet(REPORT, dataset=dataset, problems=files["problems"])

    return draw


def texts(page):
    return [text.get_text() for axes in page.axes for text in axes.texts]


def test_every_radiograph_stands_once_in_the_order_of_the_index(sheet):
    drawn = sheet(40, [("y", "It has no byte.")])
    pages = list(drawn.pages)
    names = [text for page in pages for text in texts(page) if text.startswith("x")]
    assert names == [f"x{n}" for n in range(40)]
    assert [page.texts[0].get_text() for page in pages] == ["page 1 of 2", "page 2 of 2"]
    assert "210 × 100" in texts(pages[0])
    assert "Radiographs: 40; annotated: 40" in drawn.caption and REPORT.dataset in drawn.caption
    assert "lines in problems.csv, on what was left out: 1." in drawn.caption


def test_pages_are_of_one_size_and_the_same_each_time(sheet, tmp_path):
    files = [[tmp_path / f"{stem}.{kind}" for kind in ("png", "pdf", "txt")] for stem in "ab"]
    for written in files:
        write_figure(sheet(37), *written)
    first, second = ([file.read_bytes() for file in written] for written in files)
    assert first == second
    boxes = [part.split(b"]")[0] for part in first[1].split(b"/MediaBox [")[1:]]
    assert len(boxes) == 2 and len(set(boxes)) == 1


def test_what_is_not_annotated_or_without_teeth_is_marked(sheet):
    (page,) = sheet(5, tooth_fraction=[0.2, np.nan, 0.2, np.nan, 0]).pages
    assert texts(page).count("not annotated") == 2
    assert texts(page).count("no teeth") == 1
    assert [len(axes.collections) for axes in page.axes[:5]] == [1, 0, 1, 0, 0], "outlines"


def test_groups_of_the_index_are_framed_alike_and_numbered(sheet):
    drawn = sheet(7, duplicate_group=["x0", "x1", "x2", "x3", "x4", "x1", "x2"])
    (page,) = drawn.pages
    tags = [t for axes in page.axes for t in axes.texts if t.get_text().startswith("copies")]
    assert [tag.get_text() for tag in tags] == ["copies 1", "copies 2"] * 2
    colours = [tag.get_bbox_patch().get_facecolor() for tag in tags]
    assert colours[0] == colours[2] != colours[1] == colours[3]
    assert "copies of others among them: 4" in drawn.caption
    assert "among them: 2" in sheet(3, duplicate_group=["7", "007", "7"]).caption, "names"
