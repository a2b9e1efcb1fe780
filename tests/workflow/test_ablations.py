"""The ablations, and the pretexts that docs/extending.md adds, run on any dataset."""

import json
import re
from pathlib import Path

import pandas as pd

EXTENDING = Path(__file__).parents[2] / "docs" / "extending.md"
#: What each pretext of theirs masks on average, at the least and at the most.
MASKED = {"denoising": (0, 0), "noise": (0, 0), "patches_25": (0.25, 0.25)}
MASKED |= {"patches": (0.75, 0.75), "patches_75": (0.75, 0.75)}


def test_the_ablations_and_the_documented_pretexts_are_one_study(project, tmp_path):
    project = project.copy(tmp_path / "project")
    (settings,) = re.findall(r"```yaml\n(pretext:\n  patches.*?)```", EXTENDING.read_text(), re.S)
    (project.folder / "more.yaml").write_text(settings + "split: {fractions: [0.2]}\n")
    project.settings += ["config/ablations.yaml", "more.yaml"]
    project.snakemake("table2", "table_pretext", "claims", "figure6")

    tables = project.folder / "results/ablations/tables"
    dice, pretexts, claims = (
        pd.read_csv(tables / f"{name}.csv") for name in ("table2", "table_pretext", "claims")
    )
    methods = {"Without Sobel", "Encoder alone taken over", "No pretext, as many steps"}
    methods |= {"Pretext four times as long", "Patches", "Noise, encoder alone"}
    assert methods < set(dice["model"])
    # Every ablation changes what is learnt; one of the documented pretexts is there already.
    assert dice["model"][dice["dice"].duplicated()].tolist() == ["Patches"]
    for name, (least, most) in MASKED.items():
        metrics = project.folder / "results/ablations/pretext" / name / "metrics.csv"
        assert pd.read_csv(metrics)["hidden"].between(least, most).all()
        assert (most > 0) == (set(pretexts["pixels"][pretexts["pretext"] == name]) > {"all"})
    results = project.folder / "results/ablations"
    method = "runs/{}/fraction-0.2/seed-42/run.json"
    control, trained, pretrained = (
        json.loads((results / record).read_text())["steps"]
        for record in (
            method.format("no_pretext"),
            method.format("random_block_masking"),
            "pretext/random_block_masking/run.json",
        )
    )
    assert control == trained + pretrained
    assert claims.set_index("claim").loc["sobel_guides", "ours"] != "not tested"
