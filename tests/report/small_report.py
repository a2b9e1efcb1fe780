"""A small finished study, its tables made by their functions, and the report on it."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from records import RECORD, evaluated, of_pretext, presentation

from maskedteeth.files import write_csv, write_json, write_text
from maskedteeth.report.page.report import report
from maskedteeth.report.table import Part, Table, write_table
from maskedteeth.report.tables.boundary import boundary
from maskedteeth.report.tables.cost import cost
from maskedteeth.report.tables.of_paper import table1, table2, table3
from maskedteeth.report.tables.statistics import statistics
from maskedteeth.report.tables.table_pretext import table_pretext

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "workflow" / "maskedteeth" / "report" / "page"
PUBLISHED = ROOT / "config" / "published"
LABELS = {"unet": "U-Net", "random_block_masking": "Random Block Masking + Modified ResUNet"}
SETTINGS = {
    "dataset": "digital phantom",
    "labels": LABELS,
    "short_labels": {"unet": "U-Net", "random_block_masking": "Our approach"},
    "ours": "random_block_masking",
}
STUDY = {
    "study": "small",
    "source": "phantom",
    "changed": {"study": "small", "training": {"epochs": 5}, "methods": {"pspnet": None}},
}
FRACTIONS, SEEDS, RADIOGRAPHS = (0.2, 0.25, 0.8), (42, 0), 8
FIGURES = (*(f"figure{number}" for number in range(1, 10)), "dice_by_fraction", "differences")
#: Verdicts on claims, as the table of them has them: by the paper's numbers and by ours.
VERDICTS = pd.DataFrame(
    {
        "text": ["With 20 % it is better", "It varies little", "It corrects masks"],
        "paper": ["supported", "refuted", "not tested"],
        "ours": ["inconclusive", "supported", "not tested"],
    }
)


class SmallReport:
    """The files of a study in a folder, as the workflow would have made them.

    Args:
        folder: to write to.
        pretext: whether it has one.
        figures: names of those that are drawn.
        **changes: of :data:`SETTINGS`.
    """

    def __init__(self, folder: Path, *, pretext: bool = True, figures=FIGURES, **changes):
        self.folder, self.figures = folder, figures
        self.presentation = presentation(**SETTINGS | changes)
        generator = np.random.default_rng(0)
        records = []
        for method, fraction, seed in product(LABELS, FRACTIONS, SEEDS):
            record = RECORD | {"method": method, "fraction": fraction, "seed": seed}
            records.append(record | {"radiographs": [round(60 * fraction), 32, 64]})
        rows = [self._measure(generator, r, n) for r in records for n in range(RADIOGRAPHS)]
        write_csv(folder / "metrics.csv", rows)
        write_csv(folder / "ours.csv", [row for row in rows if row["method"] != "unet"])
        evaluations = [evaluated(*records)]
        if pretext:
            self._write_pretext(generator)
            records.append(of_pretext(RECORD, self.presentation.ours))
            evaluations.append(evaluated(records[-1]))
        self.runs = [folder / f"{n}.json" for n in range(len(records) + len(evaluations))]
        for file, record in zip(self.runs, [*records, *evaluations], strict=True):
            write_json(file, record)
        rows = [{"id": n, "labelled": 1, "duplicate_group": n} for n in range(60)]
        write_csv(folder / "index.csv", rows)
        write_csv(folder / "problems.csv", [], ("id", "reason"))
        self.tables = list(self._tables(pretext))
        for number, name in enumerate(figures):
            self._draw(generator, number, name)

    def _measure(self, generator, record: dict, radiograph: int) -> dict:
        tp, fp, fn = generator.integers(50, 900), *generator.integers(5, 80, 2)
        dice = 2 * tp / (2 * tp + fp + fn)
        about = {name: record[name] for name in ("method", "fraction", "seed")}
        counts = {"tp": tp, "fp": fp, "fn": fn, "tn": 2000 - tp - fp - fn}
        return about | counts | {"id": radiograph, "dice": dice, "nsd": dice, "hd95": 1 - dice}

    def _write_pretext(self, generator) -> None:
        rows = []
        for radiograph in range(RADIOGRAPHS):
            row = {"pretext": self.presentation.ours, "id": radiograph, "hidden": 0.4}
            for metric in ("ssim", "lpips", "fsim", "l1"):
                value = "" if metric == "lpips" else generator.uniform(0.6, 0.9)
                row |= {metric: value, f"{metric}_masked": value}
            rows.append(row)
        write_csv(self.folder / "pretext.csv", rows)
        fillers = [{"filler": f} | row for f in ("composite", "unfilled") for row in rows]
        write_csv(self.folder / "fillers.csv", fillers)

    def _tables(self, pretext: bool):
        """Write the tables; yield their names."""
        shown, every = self.presentation, {"metrics": [self.folder / "metrics.csv"]}
        every["runs"] = self.runs
        paper = {name: PUBLISHED / f"{name}.csv" for name in ("table1", "table2", "table3")}
        ours = every | {"metrics": [self.folder / "ours.csv"]}
        tables = {
            "table1": table1(shown, **every, published=paper["table1"]),
            "table2": table2(shown, **every, published=paper["table2"]),
            "table3": table3(shown, **ours, published=paper["table3"]),
            "statistics": statistics(shown, **every),
            "boundary": boundary(shown, **every),
            "claims": Table("The paper's claims", VERDICTS, (Part(VERDICTS, "Verdicts"),)),
            "cost": cost(shown, runs=self.runs),
        }
        if pretext:
            files = {"metrics": ["pretext.csv"], "fillers": ["fillers.csv"]}
            files = {name: [self.folder / file for file in f] for name, f in files.items()}
            files["published"] = PUBLISHED / "pretext.csv"
            tables["table_pretext"] = table_pretext(shown, **files, runs=self.runs)
        for name, table in tables.items():
            kinds = ("csv", "md", "tex", "html")
            write_table(table, **{kind: self.table(name, kind) for kind in kinds})
            yield name

    def _draw(self, generator, number: int, name: str) -> None:
        png = self.folder / "figures" / f"{name}.png"
        png.parent.mkdir(exist_ok=True)
        size = (600, 800) if number % 4 else (1650, 300)
        Image.fromarray(generator.integers(0, 255, size[::-1], np.uint8)).save(png)
        label = f"Figure {number + 1}" if name.startswith("figure") else name
        caption = f"{label}: what {name} shows (a < b & c). Dataset: {self.presentation.dataset}."
        write_text(png.with_suffix(".txt"), caption + "\n")

    def table(self, name: str, kind: str) -> Path:
        """Path of a table's file."""
        return self.folder / "tables" / f"{name}.{kind}"

    def write(self, html: Path, **changes) -> str:
        """Write the report, with other settings or files where given; return it."""
        figures = [self.folder / "figures" / f"{name}.png" for name in self.figures]
        given = {
            "report": self.presentation,
            **STUDY,
            "tables": [self.table(name, kind) for name in self.tables for kind in ("html", "csv")],
            "figures": [*figures, *(png.with_suffix(".txt") for png in figures)],
            "runs": self.runs,
            "index": self.folder / "index.csv",
            "problems": self.folder / "problems.csv",
            "template": PAGE / "template.html.jinja",
            "style": PAGE / "style.css",
            "html": html,
        }
        report(**given | changes)
        return html.read_text(encoding="utf-8")
