"""What several networks at once, and mirrored radiographs, gain in Dice on a study's test set.

    python benchmarks/ensembles.py results/abdi

One network is measured as the mean over its seeds; each other way of using them is compared with
that on every test radiograph. Intervals of 95 % are bootstrapped over the radiographs, which is
chance in these alone. "all" is the mean over methods and fractions.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.data.arrays import pixels_of, read_index
from maskedteeth.data.splits import draw_split
from maskedteeth.files import read_json
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.report.chance import bootstrap_weights, estimate, resampled_means, too_narrow
from maskedteeth.settings.config import HeldOut
from maskedteeth.use import Segmenter

RESAMPLES = 10_000
WAYS = ((False, "one network", "all seeds"), (True, "mirrored", "all seeds, mirrored"))


def dice_of(study: Path) -> pd.DataFrame:
    """Measure every method and fraction of a study.

    Returns:
        A row a method, fraction and test radiograph, which are its index; columns `one network`,
        `mirrored`, `all seeds` and `all seeds, mirrored`: Dice in [0, 1] at the network's size.
    """
    records = [(file, read_json(file)) for file in sorted(study.glob("runs/*/*/*/run.json"))]
    runs: dict[tuple[str, float], list[Path]] = {}
    for file, record in records:
        held_out = HeldOut.model_validate(record["settings"]["held_out"])
        if held_out.protocol != "fixed-test":
            sys.exit("Seeds test on what others trained on: split.protocol must be fixed-test.")
        run = runs.setdefault((record["method"], record["fraction"]), [])
        run.append(file.with_name("weights.safetensors"))
    if not runs:
        sys.exit(f"{study} has no finished trainings; name a study's folder, such as results/abdi.")
    data, index = study / "data", read_index(study / "data" / "index.csv")
    ids = draw_split(index, held_out, record["fraction"], record["seed"]).test
    pixels = pixels_of(data / "images.npy", index, ids)
    truth = pixels_of(data / "labels.npy", index, ids) > 0

    def dice(probability: np.ndarray) -> np.ndarray:
        counts = count(probability >= 0.5, truth)
        return scores(counts["tp"], counts["fp"], counts["fn"])["dice"]

    tables = {}
    for run, weights in runs.items():
        ways = {}
        for flip, one, together in WAYS:
            segmenters = [Segmenter(file, flip=flip) for file in weights]
            found = [np.stack([s(image).probability for image in pixels]) for s in segmenters]
            ways[one] = np.mean([dice(of_seed) for of_seed in found], axis=0)
            ways[together] = dice(np.mean(found, axis=0))
        tables[run] = pd.DataFrame(ways, index=ids)
    return pd.concat(tables, names=["method", "fraction", "id"])


def gains(dice: pd.DataFrame) -> pd.DataFrame:
    """Compare every way of :func:`dice_of` with one network.

    Returns:
        A row a method and fraction (and one of all) and way: dice, gain, gain_low, gain_high.
    """
    mean = pd.concat({("all", "all"): dice.groupby(level="id", sort=False).mean()})
    rows = []
    for (method, fraction), group in pd.concat([mean, dice]).groupby(level=[0, 1], sort=False):
        drawn = bootstrap_weights(len(group), RESAMPLES)
        for way in group.columns:
            difference = (group[way] - group["one network"]).to_numpy()
            about = {"method": method, "fraction": fraction, "way": way, "dice": group[way].mean()}
            rows.append(about | estimate("gain", resampled_means(difference, drawn)))
    return pd.DataFrame(rows)


if __name__ == "__main__":
    measured = dice_of(Path(sys.argv[1]))
    print(gains(measured).to_markdown(index=False, floatfmt=".4f"))
    images = measured.index.get_level_values("id").nunique()
    print(f"\n{images} test radiographs. {too_narrow(images)}")
