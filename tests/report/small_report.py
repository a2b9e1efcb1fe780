"""A small finished study, its tables written by their stages, and the report on it."""

import json
from pathlib import Path

import numpy as np
from records import RECORD
from safetensors.numpy import save_file

from maskedteeth.cli import main
from maskedteeth.files import write_csv, write_json
from maskedteeth.report.figures.panels import Picture, draw_grid
from maskedteeth.settings.jobs import PageJob

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "workflow" / "maskedteeth" / "report" / "page"
PUBLISHED = ROOT / "config" / "published"
LABELS = {"unet": "U-Net", "random_block_masking": "Random Block Masking + Modified ResUNet"}
SETTINGS = {
    "study": "small",
    "source": "phantom",
    "dataset": "digital phantom",
    "protocol": "fixed-test",
    "threshold": 0.5,
    "boundary_tolerance": 2,
    "labels": LABELS,
    "short_labels": {"unet": "U-Net", "random_block_masking": "Our approach"},
    "ours": "random_block_masking",
    "bootstrap_resamples": 200,
    "changed": {"study": "small", "training": {"epochs": 5}, "methods": {"pspnet": None}},
}
FRACTIONS, SEEDS, RADIOGRAPHS = (0.2, 0.25, 0.8), (42, 0), 8
#: What an evaluation notes down, as a training does.
EVALUATED = ("code", "packages", "device", "precision", "threads", "python", "system", "git_commit")
TABLES = (
    "table1",
    "table2",
    "table3",
    "table_pretext",
    "statistics",
    "boundary",
    "claims",
    "audit",
    "cost",
)
FIGURES = (*(f"figure{number}" for number in range(1, 10)), "dice_by_fraction", "differences")


class SmallReport:
    """The files of a study in a folder, as the workflow would have made them.

    Args:
        folder: to write to.
        pretext: whether it has one.
        figures: names of those that are drawn.
        like: another one, whose audit this one has: nothing of a study enters that.
        **changes: of :data:`SETTINGS`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        pretext: bool = True,
        figures: tuple[str, ...] = FIGURES,
        like: "SmallReport | None" = None,
        **changes,
    ):
        self.folder, self.settings, self.figures = folder, SETTINGS | changes, figures
        self.tables = [name for name in TABLES if pretext or name != "table_pretext"]
        generator = np.random.default_rng(0)
        runs = [
            self._write_run(generator, method, fraction, seed)
            for method in self.settings["labels"]
            for fraction in FRACTIONS
            for seed in SEEDS
        ]
        records = runs + ([self._write_pretext(generator)] if pretext else [])
        self.metrics = [folder / "metrics.csv" for folder in runs]
        self.runs = [f / name for f in records for name in ("run.json", "evaluation.json")]
        write_csv(folder / "index.csv", [{"id": str(n), "labelled": "1"} for n in range(60)])
        write_csv(folder / "problems.csv", [], ("id", "reason"))
        proof = {"test": [str(n) for n in range(RADIOGRAPHS)], "compared": 416}
        write_json(folder / "guard.json", proof)
        for name in self.tables:
            if like and name == "audit":
                for kind in ("csv", "md"):
                    self.table(name, kind).write_bytes(like.table(name, kind).read_bytes())
            else:
                self._write_table(name)
        for number, name in enumerate(figures):
            self._draw(generator, number, name)

    def _write_run(self, generator, method: str, fraction: float, seed: int) -> Path:
        folder = self.folder / "runs" / method / f"fraction-{fraction:g}" / f"seed-{seed}"
        rows = []
        for radiograph in range(RADIOGRAPHS):
            tp, fp, fn = generator.integers(50, 900), *generator.integers(5, 80, 2)
            dice = 2 * tp / (2 * tp + fp + fn)
            rows.append(
                {"method": method, "fraction": fraction, "seed": seed, "id": radiograph}
                | {"tp": tp, "fp": fp, "fn": fn, "tn": 2000 - tp - fp - fn}
                | {"dice": dice, "nsd": dice, "hd95": 100 * (1 - dice)}
            )
        write_csv(folder / "metrics.csv", rows)
        settings = {"fraction": fraction, "seed": seed, "model": {"architecture": "unet"}}
        self._write_records(folder, settings, [round(60 * fraction), 32, 64])
        return folder

    def _write_pretext(self, generator) -> Path:
        folder = self.folder / "pretext" / "random_block_masking"
        rows = []
        for radiograph in range(RADIOGRAPHS):
            values = generator.uniform(0.6, 0.9, 4)
            row = {"id": str(radiograph), "hidden": 0.4}
            for metric, value in zip(("ssim", "lpips", "fsim", "l1"), values, strict=True):
                row |= {metric: "" if metric == "lpips" else value}
                row |= {f"{metric}_masked": "" if metric == "lpips" else value / 2}
            rows.append(row)
        write_csv(folder / "metrics.csv", rows)
        fillers = [{"filler": f} | row for f in ("composite", "unfilled") for row in rows]
        write_csv(folder / "fillers.csv", fillers)
        why = {"about": json.dumps({"available": "no", "reason": "it is switched off"})}
        save_file({}, self.folder / "lpips.safetensors", metadata=why)
        self._write_records(folder, {"model": {"architecture": "unet"}}, [54, 32, 64])
        return folder

    def _write_records(self, folder: Path, settings: dict, radiographs: list[int]) -> None:
        record = RECORD | {
            "settings": settings,
            "modules": ["maskedteeth.models.baselines"],
            "device": "A processor",
            "radiographs": radiographs,
        }
        write_json(folder / "run.json", record)
        evaluation = {key: RECORD[key] for key in EVALUATED} | {"settings": settings}
        evaluation |= {"modules": ["maskedteeth.metrics.evaluate"], "device": record["device"]}
        evaluation |= {"inputs_sha256": {"weights": record["weights_sha256"]}, "seconds": 20.0}
        write_json(folder / "evaluation.json", evaluation)

    def _write_table(self, name: str) -> None:
        files = {kind: self.table(name, kind) for kind in ("csv", "md", "tex")}
        flags: dict[str, list] = {kind: [file] for kind, file in files.items()}
        paper = {
            key: [PUBLISHED / f"{key}.csv"] for key in ("table2", "table3", "pretext", "models")
        }
        pretexts = sorted((self.folder / "pretext").glob("*/metrics.csv"))
        ours = [file for file in self.metrics if self.settings["ours"] in file.parts]
        if name in ("table1", "table2", "table3"):
            flags["metrics"] = ours if name == "table3" else self.metrics
            flags["published"] = [PUBLISHED / f"{name}.csv"]
        elif name == "audit":
            flags |= paper | {k: [PUBLISHED / f"{k}.csv"] for k in ("table1", "sentences")}
        elif name == "claims":
            flags |= paper | {"metrics": self.metrics, "claims": [ROOT / "config" / "claims.yaml"]}
            flags |= {"pretexts": pretexts} if pretexts else {}
        elif name == "table_pretext":
            flags |= {"metrics": pretexts, "published": [PUBLISHED / "pretext.csv"]}
            flags["fillers"] = [file.with_name("fillers.csv") for file in pretexts]
            flags["lpips"] = [self.folder / "lpips.safetensors"]
        elif name == "cost":
            flags["runs"] = self.runs
        else:
            flags["metrics"] = self.metrics
        kept = PageJob.model_fields.keys() - {"study", "source", "changed"}
        settings = {key: value for key, value in self.settings.items() if key in kept}
        run(name.replace("_", "-"), settings, flags)

    def _draw(self, generator, number: int, name: str) -> None:
        picture = Picture(generator.integers(0, 255, (32, 64), np.uint8))
        label = f"Figure {number + 1}" if name.startswith("figure") else name
        caption = f"{label}: what {name} shows (a < b & c). Dataset: {self.settings['dataset']}."
        png = self.folder / "figures" / f"{name}.png"
        rows = [[picture, picture]] * (1 if number % 4 else 7)
        draw_grid(rows, ("One", "Two"), caption, png=png, pdf=png.with_suffix(".pdf"))

    def table(self, name: str, kind: str) -> Path:
        """Path of a table's file."""
        return self.folder / "tables" / f"{name}.{kind}"

    def write(self, html: Path, **changes) -> str:
        """Write the report, with other files for its flags where given; return it."""
        flags = {
            "tables": [self.table(name, kind) for name in self.tables for kind in ("md", "csv")],
            "figures": [self.folder / "figures" / f"{name}.png" for name in self.figures],
            "runs": self.runs,
            **{name: [self.folder / f"{name}.csv"] for name in ("index", "problems")},
            "guard": [self.folder / "guard.json"],
            "decisions": [ROOT / "docs" / "decisions.md"],
            "template": [PAGE / "template.html.jinja"],
            "style": [PAGE / "style.css"],
            "html": [html],
        }
        run("report", self.settings, flags | changes)
        return html.read_text(encoding="utf-8")


def run(stage: str, settings: dict, flags: dict[str, list]) -> None:
    """Run a stage as the workflow does."""
    words = [stage, "--settings", json.dumps(settings)]
    for flag, files in flags.items():
        words += [f"--{flag}", *map(str, files)]
    assert main(words) == 0, stage
