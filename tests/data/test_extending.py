"""The format that docs/extending.md shows how to read."""

import re
import types
from pathlib import Path

import cv2
import numpy as np

from maskedteeth.settings.config import Layout

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"


def test_the_format_of_the_page_is_read_in_under_60_lines(tmp_path):
    code = re.search(r"sources/lines\.py`:\n\n```python\n(.*?)```", PAGE.read_text(), re.S)[1]
    assert len(code.splitlines()) < 60
    lines = types.ModuleType("lines")
    exec(compile(code, "lines.py", "exec"), vars(lines))
    for name in ("1", "2", "3"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((40, 60), np.uint8))
    (tmp_path / "1.txt").write_text("11 2 2 9 2 9 9 2 9\nimplant 20 20 30 20 30 30\n")
    (tmp_path / "2.txt").write_text("11 2 2 9")
    found = lines.find_records(tmp_path, Layout())
    assert [problem.id for problem in found.problems] == ["2"]
    assert [record.annotation for record in found.records] == [tmp_path / "1.txt", None]
    annotation = found.records[0].read((40, 60), {"11": 8})
    assert (annotation.labels[2:10, 2:10] == 8).all() and annotation.labels.sum() == 8 * 64
    assert annotation.left_out.total() == 1
