"""The examples in docs/, for tests that execute them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"

#: The line before a block names its file: ... `path/to/file.py` ...
BLOCK = re.compile(r"^[^\n]*?`([\w./-]+)`[^\n`]*:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(page: str, section: str = "") -> dict[str, str]:
    """Return the blocks of a page, or of one section of it, by the file that each is to be in."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if section:
        text = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = dict(BLOCK.findall(text))
    assert found, f"docs/{page} has no example in {section!r}"
    return found
