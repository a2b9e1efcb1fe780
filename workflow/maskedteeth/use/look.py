"""Whether a radiograph looks unlike those that a network was trained on."""

import numpy as np

from maskedteeth.data.look import PERCENTILES, Look
from maskedteeth.errors import InputError

#: What is further than this from all radiographs that trained is unlike them. Trained on 6 to 80
#: real radiographs of one place, networks meet at most 5 % of its others that are, by grey levels;
#: but at least 97 % (6 trained) or 72 % (80, one of them very dark) of the inverted, brightened,
#: darkened and pale ones.
LEVELS_OFF = 20
TIMES_OFF = 1.25
#: A radiograph of other proportions is refused, because nothing in it has a shape that is known.
MOST_TIMES_OFF = 2.0


def differences(look: Look, pixels: np.ndarray, small: np.ndarray) -> list[str]:
    """Say in what a radiograph is unlike those of a training.

    Args:
        look: of the radiographs that trained.
        pixels: the radiograph, uint8 (H, W).
        small: the same at the size of the network.

    Returns:
        For each difference what was found and what is known; none where it is alike.

    Raises:
        InputError: its proportions are further off than :data:`MOST_TIMES_OFF`.
    """
    height, width = pixels.shape
    low, high = look.proportions
    found, times_off = [], max(low * height / width, width / height / high)
    said = f"width ÷ height is {width / height:.2f}, in training {low:.2f} to {high:.2f}"
    if times_off > MOST_TIMES_OFF:
        raise InputError(
            f"The radiograph of {height} x {width} pixels is unlike those that the network was "
            f"trained on: {said}. More than {MOST_TIMES_OFF:g} times off is not segmented: crop "
            "it to the jaws, or train on such radiographs."
        )
    if times_off > TIMES_OFF:
        found.append(said)
    for share, level, (low, high) in zip(
        PERCENTILES, np.percentile(small, PERCENTILES), look.grey_levels, strict=True
    ):
        if level < low - LEVELS_OFF or level > high + LEVELS_OFF:
            found.append(
                f"{share} % of the pixels are darker than {level:.0f}, in training than "
                f"{low:.0f} to {high:.0f}"
            )
    return found
