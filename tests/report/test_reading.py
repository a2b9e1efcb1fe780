"""Tables and JSON are read as what they say they are, or a sentence says where they are not."""

import math

import pandas as pd
import pytest
from pydantic import BaseModel

from maskedteeth.errors import InputError
from maskedteeth.report.reading import read_content, read_table

GOOD = "id,tp,dice,lpips\n007,12,0.25,\n8,0,1e-3,0.5\n"


def read(tmp_path, content, **options):
    file = tmp_path / "a.csv"
    file.write_text(content)
    words = {"text": ("id",), "whole": ("tp",), "blank": ("lpips",)} | options
    return read_table(file, ("id", "tp", "dice", "lpips"), **words)


def test_columns_are_text_whole_numbers_or_numbers(tmp_path):
    table = read(tmp_path, GOOD)
    assert table["id"].tolist() == ["007", "8"]
    assert table["tp"].tolist() == [12, 0] and table["tp"].dtype == "int64"
    assert table["dice"].tolist() == [0.25, 0.001]
    assert math.isnan(table["lpips"][0]) and table["lpips"][1] == 0.5
    pd.testing.assert_frame_equal(table, read(tmp_path, GOOD.replace("\n", "\r\n")))


def test_columns_that_nobody_asked_for_may_hold_anything(tmp_path):
    lines = zip(GOOD.splitlines(), ("specificity,note", "nan,", ",a word"), strict=True)
    wider = "".join(f"{line},{more}\n" for line, more in lines)
    pd.testing.assert_frame_equal(read(tmp_path, wider), read(tmp_path, GOOD))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("12", "12.0", "'12.0' under 'tp' in row 1 where a whole number from 0 up was expected"),
        ("12", "-1", "'-1' under 'tp' in row 1"),
        ("12", "١٢", "'١٢' under 'tp' in row 1"),
        ("12", "9" * 20, "under 'tp' in row 1"),
        ("1e-3", "inf", "'inf' under 'dice' in row 2 where a number was expected"),
        ("0.25", "nan", "'nan' under 'dice' in row 1"),
        ("0.25", "", "'' under 'dice' in row 1"),
        ("0.5\n", "x\n", "'x' under 'lpips' in row 2"),
        ("0.5\n", "0.", "is cut off: its last line has no end"),
        ("tp", "tq", "has no column 'tp'"),
    ],
)
def test_what_else_stands_in_a_cell_is_named(tmp_path, old, new, words):
    with pytest.raises(InputError, match="a.csv") as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert words in str(caught.value)


class Point(BaseModel):
    x: int


@pytest.mark.parametrize(
    ("content", "words"),
    [("[]", "its content: Input should be"), ('{"a": {"x": "1"}}', "a.x: Input should be a valid")],
)
def test_content_of_another_form_is_named(tmp_path, content, words):
    file = tmp_path / "a.json"
    file.write_text(content)
    with pytest.raises(InputError, match="a.json is of another form than expected") as caught:
        read_content(file, dict[str, Point])
    assert words in str(caught.value)
    file.write_text('{"a": {"x": 1}}')
    assert read_content(file, dict[str, Point]) == {"a": Point(x=1)}
