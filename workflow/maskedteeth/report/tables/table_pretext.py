"""The pretext's metrics (section 4.1), over all and over the masked pixels, beside fillers.

Fillers learnt nothing; they show what the pretext's network is worth.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from maskedteeth.report.about import about_pretext
from maskedteeth.report.results import read_rows
from maskedteeth.report.statistics import (
    TAIL,
    bootstrap_weights,
    estimate,
    percentiles,
    resampled_means,
    too_narrow,
)
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
COLUMNS += ["value", "value_low", "value_high", "value_sd"]
COLUMNS += [
    f"to_{rival}{bound}" for rival in (NETWORK, COMPOSITE) for bound in ("", "_low", "_high")
]
LEGEND = (
    "The network sees a radiograph with masked parts and draws the whole radiograph. *Network*: "
    "its drawing as it is. It also draws the visible pixels anew, and not exactly. The paper "
    "measures this, so the paper's values stand beside it. *Network, visible pixels kept*: the "
    "network's pixels inside the masks, the radiograph's own outside.",
    "The other rows fill the same masks with something that learnt nothing, and keep the visible "
    "pixels. *Inpainting*: OpenCV's Navier-Stokes method (Bertalmio 2001) with a radius of 3 "
    "pixels. *Image mean*: the mean of the radiograph's visible pixels. *Unfilled*: the masks "
    "stay as they are. A network with Sobel guidance also sees the edges inside the masks "
    "(section 3.2 of the paper); the fillers do not.",
    "SSIM and FSIM: higher is better. LPIPS and L1: lower is better. **Bold**: the best value of a "
    "pretext in that column.",
    "†: this filler is better than the network, and the difference on the same radiographs is "
    "larger than chance explains (intervals corrected for all comparisons here, by Bonferroni). "
    "Without †, the filler is not shown to be better, and the network may or may not be. Over the "
    "whole radiograph, fillers are compared with *Network*; over the masked pixels, with *Network, "
    "visible pixels kept*, because the fillers keep these, too. The intervals do not show how "
    "results vary when the pretext is trained again.",
    "*Masked pixels alone*: SSIM, LPIPS and L1 are averaged, and the sums of FSIM taken, over the "
    "masked pixels only. SSIM, FSIM and LPIPS look at the surroundings of a pixel, so visible "
    "pixels still count a little near the edge of a block. The paper gives no such values.",
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
        Columns of :func:`compare`, value_published and value_difference (ours minus the paper's: of
        the network's output over all pixels), and protocol.
    """
    network = read_rows(*metrics).assign(filler=NETWORK)
    names = list(network["pretext"].unique())
    images = pd.concat([network, read_rows(*fillers)], ignore_index=True)
    images = images.sort_values("pretext", key=lambda name: name.map(names.index), kind="stable")
    table = compare(images, report.bootstrap_resamples)
    paper = read_rows(published).set_index("metric")["value"].reindex(list(BETTER))
    of_paper = (table["filler"] == NETWORK) & (table["pixels"] == "all")
    table["value_published"] = table["metric"].map(paper).where(of_paper)
    table["value_difference"] = table["value"] - table["value_published"]

    in_print, masks = _masked(network)
    marked = table.assign(better=[_is_better(row) for _, row in table.iterrows()])
    parts = (
        Part(_text(marked[marked["pixels"] == pixels], in_print, paper), title)
        for pixels, (_, title) in PIXELS.items()
        if (marked["pixels"] == pixels).any()
    )
    unavailable = (
        "LPIPS was not measured: `evaluation.lpips` is off, or its weights could not be had."
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
        lead=f"{_lead(marked)} {about_pretext(report, runs)} {unavailable}".rstrip(),
        notes=(*LEGEND, intervals.rstrip(), masks),
    )


def compare(images: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Average over radiographs, with intervals, and compare the fillers with the network.

    ``images`` has a row a pretext, filler and test radiograph, the filler "network" first: pretext,
    filler, id, and the metrics over all and over the masked pixels.

    Returns:
        A row a pretext, pixels ("all" or "masked"), filler and metric: pretext, pixels, filler,
        metric, radiographs (measured), value (their mean), value_sd (sample standard deviation),
        value_low and value_high (95 % percentile bootstrap interval); to_network (the filler's
        mean minus the network's) and to_composite (minus the network's with the visible pixels
        kept) over the radiographs that both were measured on, each with _low and _high, the bounds
        of intervals that all m of these together hold what they are of in 95 % of studies: each
        leaves out 5 %/m (Bonferroni). What compares is NaN for network and composite; all is NaN
        where nothing was measured. A pretext that masks nothing has no rows of masked pixels.
    """
    rows, compared = [], []
    for pretext, group in images.groupby("pretext", sort=False):
        ids = list(dict.fromkeys(group["id"]))
        weights = bootstrap_weights(len(ids), resamples)
        fillers = group.groupby("filler", sort=False)
        wide = {filler: part.set_index("id").reindex(ids) for filler, part in fillers}
        shown = PIXELS if group["hidden"].any() else {"all": PIXELS["all"]}
        for pixels, filler, metric in product(shown, wide, BETTER):
            column = metric + PIXELS[pixels][0]
            values = wide[filler][column]
            row = {"pretext": pretext, "pixels": pixels, "filler": filler, "metric": metric}
            row |= {"radiographs": int(values.count()), "value_sd": values.std(ddof=1)}
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


def _masked(network: pd.DataFrame) -> tuple[dict[str, str], str]:
    """Return the pretexts' names in print, and how much they mask.

    Where they differ in that, so do their tasks, and the names say it, too.
    """
    alike = network.groupby("id")["hidden"].nunique().max() == 1
    names, said = {}, {}
    for name, share in network.groupby("pretext", sort=False)["hidden"]:
        names[name] = name if alike else f"{name} ({share.mean():.1%} masked)"
        said[name] = f"{share.mean():.1%} of the pixels ({share.min():.1%} to {share.max():.1%})"
    if alike:
        return names, f"Masked: {next(iter(said.values()))}."
    return names, (
        f"Masked: {'; '.join(f'{name}, {share}' for name, share in said.items())}. These pretexts "
        "mask different pixels, so their tasks differ: do not compare their values."
    )


def _lead(table: pd.DataFrame) -> str:
    """Say which fillers that learnt nothing are better than each pretext's network."""
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
            "**Ways to fill the masks that learnt nothing and yet are better than the "
            f"network{whose}:** over the whole radiograph, as the paper measures, {found['all']}; "
            f"over the masked pixels alone, {found['masked']}."
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
