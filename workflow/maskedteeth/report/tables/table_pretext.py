"""The pretext's metrics (section 4.1), over all and over the masked pixels, beside fillers."""

import math
from pathlib import Path

import pandas as pd

from maskedteeth.errors import InputError
from maskedteeth.metrics.lpips_weights import unavailable_reason
from maskedteeth.report.about import about_pretext, stamped
from maskedteeth.report.reading import MEND, read_values
from maskedteeth.report.reconstructions import (
    BETTER,
    COMPOSITE,
    NETWORK,
    better,
    compare,
    read_reconstructions,
    worse,
)
from maskedteeth.report.statistics import FEW
from maskedteeth.report.tables.layout import MINUS_PAPER, NOTHING, PAPER, TITLES, number
from maskedteeth.report.tables.sections import Section, write_sections
from maskedteeth.settings.jobs import ReportJob

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
SECTIONS = {"all": "Whole radiograph", "masked": "Masked pixels alone"}
LEGEND = [
    "*Network*: its output as it is, which redraws the visible pixels too. This is what the paper "
    "measures, so its values stand beside ours. *Visible pixels kept*: the network's pixels only "
    "where masked, the radiograph's elsewhere.",
    "Fillers that learnt nothing, with the visible pixels kept, behind the same masks: "
    "*inpainting*, OpenCV's Navier-Stokes method (Bertalmio 2001) with a radius of 3 pixels; "
    "*image mean*, that of the radiograph's visible pixels; *unfilled*, the masked input itself.",
    "A network with Sobel guidance is also shown the edges behind the masks (section 3.2); no "
    "filler is.",
    "SSIM and FSIM: higher is better; LPIPS and L1: lower. **Bold**: a pretext's best value of a "
    "column (the paper's left aside). †: a filler that was shown to be better than the network's "
    "output: the interval of the paired difference lies beyond zero, at a level as many times "
    "stricter than 95 % as the table has comparisons (Bonferroni). That none was shown to be "
    "better does not show that none is; and what another training of the pretext would change is "
    "in no interval.",
]
MASKED_NOTE = (
    "Means over the masked pixels of SSIM's, LPIPS' and L1's maps, and FSIM with both of its sums "
    "over the masked pixels. SSIM's windows, FSIM's filters and LPIPS' layers reach beyond a "
    "pixel, so near a mask's edge visible pixels have a say too. The paper gives no such values."
)


def table_pretext(
    settings: ReportJob,
    *,
    metrics: list[Path],
    fillers: list[Path],
    lpips: Path,
    published: Path,
    csv: Path,
    md: Path,
    tex: Path,
    runs: list[Path] = (),  # type: ignore[assignment]
) -> None:
    """Write the table of the pretexts' metrics.

    Args:
        settings: dataset, protocol, resamples.
        metrics: ``metrics.csv`` of all pretexts, in folders named like them.
        fillers: ``fillers.csv``, likewise.
        lpips: file of the stage `lpips-weights`, which says why LPIPS is missing where it is.
        published: the paper's values as CSV: metric, value.
        csv: file to write: the columns of :func:`maskedteeth.report.reconstructions.compare`,
            value_published and value_difference (ours minus the paper's: of the network's output
            over all pixels).
        md: file to write.
        tex: file to write.
        runs: ``run.json`` of all pretexts.
    """
    images = read_reconstructions(metrics, fillers)
    table = compare(images, settings.bootstrap_resamples)
    paper = read_values(published, ("metric",), ("value",)).set_index("metric")["value"]
    of_paper = (table["filler"] == NETWORK) & (table["pixels"] == "all")
    table["value_published"] = table["metric"].map(paper).where(of_paper)
    table["value_difference"] = table["value"] - table["value_published"]

    names, masks = hidden(images[images["filler"] == NETWORK])
    shown = table.assign(pretext=table["pretext"].map(names))
    sections = [
        Section(
            title,
            section_text(shown[shown["pixels"] == pixels], paper if pixels == "all" else None),
            MASKED_NOTE if pixels == "masked" else "",
            "l" * (2 + len(BETTER)),
        )
        for pixels, title in SECTIONS.items()
    ]
    count = images.loc[images["filler"] == NETWORK].groupby("pretext").size().min()
    intervals = (
        f"Each cell: mean over the {count} test radiographs with its 95 % percentile bootstrap "
        f"interval, {settings.bootstrap_resamples:,} resamples of the radiographs."
    )
    if count < FEW:
        intervals += f" With {count} such intervals are too narrow; take them as a hint."
    legend = [*LEGEND, intervals, f"{masks} {about_pretext(settings, runs)}"]
    if table.loc[table["metric"] == "lpips", "value"].isna().any():
        reason = why_not(lpips) or "it was not measured"
        legend.append(f"LPIPS is not available: {reason.rstrip('.')}.")
    title = "The pretext's metrics on the test radiographs"
    stated = stamped(table, settings)
    write_sections(stated, title, lead(table), sections, legend, csv, md, tex)


def hidden(network: pd.DataFrame) -> tuple[dict[str, str], str]:
    """Say how much the pretexts hide, and where they differ in that, say it in their names, too.

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
        f"Masked: {masks}. These pretexts hide different blocks, so that their tasks differ: "
        "compare no value of one with that of another."
    )


def _share(hidden: pd.Series) -> str:
    return f"{hidden.mean():.1%} of the pixels ({hidden.min():.1%} to {hidden.max():.1%})"


def why_not(lpips: Path) -> str | None:
    """Return why there are no weights for LPIPS; None where there are.

    Raises:
        InputError: the file is missing, damaged or a folder.
    """
    try:
        return unavailable_reason(lpips)
    except OSError as error:
        raise InputError(f"{lpips} cannot be read: {error}. {MEND}") from None


def lead(table: pd.DataFrame) -> str:
    """Say, for every pretext, what was shown of fillers that learnt nothing and the network."""
    several = table["pretext"].nunique() > 1
    sentences = []
    for pretext, group in table.groupby("pretext", sort=False):
        whole, masked = (group[group["pixels"] == pixels] for pixels in SECTIONS)
        kept, behind = outcome(whole, COMPOSITE), outcome(masked, COMPOSITE)
        ends = (
            f"{kept}, over the whole radiograph and over the masked pixels alone."
            if kept == behind
            else f"{kept}; over the masked pixels alone, {behind}."
        )
        sentences.append(
            f"**{f'{pretext}: ' if several else ''}Over the whole radiograph, as the paper "
            f"measures it, {outcome(whole, NETWORK)}.** With the visible pixels kept, {ends}"
        )
    return " ".join(sentences)


def outcome(table: pd.DataFrame, than: str) -> str:
    """Say which fillers were shown to be better than the network, and which not even worse.

    Args:
        table: rows of one pretext and of the same pixels, of
            :func:`maskedteeth.report.reconstructions.compare`.
        than: NETWORK for its output as it is, COMPOSITE with the visible pixels kept.
    """
    compared = table[table[f"to_{than}"].notna()]
    above, below = better(compared, than), worse(compared, than)
    ahead, level = _by_filler(compared[above]), _by_filler(compared[~above & ~below])
    text = " and ".join(
        f"{name} was shown to be better than the network by {by}" for name, by in ahead
    )
    text = text or "no filler was shown to be better than the network"
    if level:
        undecided = " and ".join(f"{name} was not told apart from it by {by}" for name, by in level)
        text += f", {'and' if ahead else 'but'} {undecided}"
    return text


def _by_filler(table: pd.DataFrame) -> list[tuple[str, str]]:
    return [
        (IN_TEXT.get(filler, filler), _listed(list(rows["metric"].map(TITLES))))
        for filler, rows in table.groupby("filler", sort=False)
    ]


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def section_text(table: pd.DataFrame, paper: pd.Series | None) -> pd.DataFrame:
    """Print one section's rows, a line a pretext and filler, below a line of the paper's values."""
    lines = []
    if paper is not None:
        values = {TITLES[name]: number(paper.get(name, math.nan), ".3f") for name in BETTER}
        lines.append({"Pretext": PAPER, "Behind the masks": FILLERS[NETWORK]} | values)
    signed = table["value"] * table["metric"].map(BETTER)
    best = signed.groupby([table["pretext"], table["metric"]]).transform("max") == signed
    marked = better(table, NETWORK)
    for (pretext, filler), rows in table.groupby(["pretext", "filler"], sort=False):
        cells = {
            TITLES[row["metric"]]: _cell(row, best[place], marked[place])
            for place, row in rows.iterrows()
        }
        lines.append({"Pretext": pretext, "Behind the masks": FILLERS.get(filler, filler)} | cells)
        if paper is not None and filler == NETWORK:
            to_paper = rows.set_index("metric")["value_difference"]
            cells = {TITLES[name]: number(to_paper[name], "+.3f") for name in BETTER}
            lines.append({"Pretext": pretext, "Behind the masks": MINUS_PAPER} | cells)
    text = pd.DataFrame(lines)
    text["Pretext"] = text["Pretext"].where(text["Pretext"] != text["Pretext"].shift(), "")
    return text


def _cell(row: pd.Series, best: bool, marked: bool) -> str:
    if math.isnan(row["value"]):
        return NOTHING
    value, low, high = (number(row[name], ".3f") for name in ("value", "value_low", "value_high"))
    value = f"**{value}**" if best else value
    dagger = "†" if marked else ""
    return f"{value}{dagger} [{low}, {high}]"
