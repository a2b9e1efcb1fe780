"""The examples in docs/, for tests that execute them."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[1] / "docs"

#: The sentence before a block ends with the name of its file, or says no other file after it.
BLOCK = re.compile(
    r"`(?P<file>[\w./-]+)`(?:(?!\n\n)[^`]|`[-_]`)*:\n\n```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Example(NamedTuple):
    """A block: the file that it is to be in, its kind (yaml, python, diff, ...) and its text."""

    file: str
    kind: str
    text: str

    def carry_out(self, folder: Path) -> None:
        """Change the file below ``folder`` as the block says: apply, append or write."""
        path = folder / self.file
        if self.kind == "diff":
            before = path.read_text(encoding="utf-8")
            lines = self.text.splitlines(keepends=True)
            old, new = ("".join(x[1:] for x in lines if x[0] in kept) for kept in (" -", " +"))
            if not old:
                raise ValueError(f"the example for {self.file} has no line that stands there")
            assert before.count(old) == 1, f"{self.file} has not once what docs show:\n{old}"
            path.write_text(before.replace(old, new), encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(self.text)


def examples(page: str, section: str = "") -> list[Example]:
    """Return the blocks of a page, or of one section of it, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if section:
        text = text.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = [Example(m["file"], m["kind"], m["text"]) for m in BLOCK.finditer(text)]
    assert found, f"docs/{page} has no example in {section!r}"
    return found
