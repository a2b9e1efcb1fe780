"""results/README.md says what every file is that the rules make, and nothing that they do not."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

README = Path(__file__).parents[2] / "results" / "README.md"
#: Made without being a rule's output.
BESIDE = {"runs/*/fraction-*/seed-*/weights.state", "logs"}

#: What makes files that the tiny study has not.
MORE = """
datasets: {clinic: {source: phantom}}
evaluation: {also_on: [clinic]}
methods:
  modified_resunet: {annotations: {drop: 0.1}}
  mask_rcnn: {label: Mask R-CNN, source: "[18]", model: {architecture: mask_rcnn}}
  pictures: {label: ImageNet, model: {architecture: unet, encoder_weights: imagenet}}
"""


def described():
    """Return the paths of the table, within a study, as patterns of `Path.match`."""
    cells = re.findall(r"^\| (`.*?) \|", README.read_text(encoding="utf-8"), re.M)
    assert len(cells) > 30
    patterns, run = [], ""
    for cell in cells:
        names = re.findall("`([^`]+)`", cell)
        folder = names[0].rpartition("/")[0] if not names[0].endswith("/") else ""
        for name in names:
            path = name if "/" in name else f"{folder}/{name}".lstrip("/")
            pattern = re.sub("<[^>]*>", "*", path).rstrip("/")
            if pattern.startswith("runs/"):  # the folder of the lines below
                run = pattern.removesuffix("/…")
                continue
            patterns.append(pattern.replace("…", run if pattern.startswith("…") else "*"))
    return patterns


def made(project):
    """Return all files that the rules make, within the study."""
    # A study that numbers teeth makes all that others make, too.
    rows = project.snakemake("--summary", "--config", "task=numbering").splitlines()
    files = {row.split("\t")[0] for row in rows if "\t" in row}
    found = {f.removeprefix("results/tiny/") for f in files if f.startswith("results/tiny/")}
    assert len(found) > 100
    return found


def test_every_output_is_described_and_every_description_is_of_one(new_project, tmp_path):
    project = new_project(tmp_path)
    (tmp_path / "more.yaml").write_text(MORE)
    project.settings.append("more.yaml")
    patterns, files = described(), made(project)

    def matches(file, pattern):
        same_depth = file.count("/") == pattern.count("/")
        return same_depth and Path(file).match(pattern)

    assert [f for f in sorted(files) if not any(matches(f, p) for p in patterns)] == []
    unmade = {p for p in patterns if not any(matches(f, p) for f in files)}
    assert unmade - BESIDE == set()
