"""Which mask belongs to which radiograph, by their names."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations

#: Masks by which the pattern of all is guessed, and patterns that are tried.
GUESSED_BY, TRIED = 50, 5

#: Share of the masks that a guess must find a radiograph for.
MOST = 0.9

PLAIN = "{name}"


def pair_names(
    radiographs: Iterable[str], masks: Iterable[str], pattern: str | None
) -> tuple[dict[str, str], str]:
    """Find the radiograph of each mask.

    Names are tried as they are; then without regard to case and leading zeros (`IMG_1` and `img_01`
    are one); then without subfolders, if those of the radiographs or the masks have none. Of each,
    the pattern comes first that all but a few masks follow. It is taken from the masks themselves,
    and adds no digits to a number: `101` is no mask of `1`.

    Args:
        radiographs: names without suffixes, with subfolders.
        masks: likewise.
        pattern: how the masks are named, such as `{name}_mask`; None: what fits.

    Returns:
        Mask → radiograph, for the masks that have one; and the pattern.
    """
    radiographs, masks = list(radiographs), list(masks)
    flat = not any("/" in name for name in radiographs) or not any("/" in name for name in masks)
    views = [str, _alike, *((_last, lambda name: _alike(_last(name))) if flat else ())]
    plain: tuple[dict[str, str], str] | None = None
    for view in views:
        counts = Counter(map(view, radiographs))
        known = {view(name): name for name in radiographs if counts[view(name)] == 1}
        for tried in [pattern] if pattern else [PLAIN, *_guesses(known, masks, view)]:
            names = {mask: known.get(without(view(tried), view(mask))) for mask in masks}
            pairs = {mask: name for mask, name in names.items() if name}
            if len(pairs) >= MOST * len(masks):
                return pairs, tried
            plain = plain or (pairs, tried)
    return plain


def _alike(name: str) -> str:
    return re.sub("[0-9]+", lambda number: str(int(number[0])), name.casefold())


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def without(pattern: str, mask: str) -> str | None:
    """Take from a mask's name what the pattern adds, or return None if it does not fit."""
    before, _, after = pattern.partition("{name}")
    folder, slash, name = mask.rpartition("/")
    fits = name.startswith(before) and name.endswith(after) and len(name) > len(before + after)
    return folder + slash + name[len(before) : len(name) - len(after)] if fits else None


def _guesses(known: dict[str, str], masks: list[str], view: Callable[[str], str]) -> list[str]:
    """Return the commonest of the patterns by which some masks have a radiograph."""
    found: Counter[str] = Counter()
    for mask in masks[:: len(masks) // GUESSED_BY + 1]:
        folder, slash, name = view(mask).rpartition("/")
        for start, end in combinations(range(len(name) + 1), 2):
            before, inner, after = name[:start], name[start:end], name[end:]
            if folder + slash + inner in known and not (
                _one_number(before, inner) or _one_number(inner, after)
            ):
                found[f"{before}{PLAIN}{after}"] += 1
    return [pattern for pattern, _ in found.most_common(TRIED)]


def _one_number(left: str, right: str) -> bool:
    return left[-1:].isdigit() and right[:1].isdigit()
