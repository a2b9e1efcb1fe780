"""Radiographs in any folders, and the annotations that name them."""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PureWindowsPath

from maskedteeth.data.folders import has_suffix
from maskedteeth.data.objects import Object
from maskedteeth.data.records import (
    Found,
    Problem,
    Record,
    list_images,
    name_of,
    natural_order,
    trouble_with,
)
from maskedteeth.errors import InputError

#: What an annotation says of a radiograph: its objects, and its height and width where it has them.
Content = tuple[tuple[Object, ...], tuple[int, int] | None]


class Listing:
    """The radiographs below a folder, to which annotations are added one by one.

    A radiograph is called by the way to its file from the folder that all are in, without suffix.

    Args:
        root: folder of the dataset.
    """

    def __init__(self, root: Path):
        self._root = root
        self._files, _ = list_images(root)
        self._by_stem: dict[str, list[str]] = {}
        for name in self._files:
            self._by_stem.setdefault(name.rpartition("/")[2], []).append(name)
        self._annotated: dict[str, Record | Problem] = {}
        self._problems: list[Problem] = []

    def add(
        self,
        image: str,
        annotation: Path,
        read: Callable[[], Content],
        unless_annotated: bool = False,
    ) -> None:
        """Add what is annotated on a radiograph.

        Args:
            image: its file as the annotation names it. Suffix and folders matter only where files
                share a name.
            annotation: file that it is in.
            read: returns it, or raises InputError.
            unless_annotated: whether it counts only where nothing else is annotated there.
        """
        name = image
        try:
            name = self._named(image, annotation)
            if name in self._annotated and unless_annotated:
                return
            if name in self._annotated:
                raise InputError(
                    f"{self._files[name][0]} is annotated twice, the second time in {annotation}; "
                    "remove one of the two."
                )
            self._annotated[name] = self._record(name, annotation, *read())
        except InputError as error:
            self._annotated[name] = Problem(name, str(error))

    def is_of_another(self, annotation: Path, image: str) -> bool:
        """Tell whether an annotation lies beside a radiograph of its name, but names another."""
        place = annotation.relative_to(self._root).with_suffix("").as_posix()
        own, other = (unicodedata.normalize("NFC", name) for name in (place, image))
        return own in self._files and own.rpartition("/")[2] != name_of(PureWindowsPath(other).name)

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
            if folder in home.relative_to(self._root).parts if folder else home in homes:
                try:
                    self._annotated[name] = self._record(name, None, (), None)
                except InputError as error:
                    self._annotated[name] = Problem(name, str(error))
            else:
                elsewhere[home] += 1
        for home, count in sorted(elsewhere.items()):
            self.pass_over(home, f"no annotation is of any of its {count} pictures")
        used = [name for name in self._annotated if name in self._files]
        shared = os.path.commonpath([Path(name).parent for name in used]) if used else ""
        everything = [
            replace(entry, id=name.removeprefix(f"{shared}/"))
            for name, entry in self._annotated.items()
        ]
        everything.sort(key=lambda entry: natural_order(entry.id))
        records = [entry for entry in everything if isinstance(entry, Record)]
        problems = [entry for entry in everything if isinstance(entry, Problem)]
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
        return Record(name, files[0], annotation, objects, size)

    def _named(self, image: str, annotation: Path) -> str:
        """Find a radiograph: the one whose name and folders fit best, of several the nearest."""
        path = PureWindowsPath(unicodedata.normalize("NFC", image))  # takes / and \ alike
        stems = (path.stem, path.name) if has_suffix(path) else (path.name, path.stem)
        names = next((found for stem in stems if (found := self._by_stem.get(stem))), [])

        def fit(name: str) -> tuple[bool, int, int]:
            folders = self._files[name][0].parent.parts
            as_named = _shared(folders[::-1], path.parts[-2::-1])
            exact = any(file.name == path.name for file in self._files[name])
            return exact, as_named, _shared(folders, annotation.parent.parts)

        best = max(map(fit, names), default=None)
        fitting = [name for name in names if fit(name) == best]
        if len(fitting) == 1:
            return fitting[0]
        listing = " and ".join(str(self._files[name][0]) for name in fitting)
        raise InputError(
            f"{annotation} belongs to {image!r}, which may be {listing}; move all but one "
            "to another place."
            if fitting
            else f"{annotation} belongs to {image!r}, but no radiograph of that name is below "
            f"{self._root}; add the radiograph, or remove its annotation."
        )


def _shared(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    """Return how many parts of two ways are the same, from their beginning."""
    same = [a == b for a, b in zip(some, others, strict=False)]
    return same.index(False) if False in same else len(same)
