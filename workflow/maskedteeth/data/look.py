"""What a network was trained on, in a few numbers."""

import numpy as np
from pydantic import BaseModel

from maskedteeth.data.arrays import Row

#: Grey levels that a radiograph is known by: so many per cent of its pixels are darker.
PERCENTILES = (5, 25, 50, 75, 95)


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
