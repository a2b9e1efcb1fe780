"""The pretext's metrics (section 4.1), over all and over the masked pixels, beside fillers."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about_pretext
from maskedteeth.report.reconstructions import (
    BETTER,
    COMPOSITE,
    NETWORK,
    better,
    compare,
    read_reconstructions,
    worse,
)
from maskedteeth.report.results import read_rows
from maskedteeth.report.statistics import too_narrow
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import NOTHING, TITLES, interval, number, once
from maskedteeth.settings.sections import Presentation

FILLERS = {
    NETWORK: "Network",
    COMPOSITE: "Network, visible pixels kept",
    "inpainting": "Inpainting",
    "image_mean": "Image mean",
    "unfilled": "Unfilled",
}
#: The same in a sentence.
IN_TEXT = {
    "inpainting": "inpainting",
    "image_mean": "the image mean",
    "unfilled": "the unfilled input",
}
PAPER, MINUS_PAPER = "Paper", "Network minus paper"
PIXELS = {"all": "Whole radiograph", "masked": "Masked pixels alone"}
ABOUT_NETWORK = (
    "The network sees a radiograph with masked blocks and draws the whole radiograph. *Network*: "
    "its drawing as it is. It also draws the visible pixels anew, and not exactly. The paper "
    "measures this, so the paper's values stand beside it. *Network, visible pixels kept*: the "
    "network's pixels inside the blocks, the radiograph's own outside."
)
ABOUT_FILLERS = (
    "The other rows fill the same blocks with something that learnt nothing, and keep the visible "
    "pixels. *Inpainting*: OpenCV's Navier-Stokes method (Bertalmio 2001) with a radius of 3 "
    "pixels. *Image mean*: the mean of the radiograph's visible pixels. *Unfilled*: the blocks "
    "stay as they are. A network with Sobel guidance also sees the edges inside the blocks "
    "(section 3.2 of the paper); the fillers do not."
)
ABOUT_SIGNS = (
    "SSIM and FSIM: higher is better. LPIPS and L1: lower is better. **Bold**: the best value of a "
    "pretext in that column. †: the filler is better than the network's drawing. That is, the "
    "interval of their difference on the same radiographs does not contain zero. These intervals "
    "are widened for the number of comparisons in this table (Bonferroni), so that all of them are "
    "right in 95% of studies. No † is no proof that the network is better. What training the "
    "pretext again would change is in no interval."
)
ABOUT_MASKED = (
    "*Masked pixels alone*: SSIM, LPIPS and L1 are averaged, and the sums of FSIM taken, over the "
    "masked pixels only. SSIM, FSIM and LPIPS look at the surroundings of a pixel, so visible "
    "pixels still count a little near the edge of a block. The paper gives no such values."
)


def table_pretext(
    report: Presentation,
    *,
    metrics: list[Path],
    fillers: list[Path],
    published: Path,
    runs: list[Path],
) -> Table:
    """Make the table of the pretexts' metrics.

    Args:
        report: dataset, protocol, resamples.
        metrics: ``metrics.csv`` of all pretexts.
        fillers: ``fillers.csv`` of the same.
        published: the paper's values as CSV: metric, value.
        runs: records of all pretexts.

    Returns:
        Columns of :func:`maskedteeth.report.reconstructions.compare`, value_published and
        value_difference (ours minus the paper's: of the network's output over all pixels), and
        protocol.
    """
    images = read_reconstructions(metrics, fillers)
    table = compare(images, report.bootstrap_resamples)
    paper = read_rows(published).set_index("metric")["value"]
    of_paper = (table["filler"] == NETWORK) & (table["pixels"] == "all")
    table["value_published"] = table["metric"].map(paper).where(of_paper)
    table["value_difference"] = table["value"] - table["value_published"]

    network = images[images["filler"] == NETWORK]
    names, masks = hidden(network)
    shown = table.assign(pretext=table["pretext"].map(names))
    parts = (
        Part(text_of(shown[shown["pixels"] == pixels], paper if pixels == "all" else None), title)
        for pixels, title in PIXELS.items()
    )
    count = int(network.groupby("pretext").size().min())
    intervals = (
        f"Each cell: mean over the {count} test radiographs and its 95% bootstrap interval, from "
        f"{report.bootstrap_resamples:,} draws of the radiographs. {too_narrow(count)}"
    )
    unavailable = (
        "LPIPS was not measured: `evaluation.lpips` is off, or its weights could not be had."
        if table.loc[table["metric"] == "lpips", "value"].isna().any()
        else ""
    )
    legend = (ABOUT_NETWORK, ABOUT_FILLERS, ABOUT_SIGNS, ABOUT_MASKED, intervals, masks)
    return Table(
        title="The pretext's metrics on the test radiographs",
        frame=table.assign(protocol=report.protocol),
        parts=tuple(parts),
        lead=f"{lead(table)} {about_pretext(report, runs)} {unavailable}".rstrip(),
        notes=tuple(note.rstrip() for note in legend),
    )


def hidden(network: pd.DataFrame) -> tuple[dict[str, str], str]:
    """Say how much the pretexts mask; where they differ in that, say it in their names, too.

    Args:
        network: the rows of one filler, of :func:`read_reconstructions`.

    Returns:
        Each pretext's name in print, and a sentence or two.
    """
    groups = dict(list(network.groupby("pretext", sort=False)["hidden"]))
    if network.groupby("id")["hidden"].nunique().max() == 1:
        return {name: name for name in groups}, f"Masked: {_share(network['hidden'])}."
    names = {name: f"{name} ({share.mean():.1%} masked)" for name, share in groups.items()}
    masks = "; ".join(f"{name}, {_share(share)}" for name, share in groups.items())
    return names, (
        f"Masked: {masks}. These pretexts mask different blocks, so their tasks differ: compare no "
        "value of one with that of another."
    )


def _share(hidden: pd.Series) -> str:
    return f"{hidden.mean():.1%} of the pixels ({hidden.min():.1%} to {hidden.max():.1%})"


def lead(table: pd.DataFrame) -> str:
    """Say of every pretext how the fillers that learnt nothing compare with the network."""
    several = table["pretext"].nunique() > 1
    said = []
    for pretext, group in table.groupby("pretext", sort=False):
        whole, masked = (group[group["pixels"] == pixels] for pixels in PIXELS)
        said.append(
            f"**{f'{pretext}: ' if several else ''}Does the network fill the blocks better than "
            "something that learnt nothing?** Over the whole radiograph, as the paper measures: "
            f"{outcome(whole, NETWORK)} Inside the blocks alone: {outcome(masked, COMPOSITE)}"
        )
    return " ".join(said)


def outcome(table: pd.DataFrame, than: str) -> str:
    """Say how the fillers compare with the network: better, undecided or worse.

    Args:
        table: rows of one pretext and of the same pixels, of
            :func:`maskedteeth.report.reconstructions.compare`.
        than: NETWORK for its output as it is, COMPOSITE with the visible pixels kept.
    """
    compared = table[table[f"to_{than}"].notna()]
    above, below = better(compared, than), worse(compared, than)
    said = []
    if above.any():
        said.append(f"better than the network: {_by_filler(compared[above])}")
    if (~above & ~below).any():
        said.append(f"undecided: {_by_filler(compared[~above & ~below])}")
    if below.any():
        which = "all" if below.all() else "the other"
        said.append(f"the network is better in {which} {below.sum()} comparisons")
    return "; ".join(said) + "."


def _by_filler(table: pd.DataFrame) -> str:
    return " and ".join(
        f"{IN_TEXT.get(filler, filler)} ({', '.join(rows['metric'].map(TITLES))})"
        for filler, rows in table.groupby("filler", sort=False)
    )


def text_of(table: pd.DataFrame, paper: pd.Series | None) -> pd.DataFrame:
    """Print a line a pretext and filler, below a line of the paper's values where given."""
    lines = []
    if paper is not None:
        values = {TITLES[name]: number(paper.get(name, math.nan), ".3f") for name in BETTER}
        lines.append({"Pretext": PAPER, "Blocks filled by": FILLERS[NETWORK]} | values)
    signed = table["value"] * table["metric"].map(BETTER)
    best = signed.groupby([table["pretext"], table["metric"]]).transform("max") == signed
    marked = better(table, NETWORK)
    for (pretext, filler), rows in table.groupby(["pretext", "filler"], sort=False):
        cells = {
            TITLES[row["metric"]]: _cell(row, best[place], marked[place])
            for place, row in rows.iterrows()
        }
        lines.append({"Pretext": pretext, "Blocks filled by": FILLERS.get(filler, filler)} | cells)
        if paper is not None and filler == NETWORK:
            to_paper = rows.set_index("metric")["value_difference"]
            cells = {TITLES[name]: number(to_paper[name], "+.3f") for name in BETTER}
            lines.append({"Pretext": pretext, "Blocks filled by": MINUS_PAPER} | cells)
    text = pd.DataFrame(lines)
    return text.assign(Pretext=once(text["Pretext"]))


def _cell(row: pd.Series, best: bool, marked: bool) -> str:
    if math.isnan(row["value"]):
        return NOTHING
    value, rest = interval(row, "value").split(" ", 1)
    return f"{f'**{value}**' if best else value}{'†' if marked else ''} {rest}"
