"""Numbers of teeth: Universal (1 to 32), which is read, and FDI (11 to 48), which is refused."""

from collections import Counter
from pathlib import Path

from maskedteeth.errors import InputError

#: What ``labels.npy`` holds besides the teeth of known number, 1 to 32.
BACKGROUND, UNNUMBERED = 0, 99

UNIVERSAL = frozenset(map(str, range(1, 33)))
FDI = frozenset(f"{quadrant}{tooth}" for quadrant in range(1, 5) for tooth in range(1, 9))

#: Different numbers of teeth that, all of them valid in FDI, are FDI.
FDI_IF = 8


def refuse_fdi(classes: Counter[str], raw: Path) -> None:
    """Refuse a dataset whose teeth are numbered as FDI does, which reads as other teeth or none.

    Raises:
        InputError: more teeth have numbers of FDI alone than of Universal alone, or many have
            numbers that both know and none has one of Universal alone.
    """
    fdi = sum(classes[name] for name in FDI - UNIVERSAL)
    universal = sum(classes[name] for name in UNIVERSAL - FDI)
    numbers = sorted((name for name in classes if name in FDI | UNIVERSAL), key=int)
    if fdi > universal or (not universal and len(numbers) >= FDI_IF):
        raise InputError(
            f"{raw} has teeth of the classes {', '.join(numbers)}, which are FDI numbers (11 to "
            "48); Universal numbers (1 to 32) were expected. Rename the classes to these."
        )
