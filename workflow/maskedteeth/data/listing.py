"""Radiographs in any folders, and the annotations that name them."""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

from maskedteeth.data.objects import Object
from maskedteeth.data.records import (
    SUFFIXES,
    Found,
    Problem,
    Record,
    natural_order,
    trouble_with,
)
from maskedteeth.errors import InputError

#: What an annotation says of a radiograph: its objects, and its height and width where it has them.
Content = tuple[tuple[Object, ...], tuple[int, int] | None]

#: Names of folders → the part of a split that is in them.
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("val", "valid", "validation"), "valid")


def files_below(root: Path, *suffixes: str) -> list[Path]:
    """List the files in a folder and all below it, behind links, too, without hidden ones."""
    found = []
    for folder, below, names in os.walk(root, followlinks=True):
        below[:] = [name for name in below if name[0] != "." and name != "__MACOSX"]
        found += [Path(folder, name) for name in names if name[0] != "."]
    return sorted(file for file in found if file.suffix.lower() in suffixes)


class Listing:
    """The radiographs below a folder, to which annotations are added one by one.

    A radiograph is called by the way to its file from the folder that all share, without suffix.

    Args:
        root: folder of the dataset.
    """

    def __init__(self, root: Path):
        self._root = root
        self._files: dict[str, list[Path]] = {}
        self._by_stem: dict[str, list[str]] = {}
        images = files_below(root, *SUFFIXES)
        base = os.path.commonpath([file.parent for file in images] or [root])
        for file in images:
            name = unicodedata.normalize("NFC", file.relative_to(base).with_suffix("").as_posix())
            if name not in self._files:
                self._by_stem.setdefault(name.rpartition("/")[2], []).append(name)
            self._files.setdefault(name, []).append(file)
        self._annotated: dict[str, Record | Problem] = {}
        self._problems: list[Problem] = []

    def add(self, image: str, annotation: Path, read: Callable[[], Content]) -> None:
        """Add what is annotated on a radiograph.

        Args:
            image: its file as the annotation names it. The suffix does not matter; folders do
                where files share a name.
            annotation: file that it is in.
            read: returns it, or raises InputError.
        """
        name = image
        try:
            name = self._named(image, annotation)
            if name in self._annotated:
                raise InputError(
                    f"{self._files[name][0]} is annotated twice, the second time in {annotation}; "
                    "remove one of both."
                )
            self._annotated[name] = self._record(name, annotation, *read())
        except InputError as error:
            self._annotated[name] = Problem(name, str(error))

    def pass_over(self, file: Path, reason: str) -> None:
        """Note down a file that is no annotation of a radiograph."""
        self._problems.append(Problem(file.name, f"{file} is passed over: {reason}.", False))

    def found(self, folder: str | None = None) -> Found:
        """Return all, in natural order.

        Args:
            folder: name of the folders whose other radiographs are unlabelled. None: those that
                annotated ones are in. Pictures elsewhere are passed over.
        """
        homes = {self._files[name][0].parent for name in self._annotated if name in self._files}
        elsewhere: Counter[Path] = Counter()
        for name in self._files.keys() - self._annotated.keys():
            home = self._files[name][0].parent
            if folder in home.parts if folder else home in homes:
                try:
                    self._annotated[name] = self._record(name, None, (), None)
                except InputError as error:
                    self._annotated[name] = Problem(name, str(error))
            else:
                elsewhere[home] += 1
        for home, count in sorted(elsewhere.items()):
            self.pass_over(home, f"no annotation is of any of its {count} pictures")
        everything = sorted(self._annotated.items(), key=lambda item: natural_order(item[0]))
        records = [entry for _, entry in everything if isinstance(entry, Record)]
        problems = [entry for _, entry in everything if isinstance(entry, Problem)]
        return Found(records, problems + self._problems)

    def _record(
        self,
        name: str,
        annotation: Path | None,
        objects: tuple[Object, ...],
        size: tuple[int, int] | None,
    ) -> Record:
        files = self._files[name]
        if trouble := trouble_with(name, files):
            raise InputError(trouble)
        folders = files[0].relative_to(self._root).parts[:-1]
        parts = [PARTS[word.lower()] for word in folders if word.lower() in PARTS]
        return Record(name, files[0], annotation, objects, size, "".join(parts[:1]))

    def _named(self, image: str, annotation: Path) -> str:
        """Find a radiograph: the one whose folders fit best, of several the nearest."""
        path = PureWindowsPath(unicodedata.normalize("NFC", image))  # takes / and \ alike
        with_suffix = path.suffix.lower() in SUFFIXES
        stems = (path.stem, path.name) if with_suffix else (path.name, path.stem)
        names = next((found for stem in stems if (found := self._by_stem.get(stem))), [])

        def fit(name: str) -> tuple[int, int]:
            folders = self._files[name][0].parent.parts
            as_named = _shared(folders[::-1], path.parts[-2::-1])
            return as_named, _shared(folders, annotation.parent.parts)

        best = max(map(fit, names), default=None)
        fitting = [name for name in names if fit(name) == best]
        if len(fitting) == 1:
            return fitting[0]
        listing = " and ".join(str(self._files[name][0]) for name in fitting)
        raise InputError(
            f"{annotation} is of {image!r}, which may be {listing}; rename all but one."
            if fitting
            else f"{annotation} is of {image!r}, but no radiograph of that name is below "
            f"{self._root}; add the radiograph, or remove it from there."
        )


def _shared(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    """Return how many parts of two ways are the same, from their beginning."""
    same = [a == b for a, b in zip(some, others, strict=False)]
    return same.index(False) if False in same else len(same)
