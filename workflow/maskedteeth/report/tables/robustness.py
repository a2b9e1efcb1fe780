"""Methods that are trained on errors in the annotations, by errors; not in the paper."""

from pathlib import Path

import pandas as pd

from maskedteeth.report.about import about
from maskedteeth.report.chance import bootstrap_weights, counts_by_seed, estimate, pooled_scores
from maskedteeth.report.evidence import COMPARED
from maskedteeth.report.results import RUN, mean_over_seeds, pooled_by_run, read_rows
from maskedteeth.report.table import Part, Table
from maskedteeth.report.tables.layout import deviating, interval, number, once
from maskedteeth.report.tables.numbering import scored
from maskedteeth.settings.sections import CLEAN, Noise, Presentation

#: What there is more where teeth are numbered: column → name in print; and what it is.
NUMBERS = {"tooth_dice": "Dice of a tooth", "found": "Found", "right": "Rightly numbered"}
NUMBERED = (
    "*Dice of a tooth*, *Found*, *Rightly numbered*: on the test radiographs, as in the table of "
    "numbered teeth. In *Given*, *Prediction* and *Gain* a pixel is right if its number is."
)


def robustness(
    report: Presentation,
    noise: dict[str, Noise],
    *,
    metrics: list[Path],
    corrections: list[Path],
    runs: list[Path],
    numbering: list[Path] = (),  # type: ignore[assignment]
) -> Table:
    """Make the table of errors in annotations.

    Args:
        report: what tables say.
        noise: the methods with errors, and those that are the same without.
        metrics: ``metrics.csv`` of all methods.
        corrections: ``corrections.csv`` of those with errors.
        runs: records of all trainings and evaluations.
        numbering: where teeth are numbered, ``numbering.csv`` of all methods.

    Returns:
        What :func:`by_errors` does, its method as model, and protocol.
    """
    table = by_errors(noise, metrics, corrections, report.bootstrap_resamples, numbering)
    table.insert(0, "model", table.pop("method").map(report.labels))
    rows = [row for _, row in table.iterrows()]
    text = pd.DataFrame(
        {
            "Model": once(table["model"]),
            "Errors": table["errors"],
            "Train. data": table["fraction"].astype(str),
            "Dice": [deviating(row, "dice", ".3f") for row in rows],
            **{
                title: [deviating(row, column, ".3f") for row in rows]
                for column, title in NUMBERS.items()
                if column in table
            },
            "Given": [number(row["given"], ".3f") for row in rows],
            "Prediction": [number(row["prediction"], ".3f") for row in rows],
            "Gain": [interval(row, "gain", "+.3f") for row in rows],
        }
    )
    return Table(
        title="Errors in the training annotations",
        frame=table.assign(protocol=report.protocol),
        parts=(Part(text),),
        lead=about(report, runs),
        notes=(
            "*Errors*: added to the training annotations (drop and swap: shares of the teeth; "
            "coarse, shift and grow: pixels). *Dice*: teeth against background on the test "
            "radiographs, whose annotations stay unchanged; pooled, and averaged over seeds ± "
            "their standard deviation.",
            "*Given* and *Prediction*: on the training radiographs, Dice of the annotation with "
            "errors and of the network's prediction, both with the right annotation. *Gain*: "
            "prediction minus given; above zero the prediction is nearer to the right annotation "
            "than what the network learnt from (section 4.3). In brackets: 95 % bootstrap "
            f"intervals ({report.bootstrap_resamples:,} draws of the radiographs). Those in the "
            "table of claims also include chance in training.",
            "The right annotation is the dataset's. Errors in it count as right here.",
            *([NUMBERED] if numbering else []),
        ),
    )


def by_errors(
    noise: dict[str, Noise],
    metrics: list[Path],
    corrections: list[Path],
    resamples: int,
    numbering: list[Path],
) -> pd.DataFrame:
    """Average what methods with and without errors reach.

    Returns:
        A row a method without errors (or the first with them), errors and fraction, in the order of
        the study: method, errors, fraction, seeds, dice with dice_sd, and, NaN without errors,
        given, prediction and gain with gain_low and gain_high; where teeth are numbered also
        tooth_dice, found and right with their ``_sd``.
    """
    means = mean_over_seeds(pooled_by_run(read_rows(*metrics)), ("dice",))
    if numbering:
        teeth = scored(read_rows(*numbering)).rename(columns={"dice": "tooth_dice"})
        by_run = teeth.groupby(RUN, sort=False)[[*NUMBERS]].mean().reset_index()
        of_teeth = mean_over_seeds(by_run, tuple(NUMBERS)).drop(columns="seeds")
        means = means.merge(of_teeth, "left", on=["method", "fraction"])
    means = means[means["method"].isin(noise)]
    measured = dict(list(read_rows(*corrections).groupby(["method", "fraction"], sort=False)))
    rows = []
    for _, mean in means.iterrows():
        about_it = noise[mean["method"]]
        row = {"method": about_it.base, "errors": about_it.errors}
        row |= mean.drop("method").to_dict()
        if about_it.errors != CLEAN:
            row |= _gain(measured[mean["method"], mean["fraction"]], resamples)
        rows.append(row)
    order = {name: place for place, name in enumerate(dict.fromkeys(row["method"] for row in rows))}
    return pd.DataFrame(rows).sort_values("method", key=lambda m: m.map(order), kind="stable")


def _gain(compared: pd.DataFrame, resamples: int) -> dict[str, float]:
    weights = bootstrap_weights(compared["id"].nunique(), resamples)
    prediction, given = (
        pooled_scores(counts_by_seed(compared[compared["of"] == of]), weights)["dice"]
        for of in COMPARED
    )
    gain = estimate("gain", prediction - given)
    return {"given": float(given[0]), "prediction": float(prediction[0]), **gain}
