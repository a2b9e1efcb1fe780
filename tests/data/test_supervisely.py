"""Any project of Supervisely: several datasets, bitmaps beside polygons, classes of any name."""

import base64
import json
import zlib

import cv2
import numpy as np
import pytest
from hitl_zip import figure
from PIL import Image

from maskedteeth.data.sources import supervisely
from maskedteeth.errors import InputError
from maskedteeth.settings.config import Layout

RING = np.pad(np.zeros((2, 3), np.uint8), 3, constant_values=1)  # (8, 9), a hole in its middle


def as_palette(mask):
    """As Supervisely writes it."""
    image = Image.fromarray(mask)
    image.putpalette([0, 0, 0, 255, 255, 255])
    return image, {"transparency": 0}


KINDS = {
    "palette": as_palette,
    "one bit": lambda mask: (Image.fromarray(mask > 0), {}),
    "black, its alpha the mask": lambda mask: (
        Image.fromarray(np.dstack([0 * mask, 0 * mask, 0 * mask, 255 * mask])),
        {},
    ),
}


def bitmap(tmp_path, picture, options, origin, title="41"):
    picture.save(tmp_path / "bitmap.png", **options)
    data = zlib.compress((tmp_path / "bitmap.png").read_bytes())
    content = {"data": base64.b64encode(data).decode(), "origin": list(origin)}
    return {"classTitle": title, "geometryType": "bitmap", "bitmap": content}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("origin", [(20, 10), (-4, -3), (124, 60), (300, 10), (20, -8)])
def test_a_bitmap_lies_where_its_origin_is(tmp_path, write_hitl, run_prepare, arrays, kind, origin):
    tooth = bitmap(tmp_path, *KINDS[kind](RING), origin)
    raw = write_hitl(tmp_path / "raw", [tooth, figure([[60, 40], [70, 40], [70, 50]], title="38")])
    run_prepare(raw, "supervisely")
    expected = np.zeros((64, 128), np.uint8)
    cv2.fillPoly(expected, [np.array([[60, 40], [70, 40], [70, 50]])], 17)
    for y, x in np.argwhere(RING) + origin[::-1]:
        if 0 <= y < 64 and 0 <= x < 128:
            expected[y, x] = 25
    assert (arrays()[1][0] == expected).all()


def test_the_datasets_of_a_project_are_read_together(tmp_path, write_hitl):
    teeth = [[figure([[2, 2], [9, 2], [9, 9]], title=name)] for name in ("1", "32")]
    write_hitl(tmp_path / "a", *teeth)
    (tmp_path / "a" / "d2").rename(tmp_path / "clinic")
    write_hitl(tmp_path / "deeper", teeth[0])
    (tmp_path / "deeper/d2/img/2.jpg").write_bytes(b"")
    (tmp_path / "deeper/d2/ann/2.jpg.json").write_text(json.dumps({"size": {}}))
    found = supervisely.find_records(tmp_path, Layout())
    assert [record.id for record in found.records] == ["clinic/1", "clinic/2", "deeper/d2/1"]
    assert [problem.id for problem in found.problems] == ["deeper/d2/2"]
    assert found.numbering is None


def test_a_folder_without_a_dataset_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no dataset of Supervisely"):
        supervisely.find_records(tmp_path, Layout())
