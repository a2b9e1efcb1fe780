"""Places of teeth, in FDI numbers: the first digit is the quadrant, the second the place."""

from maskedteeth.data.teeth import (
    FDI_OF_UNIVERSAL,
    GROUPS,
    MIRRORED,
    TEETH,
    group_of,
    other_jaw,
    other_side,
)

SIDE = {1: 2, 2: 1, 3: 4, 4: 3}
JAW = {1: 4, 4: 1, 2: 3, 3: 2}


def test_sides_jaws_and_groups_are_those_of_fdi():
    for tooth in TEETH:
        quadrant, place = divmod(FDI_OF_UNIVERSAL[tooth], 10)
        assert FDI_OF_UNIVERSAL[other_side(tooth)] == 10 * SIDE[quadrant] + place
        assert FDI_OF_UNIVERSAL[other_jaw(tooth)] == 10 * JAW[quadrant] + place
        assert MIRRORED[tooth] == other_side(tooth)
    assert MIRRORED[0] == 0
    sizes = [sum(group_of(tooth) == group for tooth in TEETH) for group in GROUPS]
    assert sizes == [8, 4, 8, 8, 4]
