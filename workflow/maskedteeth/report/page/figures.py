"""Figures as a page shows them: the picture alone, and its caption as text."""

import io
import re
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from maskedteeth.errors import InputError
from maskedteeth.report.figures.panels import CAPTION_ROW, DESCRIPTION
from maskedteeth.report.page.tables import data_uri
from maskedteeth.report.reading import MEND

#: A caption's number or short title.
LABEL = re.compile(r"((?:Figure|Table) \d+|[^:.]{1,70}): ")
#: The end of its first sentence, or of what stands before the details.
SENTENCE = re.compile(r"(?<=[\w)])[.:] (?=\S)")


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        name: of its files.
        label: its number or short title.
        caption: the rest of its caption; empty where the PNG tells none.
        says: what it shows in a few words, for those who do not see it.
        source: the picture without its caption, as a data URI.
        width: of it, pixels.
        height: of it, pixels.
    """

    name: str
    label: str
    caption: str
    says: str
    source: str = field(repr=False)
    width: int
    height: int


def read_figure(png: Path) -> Figure:
    """Read a figure; its caption, drawn in the picture too, is cut off there.

    A PNG that tells no caption is shown as it is, under its name.

    Raises:
        InputError: the file is no picture.
    """
    try:
        with Image.open(png) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{png} cannot be read: {error}. {MEND}") from None
    said = getattr(picture, "text", {})
    if DESCRIPTION not in said:
        label, caption = name_in_print(png.stem), ""
    else:
        label, caption = labelled(said[DESCRIPTION], png.stem)
        row = int(said.get(CAPTION_ROW, picture.height))
        picture = picture.crop((0, 0, picture.width, min(row, picture.height)))
    content = io.BytesIO()
    picture.save(content, format="png")
    source = data_uri("image/png", content.getvalue())
    says = f"{label}: {SENTENCE.split(caption, maxsplit=1)[0]}".removesuffix(": ")
    return Figure(png.stem, label, caption, says, source, picture.width, picture.height)


def labelled(caption: str, name: str) -> tuple[str, str]:
    """Split a caption into its number or short title, else the name in print, and the rest."""
    if label := LABEL.match(caption):
        return label[1], caption[label.end() :]
    label = name_in_print(name)
    said = re.match(rf"{re.escape(label)}(?:[.:]\s+|$)", caption, re.IGNORECASE)
    return label, caption[said.end() :] if said else caption


def name_in_print(name: str) -> str:
    """Return a file's name as words."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
