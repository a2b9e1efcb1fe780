"""What a network was trained on, in a few numbers, and whether a radiograph looks unlike it."""

import numpy as np
from pydantic import BaseModel

from maskedteeth.data.arrays import Row
from maskedteeth.errors import InputError

#: Grey levels that a radiograph is known by: so many per cent of its pixels are darker.
PERCENTILES = (5, 25, 50, 75, 95)

#: What is further than this from all radiographs that trained is unlike them. Trained on 6 to 80
#: real radiographs of one place, networks meet at most 5 % of its others that are, by grey levels;
#: but at least 97 % (6 trained) or 72 % (80, one of them very dark) of the inverted, brightened,
#: darkened and pale ones.
LEVELS_OFF = 20
TIMES_OFF = 1.25
#: A radiograph of other proportions is refused, because nothing in it has a shape that is known.
MOST_TIMES_OFF = 2.0


class Look(BaseModel):
    """The ranges that the radiographs of a training span.

    Attributes:
        source: setting data.source.
        proportions: least and largest width ÷ height of their files, and of the network's input.
        grey_levels: least and largest of each of :data:`PERCENTILES`, in 0 to 255.
    """

    source: str
    proportions: tuple[float, float]
    grey_levels: list[tuple[float, float]]

    @classmethod
    def of(cls, source: str, rows: list[Row], pixels: np.ndarray) -> "Look":
        """Look at radiographs by their lines of the index and as prepared, uint8 (N, H, W)."""
        proportions = [int(row["width"]) / int(row["height"]) for row in rows]
        proportions.append(pixels.shape[2] / pixels.shape[1])
        levels = np.percentile(pixels.reshape(len(pixels), -1), PERCENTILES, axis=1)
        return cls(
            source=source,
            proportions=(round(min(proportions), 3), round(max(proportions), 3)),
            grey_levels=[(level.min(), level.max()) for level in levels],
        )

    def differences(self, pixels: np.ndarray, small: np.ndarray) -> list[str]:
        """Say in what a radiograph is unlike these.

        Args:
            pixels: the radiograph, uint8 (H, W).
            small: the same at the size of the network.

        Returns:
            For each difference what was found and what is known; none where it is alike.

        Raises:
            InputError: its proportions are further off than :data:`MOST_TIMES_OFF`.
        """
        height, width = pixels.shape
        low, high = self.proportions
        found, times_off = [], max(low * height / width, width / height / high)
        said = f"width ÷ height is {width / height:.2f}, in training {low:.2f} to {high:.2f}"
        if times_off > MOST_TIMES_OFF:
            raise InputError(
                f"The radiograph of {height} x {width} pixels is unlike those that the network was "
                f"trained on: {said}. More than {MOST_TIMES_OFF:g} times off is not segmented: cut "
                "it to the jaws, or train on such radiographs."
            )
        if times_off > TIMES_OFF:
            found.append(said)
        for share, level, (low, high) in zip(
            PERCENTILES, np.percentile(small, PERCENTILES), self.grey_levels, strict=True
        ):
            if level < low - LEVELS_OFF or level > high + LEVELS_OFF:
                found.append(
                    f"{share} % of the pixels are darker than {level:.0f}, in training than "
                    f"{low:.0f} to {high:.0f}"
                )
        return found
