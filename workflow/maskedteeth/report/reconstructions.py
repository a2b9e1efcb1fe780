"""What the pretext's network makes of masked radiographs, beside fillers that learnt nothing."""

from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.report.results import read_rows
from maskedteeth.report.statistics import TAIL, bootstrap_weights, percentile_interval

#: Metrics, and whether more is better (+1) or less (-1).
BETTER = {"ssim": 1, "lpips": -1, "fsim": 1, "l1": -1}
#: Which pixels are measured, and what the metrics' columns end with.
PIXELS = {"all": "", "masked": "_masked"}
#: The network's output as it is, and with the visible pixels kept.
NETWORK, COMPOSITE = "network", "composite"
#: What the names of a value and of its interval's bounds end with.
BOUNDS = ("", "_low", "_high")
#: Seed of all resamples: the same for all fillers, so that they are drawn the same radiographs.
SEED = 0


def read_reconstructions(metrics: list[Path], fillers: list[Path]) -> pd.DataFrame:
    """Read what was measured.

    Args:
        metrics: ``metrics.csv`` of pretexts.
        fillers: ``fillers.csv`` of the same.

    Returns:
        A row a pretext, filler and test radiograph, in this order: filler, pretext, id, hidden and
        the metrics over all and over the masked pixels. The filler "network" comes first.
    """
    network, others = read_rows(*metrics), read_rows(*fillers)
    table = pd.concat([network.assign(filler=NETWORK), others], ignore_index=True)
    names = list(network["pretext"].unique())
    return table.sort_values("pretext", key=lambda name: name.map(names.index), kind="stable")


def compare(images: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Average over radiographs, with intervals, and compare the fillers with the network.

    Args:
        images: as :func:`read_reconstructions` returns them.
        resamples: test sets to draw for an interval.

    Returns:
        A row a pretext, pixels ("all" or "masked"), filler and metric: pretext, pixels, filler,
        metric, radiographs (measured), value (their mean), value_sd (sample standard deviation),
        value_low and value_high (95 % percentile bootstrap interval); to_network (the filler's
        mean minus the network's) and to_composite (minus the network's with the visible pixels
        kept) over the radiographs that both were measured on, each with _low and _high, the bounds
        of intervals that all m of these together hold what they are of in 95 % of studies: each
        leaves out 5 %/m (Bonferroni). What compares is NaN for network and composite; all is NaN
        where nothing was measured.
    """
    rows, compared = [], []
    for pretext, group in images.groupby("pretext", sort=False):
        order = list(dict.fromkeys(group["id"]))
        draws = bootstrap_weights(len(order), resamples, SEED).astype(float)
        for pixels, suffix in PIXELS.items():
            columns = [f"{metric}{suffix}" for metric in BETTER]
            wide = {
                name: part.set_index("id")[columns].reindex(order)
                for name, part in group.groupby("filler", sort=False)
            }
            for name, values in wide.items():
                for metric, column in zip(BETTER, columns, strict=True):
                    value = values[column].to_numpy(float)
                    row = {"pretext": pretext, "pixels": pixels, "filler": name, "metric": metric}
                    row |= {"radiographs": int(np.isfinite(value).sum())}
                    row |= _estimate("value", value, draws)
                    row["value_sd"] = values[column].std(ddof=1)
                    for other in (NETWORK, COMPOSITE):
                        known = other in wide and name not in (NETWORK, COMPOSITE)
                        theirs = wide[other][column].to_numpy(float) if known else np.nan
                        difference = f"to_{other}"
                        row |= dict.fromkeys((f"{difference}{b}" for b in BOUNDS), np.nan)
                        if np.isfinite(value - theirs).any():
                            row[difference], resampled = _resampled(value - theirs, draws)
                            compared.append((len(rows), difference, resampled))
                    rows.append(row)
    for place, name, resampled in compared:
        low, high = percentile_interval(resampled, TAIL / len(compared))
        rows[place] |= {f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(rows)


def _estimate(name: str, values: np.ndarray, draws: np.ndarray) -> dict[str, float]:
    """Mean and interval of values (images,), of which some may be NaN: not measured."""
    if not np.isfinite(values).any():
        return dict.fromkeys((f"{name}{bound}" for bound in BOUNDS), np.nan)
    mean, resampled = _resampled(values, draws)
    low, high = percentile_interval(resampled)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def _resampled(values: np.ndarray, draws: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of values (images,), of which some are not NaN, and their means in the draws."""
    present = np.isfinite(values)
    total, drawn = draws[:, present] @ values[present], draws @ present
    return float(values[present].mean()), total[drawn > 0] / drawn[drawn > 0]


def better(table: pd.DataFrame, than: str) -> pd.Series:
    """Tell where a filler is shown to be better than ``than``, network or composite.

    Args:
        table: as :func:`compare` returns it.
        than: NETWORK or COMPOSITE.

    Returns:
        bool for each row.
    """
    return _gain(table, than) > 0


def worse(table: pd.DataFrame, than: str) -> pd.Series:
    """Tell where a filler is shown to be worse, likewise."""
    return _gain(table, than) < 0


def _gain(table: pd.DataFrame, than: str) -> pd.Series:
    """The end of the interval that is nearer to 0, signed for better; 0 where 0 is inside."""
    sign = table["metric"].map(BETTER)
    ends = pd.concat([table[f"to_{than}_{end}"] * sign for end in ("low", "high")], axis=1)
    return ends.min(axis=1).clip(lower=0) + ends.max(axis=1).clip(upper=0)
