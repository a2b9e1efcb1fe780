"""Every figure is drawn from finished files, says what it shows, and is the same each time."""

import importlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from maskedteeth.data.arrays import Arrays
from maskedteeth.errors import InputError
from maskedteeth.files import write_json
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.report.figures.panels import WIDE, WIDTH, write_figure
from maskedteeth.settings.sections import Presentation
from maskedteeth.stages import locate

IDS = ["7", "12", "90", "101", "340"]
LABELS = {"unet": "U-Net", "ours": "Random Block Masking + Modified ResUNet"}
REPORT = Presentation(
    dataset="Radiographs for $5, a synthetic set",
    protocol="complement",
    threshold=0.5,
    boundary_tolerance=2,
    labels=LABELS,
    short_labels=LABELS | {"ours": "Our approach"},
    ours="ours",
    samples=3,
    bootstrap_resamples=200,
)
RECORD = {"settings": {}, "inputs_sha256": {}, "modules": [], "code": "c", "packages": {}}
RECORD |= {"device": "a CPU", "precision": "float32", "steps": 30, "weights_sha256": "w"}
OF_RUNS = ["figure4", "figure5", "figure8", "figure9"]
PLOTS = ["dice_by_fraction", "differences", "training_curves"]
NAMES = [*(f"figure{number}" for number in range(1, 10)), *PLOTS]


class Study:
    """A finished study of five radiographs: two methods, fractions and seeds."""

    def __init__(self, folder):
        rng = np.random.default_rng(3)
        self.folder, self.probability, self.runs = folder, {}, {}
        self.images = rng.integers(0, 256, (len(IDS), 64, 128), dtype=np.uint8)
        self.masks = np.zeros_like(self.images)
        for number, mask in enumerate(self.masks):
            mask[20:40, 10 + 5 * number : 90] = 1
        for run in ((m, f, s) for m in LABELS for f in (0.2, 0.9) for s in (42, 0)):
            grey = np.clip(30 + 200 * self.masks + rng.normal(0, 50, self.masks.shape), 0, 255)
            for number in range(4):  # predicted and not annotated, smaller and smaller
                grey[number, 45 : 60 - 2 * number, 30:50] = 250
            self.probability[run] = grey.astype(np.uint8)
            self.runs[run] = folder / "-".join(map(str, run))
            self.runs[run].mkdir()
            self._write_run(*run)
        np.save(folder / "images.npy", self.images)
        np.save(folder / "labels.npy", self.masks)
        pictures = dict.fromkeys(("xray", "masked", "sobel", "generated"), self.images)
        np.savez(folder / "samples.npz", ids=IDS, **pictures)
        pictures["generated"] = np.stack([self.images] * 2)
        np.savez(folder / "previews.npz", ids=IDS, epochs=[1, 10], **pictures)
        self.write("index.csv", id=IDS)
        self.write("history.csv", step=[7], loss=0.2)
        write_json(folder / "run.json", RECORD | {"pretext": "blocks"})
        self.write("table2.csv", method="unet", fraction=[0.2, 0.9], dice=[0.673, 0.876])
        self.describe("modified_resunet")

    def _write_run(self, *run):
        method, fraction, seed = run
        folder, grey = self.runs[run].name, self.probability[run]
        np.savez(self.runs[run] / "predictions.npz", probability=grey)
        counts = count(grey >= 128, self.masks)
        values = counts | scores(counts["tp"], counts["fp"], counts["fn"])
        about = {"method": method, "fraction": fraction, "seed": seed}
        self.write(f"{folder}/metrics.csv", **about, id=IDS, **values)
        write_json(self.runs[run] / "run.json", RECORD | about)
        losses = [1 / (epoch + seed % 2) for epoch in (1, 2, 3)]
        self.write(f"{folder}/history.csv", step=[10, 20, 30], loss=losses)

    def write(self, name, **columns):
        pd.DataFrame(columns).to_csv(self.folder / name, index=False)

    def describe(self, name):
        names = ("encoder.0", "encoder.1", "bottleneck", "decoder.0", "decoder.1", "head")
        blocks = [{"name": block, "output": [8, 9, 9], "parameters": 12_345} for block in names]
        network = {"name": name, "inputs": ["xray", "sobel"], "input": [2, 64, 128]}
        network |= {"parameters": 1_234_567, "blocks": blocks}
        write_json(self.folder / "architecture.json", network)

    def draw(self, name, **changes):
        """Draw a figure from the files that its rule would pass."""
        folder, runs = self.folder, list(self.runs.values())
        if name in OF_RUNS:
            methods = LABELS if name == "figure8" else ["ours"]
            runs = [self.runs[method, 0.2, 42] for method in methods]
        known = {
            "architecture": folder / "architecture.json",
            "samples": folder / "samples.npz",
            "previews": folder / "previews.npz",
            "dataset": Arrays(
                *(folder / name for name in ("images.npy", "labels.npy", "index.csv"))
            ),
            "published": folder / "table2.csv",
            "history": [run / "history.csv" for run in [folder, *runs]],
            "metrics": [run / "metrics.csv" for run in runs],
            "predictions": [run / "predictions.npz" for run in runs],
            "runs": [run / "run.json" for run in [folder, *runs]],
        }
        module, function = locate(name)
        figure = getattr(importlib.import_module(module), function)
        wanted = figure.__annotations__.keys() - {"report", "return"}
        return figure(REPORT, **{key: (known | changes)[key] for key in wanted})


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_has_the_papers_width_its_caption_beside_it_and_no_date(study, name):
    sheet = study.draw(name)
    png, pdf, txt = (study.folder / f"drawn.{kind}" for kind in ("png", "pdf", "txt"))
    write_figure(sheet, png, pdf, txt)
    with Image.open(png) as picture:
        width, height = (side / 300 for side in picture.size)
        assert np.asarray(picture.convert("L")).std() > 10
    assert width == pytest.approx(WIDE if name in ("figure6", "figure8") else WIDTH, abs=0.08)
    content = pdf.read_bytes()
    assert b"CreationDate" not in content
    assert b"/Type3" not in content  # TrueType is embedded instead
    box = content.partition(b"/MediaBox [ ")[2].split()
    assert float(box[3]) / 72 > height + 0.2, "the caption is drawn below, in the PDF alone"
    assert txt.read_text(encoding="utf-8") == sheet.caption + "\n"
    assert REPORT.dataset in sheet.caption
    if name not in ("figure1", "training_curves"):  # an architecture and a training have no test
        assert "complement" in sheet.caption.lower()
    if name not in PLOTS:
        assert sheet.caption.startswith(f"Figure {name[-1]}: ")
    if name in OF_RUNS:
        assert "20% of the samples" in sheet.caption and "seed 42" in sheet.caption
    if name in ("figure3", "figure4", "figure7", "figure8"):
        assert "the first 3 test radiographs (7, 12, 90)" in sheet.caption


def test_equal_inputs_give_equal_bytes(study):
    files = [[study.folder / f"{stem}.{k}" for k in ("png", "pdf", "txt")] for stem in "ab"]
    for written in files:
        write_figure(study.draw("differences"), *written)
    first, second = ([file.read_bytes() for file in written] for written in files)
    assert first == second


def test_candidates_continue_from_figure_5_to_figure_9(study):
    five, nine = study.draw("figure5").caption, study.draw("figure9").caption
    verified = "nobody has verified them:"
    assert f"{verified} 7 (predicted, not annotated); 12 (predicted, not annotated). " in five
    assert f"{verified} 90 (predicted, not annotated); 101 (predicted, not annotated). " in nine


def test_a_figure_without_anything_to_draw_says_so(study):
    agreed = study.folder / "agreed.npz"
    np.savez(agreed, probability=study.masks * 255)
    study.describe("unet")
    for name, words in (("figure5", "No (further) region"), ("figure1", "No drawing")):
        (page,) = study.draw(name, predictions=[agreed]).pages
        assert not page.axes and words in page.texts[0].get_text()


def test_figure_8_has_a_column_for_each_run_with_its_mask_and_dice(study):
    runs = [study.runs[method, 0.2, 42] for method in ("ours", "unet")]
    metrics, predictions = study.folder / "metrics.csv", study.folder / "predictions.npz"
    pd.concat([pd.read_csv(run / "metrics.csv") for run in runs]).to_csv(metrics, index=False)
    pictures = [np.load(run / "predictions.npz")["probability"] for run in runs]
    np.savez(predictions, probability=np.concatenate(pictures))  # of both runs, as the metrics are
    (page,) = study.draw("figure8", metrics=[metrics], predictions=[predictions]).pages
    titles = [axes.get_title().replace("\n", " ") for axes in page.axes[:4]]
    assert titles == ["Input", "Ground truth", "U-Net", "Our approach"]
    np.testing.assert_array_equal(page.axes[4].images[0].get_array(), study.images[1])
    for axes, method in zip(page.axes[6:8], LABELS, strict=True):
        prediction = study.probability[method, 0.2, 42][1] >= 128
        np.testing.assert_array_equal(axes.images[0].get_array(), np.where(prediction, 255, 0))
        dice = f1_score(study.masks[1].ravel(), prediction.ravel())
        assert axes.texts[0].get_text() == f"{dice:.3f}"


def test_methods_without_a_common_test_radiograph_are_refused(study):
    other = study.runs["ours", 0.2, 42] / "metrics.csv"
    pd.read_csv(other).assign(id=list("abcde")).to_csv(other, index=False)
    with pytest.raises(InputError, match="common first seed"):
        study.draw("figure8")


def test_curves_show_the_pooled_dice_that_scikit_learn_finds(study):
    axes = study.draw("dice_by_fraction").pages[0].axes[0]
    truth = study.masks.ravel()
    expected = {run: f1_score(truth, (p >= 128).ravel()) for run, p in study.probability.items()}
    for method, lines in (("unet", axes.lines[:3]), ("ours", axes.lines[3:6])):
        means, seeds, published = lines
        dice = [[expected[method, f, s] for s in (42, 0)] for f in (0.2, 0.9)]
        assert list(means.get_xdata()) == [0.2, 0.9]
        np.testing.assert_allclose(means.get_ydata(), np.mean(dice, axis=1))
        np.testing.assert_allclose(sorted(seeds.get_ydata()), np.sort(np.ravel(dice)))
        assert published.get_color() == means.get_color()
    assert list(axes.lines[2].get_ydata()) == [0.673, 0.876]


def test_the_forest_plot_shows_the_mean_difference_of_each_radiographs_dice(study):
    axes = study.draw("differences").pages[0].axes[0]
    metrics = pd.concat(pd.read_csv(run / "metrics.csv") for run in study.runs.values())
    by_image = metrics.groupby(["method", "fraction", "id"])["dice"].mean().unstack("method")
    expected = (by_image["unet"] - by_image["ours"]).groupby("fraction").mean()
    drawn = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose([line.get_xdata()[0] for line in drawn], expected)
    assert {line.get_markerfacecolor() for line in drawn} == {"white"}, "five prove nothing"


def test_a_training_has_one_line_at_the_height_of_its_losses(study):
    pretext, unet, ours = study.draw("training_curves").pages[0].axes
    titles = [axes.get_title() for axes in (pretext, unet, ours)]
    assert titles == ["Pretext: blocks", "U-Net", "Our approach"]
    assert pretext.lines[0].get_xydata().tolist() == [[7, 0.2]]
    assert pretext.lines[0].get_marker() == "o", "a line of one epoch would not be seen"
    assert [line.get_ydata().tolist() for line in ours.lines] == [[1, 1 / 2, 1 / 3]] * 4
    assert len({str(line.get_color()) for line in ours.lines}) == 2, "a colour a fraction"


def titles_of(sheet):
    (page,) = sheet.pages
    return [axes.get_title() for axes in page.axes if axes.get_title()]


def test_figures_of_a_pretext_show_a_mask_and_edges_only_where_there_are_some(study):
    assert titles_of(study.draw("figure2")) == ["Masked X-ray", "X-ray", "Sobel filter"]
    assert titles_of(study.draw("figure6"))[:3] == ["Input", "Sobel", "Epoch 1"]
    files = {"samples": study.folder / "unmasked.npz", "previews": study.folder / "blind.npz"}
    parts = {"xray": study.images, "input": study.images, "generated": study.images}
    np.savez(files["samples"], ids=IDS, **parts)
    parts = {"xray": study.images, "masked": study.images, "generated": study.images[None]}
    np.savez(files["previews"], ids=IDS, epochs=[3], **parts)
    found = {n: titles_of(study.draw(f"figure{n}", **files)) for n in (2, 3, 6, 7)}
    caption = study.draw("figure2", **files).caption
    assert caption.startswith("Figure 2: Sample of the pretext task (Input, X-ray): the first test")
    assert found[2] == ["Input", "X-ray"] and found[6] == ["Input", "Epoch 3", "Target"]
    assert found[3] == ["Dental X-ray", "Input", "Generated X-ray"]
    assert found[7] == ["Input", "Ground truth", "Generated radiograph"]
