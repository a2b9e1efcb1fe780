"""The pretext's metrics (section 4.1), over all and over the masked pixels, beside fillers.

Fillers learnt nothing; they show what the pretext's network is worth.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.chance import (
    TAIL,
    bootstrap_weights,
    estimate,
    percentiles,
    resampled_means,
    too_narrow,
)
from maskedteeth.report.results import read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import NOTHING, TITLES, interval, number, once
from maskedteeth.settings.sections import Presentation

#: Metrics, and whether more is better (+1) or less (-1).
BETTER = {"ssim": 1, "lpips": -1, "fsim": 1, "l1": -1}
#: Which pixels are measured: the end of the metrics' names, and a title.
PIXELS = {"all": ("", "Whole radiograph"), "masked": ("_masked", "Masked pixels alone")}
#: Fillers in a column, and in a sentence.
NETWORK, COMPOSITE = "network", "composite"
FILLERS = {
    NETWORK: ("Network", ""),
    COMPOSITE: ("Network, visible pixels kept", ""),
    "inpainting": ("Inpainting", "inpainting"),
    "image_mean": ("Image mean", "the image mean"),
    "unfilled": ("Unfilled", "the unfilled input"),
}
#: What fillers are compared with over which pixels.
RIVAL = {"all": NETWORK, "masked": COMPOSITE}
COLUMNS = ["pretext", "pixels", "filler", "metric", "radiographs"]
COLUMNS += ["value", "value_low", "value_high"]
COLUMNS += [
    f"to_{rival}{bound}" for rival in (NETWORK, COMPOSITE) for bound in ("", "_low", "_high")
]
LEGEND = (
    "The network sees a radiograph with masked parts and draws all of it. *Network*: its drawing, "
    "which redraws the visible pixels as well, and not exactly. This is what the paper measures. "
    "*Network, visible pixels kept*: its drawing inside the masks, and the radiograph itself "
    "outside.",
    "The other rows keep the visible pixels and fill the masks without having learnt anything. "
    "*Inpainting*: OpenCV's Navier-Stokes method (Bertalmio 2001) with a radius of 3 pixels. "
    "*Image mean*: the mean of the visible pixels. *Unfilled*: the masks stay as they are. A "
    "network with Sobel guidance sees the edges inside the masks; these do not.",
    "SSIM and FSIM: higher is better. LPIPS and L1: lower is better. **Bold**: the best value of a "
    "pretext in that column. *Masked*: the share of the pixels that a pretext hides, on average; "
    "where the shares differ, so do the tasks: do not compare the values.",
    "†: better than the network on the same radiographs, by more than chance explains (interval of "
    "the difference, corrected for all comparisons here by Bonferroni). Without †, either may be "
    "better. Over the whole radiograph, the comparison is with *Network*; over the masked pixels, "
    "with *Network, visible pixels kept*, because the other rows keep these, too. No interval "
    "shows how results vary when the pretext is trained again.",
    "*Masked pixels alone*: the averages of SSIM, LPIPS and L1 and the sums of FSIM are taken over "
    "the masked pixels only. All but L1 look at the surroundings of a pixel, so visible pixels "
    "still count a little near the edge of a mask. The paper gives no such values.",
)


def table_pretext(
    report: Presentation,
    *,
    metrics: list[Path],
    fillers: list[Path],
    published: Path,
    runs: list[Path],
) -> Table:
    """Make the table of the pretexts' metrics, from their ``metrics.csv`` and ``fillers.csv``.

    Returns:
        Columns of :func:`compare_fillers`, value_published and value_difference (ours minus the
        paper's: of the network's output over all pixels), and protocol.
    """
    network = read_rows(*metrics).assign(filler=NETWORK)
    names = list(network["pretext"].unique())
    images = pd.concat([network, read_rows(*fillers)], ignore_index=True)
    images = images.sort_values("pretext", key=lambda name: name.map(names.index), kind="stable")
    table = compare_fillers(images, report.bootstrap_resamples)
    paper = read_rows(published).set_index("metric")["value"].reindex(list(BETTER))
    of_paper = (table["filler"] == NETWORK) & (table["pixels"] == "all")
    table["value_published"] = table["metric"].map(paper).where(of_paper)
    table["value_difference"] = table["value"] - table["value_published"]

    hidden = network.groupby("pretext")["hidden"].mean()
    in_print = {name: f"{name} ({share:.1%} masked)" for name, share in hidden.items()}
    marked = table.assign(better=[_is_better(row) for _, row in table.iterrows()])
    parts = (
        Part(_text(marked[marked["pixels"] == pixels], in_print, paper), title)
        for pixels, (_, title) in PIXELS.items()
        if (marked["pixels"] == pixels).any()
    )
    unavailable = (
        "LPIPS was not measured: `evaluation.lpips` is off, or its weights were not available."
        if table.loc[table["metric"] == "lpips", "value"].isna().any()
        else ""
    )
    count = int(network.groupby("pretext").size().min())
    intervals = (
        f"Each cell: mean over the {count} test radiographs and its 95% bootstrap interval, from "
        f"{report.bootstrap_resamples:,} draws of the radiographs. {too_narrow(count)}"
    )
    return Table(
        title="The pretext's metrics on the test radiographs",
        frame=table.assign(protocol=report.protocol),
        parts=tuple(parts),
        lead=f"{_lead(marked)} {about(report, runs)} {unavailable}".rstrip(),
        notes=(*LEGEND, intervals.rstrip()),
    )


def compare_fillers(images: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Average over radiographs, with intervals, and compare the fillers with the network.

    ``images`` has a row a pretext, filler and test radiograph, the filler "network" first: pretext,
    filler, id, and the metrics over all and over the masked pixels.

    Returns:
        A row a pretext, pixels ("all" or "masked"), filler and metric: pretext, pixels, filler,
        metric, radiographs (measured), value (their mean), value_low and value_high (95 %
        percentile bootstrap interval); to_network (the filler's mean minus the network's) and
        to_composite (minus the network's with the visible pixels kept) over the radiographs that
        both were measured on, each with _low and _high, the bounds of intervals that all m of these
        together hold what they are of in 95 % of studies: each leaves out 5 %/m (Bonferroni). What
        compares is NaN for network and composite; all is NaN where nothing was measured. A pretext
        that masks nothing has no rows of masked pixels.
    """
    rows, compared = [], []
    for pretext, group in images.groupby("pretext", sort=False):
        ids = list(dict.fromkeys(group["id"]))
        weights = bootstrap_weights(len(ids), resamples)
        fillers = group.groupby("filler", sort=False)
        wide = {filler: part.set_index("id").reindex(ids) for filler, part in fillers}
        shown = PIXELS if group["hidden"].any() else ["all"]
        for pixels, filler, metric in product(shown, wide, BETTER):
            column = metric + PIXELS[pixels][0]
            values = wide[filler][column]
            row = {"pretext": pretext, "pixels": pixels, "filler": filler, "metric": metric}
            row["radiographs"] = int(values.count())
            if values.notna().any():
                row |= estimate("value", resampled_means(values.to_numpy(float), weights))
                row["value"] = values.mean()
            rivals = () if filler in (NETWORK, COMPOSITE) else (NETWORK, COMPOSITE)
            for rival in filter(wide.__contains__, rivals):
                differences = (values - wide[rival][column]).to_numpy(float)
                if np.isfinite(differences).any():
                    draws = resampled_means(differences, weights)
                    compared.append((row, f"to_{rival}", draws))
            rows.append(row)
    for row, name, draws in compared:
        low, high = percentiles(draws, TAIL / len(compared))
        row |= {name: draws[0], f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(rows, columns=COLUMNS)


def _is_better(row: pd.Series) -> bool:
    """Say whether a filler is shown to be better than the network, over the pixels of its row."""
    sign, name = BETTER[row["metric"]], f"to_{RIVAL[row['pixels']]}"
    return bool(sign * row[f"{name}_low"] > 0 and sign * row[f"{name}_high"] > 0)


def _lead(table: pd.DataFrame) -> str:
    said = []
    for pretext, group in table.groupby("pretext", sort=False):
        if not (group["pixels"] == "masked").any():
            said.append(f"{pretext} masks nothing: *Unfilled* is what its network sees.")
            continue
        found = {pixels: "none" for pixels in PIXELS}
        for pixels, rows in group[group["better"]].groupby("pixels"):
            found[pixels] = " and ".join(
                f"{FILLERS[filler][1]} ({', '.join(metrics.map(TITLES))})"
                for filler, metrics in rows.groupby("filler", sort=False)["metric"]
            )
        whose = f" of {pretext}" if table["pretext"].nunique() > 1 else ""
        said.append(
            f"**Better than the network{whose}, though they learnt nothing:** over the whole "
            f"radiograph, as the paper measures, {found['all']}; over the masked pixels alone, "
            f"{found['masked']}."
        )
    return " ".join(said)


def _text(table: pd.DataFrame, names: dict[str, str], paper: pd.Series) -> pd.DataFrame:
    """Print a line a pretext and filler, and the paper's values where they are of these pixels."""
    signed = table["value"] * table["metric"].map(BETTER)
    best = signed.groupby([table["pretext"], table["metric"]]).transform("max") == signed
    lines = []
    if table["value_published"].notna().any():
        lines.append(["Paper", FILLERS[NETWORK][0], *(number(value, ".3f") for value in paper)])
    groups = table.assign(best=best).groupby(["pretext", "filler"], sort=False)
    for (pretext, filler), rows in groups:
        cells = (_cell(row) for _, row in rows.iterrows())
        lines.append([names[pretext], FILLERS[filler][0], *cells])
    titles = ["Pretext", "Masks filled by", *(TITLES[metric] for metric in BETTER)]
    text = pd.DataFrame(lines, columns=titles)
    return text.assign(Pretext=once(text["Pretext"]))


def _cell(row: pd.Series) -> str:
    if np.isnan(row["value"]):
        return NOTHING
    value, rest = interval(row, "value").split(" ", 1)
    return f"{f'**{value}**' if row['best'] else value}{'†' if row['better'] else ''} {rest}"
