"""Every figure is drawn from finished files, says what it shows, and is the same each time."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from records import RECORD
from sklearn.metrics import f1_score

from maskedteeth.cli import main
from maskedteeth.errors import InputError
from maskedteeth.files import write_csv, write_json
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.report.figures import dice_by_fraction, figure8, panels
from maskedteeth.report.figures.runs import read_run
from maskedteeth.report.results import pooled_by_run, read_metrics
from maskedteeth.settings.jobs import ReportJob

HEIGHT, WIDTH = 64, 128
IDS = ["7", "12", "90", "101", "340"]
LABELS = {"unet": "U-Net", "ours": "Random Block Masking + Modified ResUNet"}
SETTINGS = {
    "dataset": "Radiographs for $5, a synthetic set",
    "protocol": "fixed-test",
    "threshold": 0.5,
    "boundary_tolerance": 2,
    "labels": LABELS,
    "short_labels": {"unet": "U-Net", "ours": "Our approach"},
    "ours": "ours",
    "figure_fraction": 0.2,
    "samples": 3,
}
NAMES = [
    *(f"figure{number}" for number in range(1, 10)),
    "dice-by-fraction",
    "differences",
    "training-curves",
]
WIDE = {"figure6", "figure8"}


class Study:
    """A finished study of five synthetic radiographs, on disk."""

    def __init__(self, folder: Path):
        rng = np.random.default_rng(3)
        self.folder = folder
        self.images = rng.integers(0, 256, (len(IDS), HEIGHT, WIDTH), dtype=np.uint8)
        self.masks = np.zeros((len(IDS), HEIGHT, WIDTH), np.uint8)
        for number in range(len(IDS)):
            self.masks[number, 20:40, 10 + 5 * number : 90] = 1
        np.save(folder / "images.npy", self.images)
        np.save(folder / "masks.npy", self.masks)
        write_csv(folder / "index.csv", [{"id": name} for name in IDS])
        self.probability = {}
        for method in LABELS:
            for fraction in ("0.2", "0.9"):
                for seed in (42, 0):
                    self._write_run(rng, method, fraction, seed)
        self._write_pretext()
        self._write_architecture()
        paper = [("U-Net", 0.2, 0.673), ("U-Net", 0.9, 0.876), (LABELS["ours"], 0.2, 0.874)]
        rows = [dict(zip(("model", "fraction", "dice"), row, strict=True)) for row in paper]
        write_csv(folder / "table2.csv", rows)

    def run(self, method: str, fraction: str = "0.2", seed: int = 42) -> Path:
        return self.folder / "runs" / method / fraction / str(seed)

    def _write_run(self, rng, method: str, fraction: str, seed: int) -> None:
        noise = rng.normal(0, 40, self.masks.shape)
        grey = np.clip(30 + 200 * self.masks + noise, 0, 255).astype(np.uint8)
        for number in range(4):  # what was predicted and not annotated, smaller and smaller
            grey[number, 45 : 60 - 2 * number, 30:50] = 250
        folder = self.run(method, fraction, seed)
        folder.mkdir(parents=True)
        self.probability[method, float(fraction), seed] = grey
        np.savez(folder / "predictions.npz", ids=np.array(IDS), probability=grey)
        counts = count(grey >= 128, self.masks)
        dice = scores(counts["tp"], counts["fp"], counts["fn"])["dice"]
        rows = [
            {"method": method, "fraction": fraction, "seed": seed, "id": name}
            | {key: int(value[number]) for key, value in counts.items()}
            | {"dice": f"{dice[number]:.6f}", "jaccard": 0, "precision": 0, "recall": 0}
            for number, name in enumerate(IDS)
        ]
        write_csv(folder / "metrics.csv", rows)
        losses = [{"epoch": e, "step": 10 * e, "loss": 1 / (e + seed % 2)} for e in (1, 2, 3)]
        write_csv(folder / "history.csv", losses)
        write_json(folder / "run.json", RECORD)

    def _write_pretext(self) -> None:
        (self.folder / "pretext" / "blocks").mkdir(parents=True)
        losses = [{"epoch": 1, "step": 7, "loss": 0.2}]
        write_csv(self.folder / "pretext" / "blocks" / "history.csv", losses)
        stacks = {key: self.images for key in ("xray", "masked", "sobel")}
        ids = np.array(IDS)
        np.savez(self.folder / "samples.npz", ids=ids, generated=self.images, **stacks)
        generated = np.stack([self.images] * 2)
        epochs = np.array([1, 10])
        np.savez(
            self.folder / "previews.npz", ids=ids, epochs=epochs, generated=generated, **stacks
        )

    def _write_architecture(self) -> None:
        shapes = {
            "encoder.0": [16, 64, 128],
            "encoder.1": [32, 32, 64],
            "bottleneck": [64, 16, 32],
            "decoder.0": [32, 32, 64],
            "decoder.1": [16, 64, 128],
            "head": [1, 64, 128],
        }
        blocks = [
            {"name": name, "kind": "Block", "output": shape, "parameters": 12_345}
            for name, shape in shapes.items()
        ]
        content = {
            "name": "modified_resunet",
            "inputs": ["xray", "sobel"],
            "input": [2, HEIGHT, WIDTH],
            "parameters": 1_234_567,
            "blocks": blocks,
        }
        write_json(self.folder / "architecture.json", content)

    def arguments(self, name: str) -> list[str]:
        """Return the files that a figure's rule would pass."""
        folder = self.folder
        if name == "figure1":
            return ["--architecture", f"{folder}/architecture.json"]
        if name in ("figure2", "figure3", "figure7"):
            return ["--samples", f"{folder}/samples.npz"]
        if name == "figure6":
            return ["--previews", f"{folder}/previews.npz"]
        records = ["--runs", *map(str, sorted(folder.glob("runs/*/*/*/run.json")))]
        if name in ("dice-by-fraction", "differences"):
            metrics = map(str, sorted(folder.glob("runs/*/*/*/metrics.csv")))
            published = ["--published", f"{folder}/table2.csv"] * (name == "dice-by-fraction")
            return ["--metrics", *metrics, *published, *records]
        if name == "training-curves":
            histories = map(str, sorted(folder.glob("runs/*/*/*/history.csv")))
            pretexts = ["--pretexts", f"{folder}/pretext/blocks/history.csv"]
            return ["--history", *histories, *pretexts, *records]
        arrays = [
            part for key in ("images", "masks") for part in (f"--{key}", f"{folder}/{key}.npy")
        ]
        arrays += ["--index", f"{folder}/index.csv"]
        runs = [self.run(method) for method in LABELS] if name == "figure8" else [self.run("ours")]
        metrics = [str(run / "metrics.csv") for run in runs]
        predictions = [str(run / "predictions.npz") for run in runs]
        records = records if name == "figure8" else []
        return [*arrays, "--metrics", *metrics, "--predictions", *predictions, *records]

    def draw(self, name: str, stem: str = "drawn", **changes) -> tuple[Path, Path]:
        """Run a figure's stage as its rule does; return its PNG and PDF."""
        png, pdf = self.folder / f"{stem}.png", self.folder / f"{stem}.pdf"
        settings = json.dumps(SETTINGS | changes)
        outputs = ["--png", str(png), "--pdf", str(pdf)]
        assert main([name, "--settings", settings, *self.arguments(name), *outputs]) == 0
        return png, pdf


@pytest.fixture
def study(tmp_path) -> Study:
    return Study(tmp_path)


@pytest.fixture
def captions(monkeypatch) -> list[str]:
    """Captions as they are drawn, without the time to render them."""
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: None)
    monkeypatch.setattr(panels, "_small", lambda figure: Image.new("L", (1, 1)))

    class Recorded(panels.Sheet):
        def __init__(self, width, height, caption):
            drawn.append(caption)
            super().__init__(width, height, caption)

    monkeypatch.setattr(panels, "Sheet", Recorded)
    return drawn


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_drawn_at_print_size_and_the_same_each_time(study, name):
    png, pdf = study.draw(name)
    with Image.open(png) as picture:
        assert picture.width == round((7.0 if name in WIDE else 5.5) * 300)
        assert round(picture.info["dpi"][0]) == 300
        assert np.asarray(picture.convert("L")).std() > 10
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"CreationDate" not in content
    assert b"/Type3" not in content  # TrueType is embedded instead
    again = study.draw(name, "again")
    assert [file.read_bytes() for file in again] == [png.read_bytes(), content]


@pytest.mark.parametrize("name", ["dice-by-fraction", "differences", "training-curves"])
def test_the_page_has_room_for_a_number_at_the_very_end_of_an_axis(study, monkeypatch, name):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    monkeypatch.setattr(panels, "_small", lambda figure: Image.new("L", (1, 1)))
    study.draw(name)
    _, *plots = drawn[0].axes
    for axes in plots:
        widths = [label.get_window_extent().width for label in axes.get_xticklabels()]
        assert axes.bbox.x1 + max(widths) / 2 <= drawn[0].bbox.x1


@pytest.mark.parametrize("name", NAMES)
def test_a_caption_names_the_dataset_and_the_protocol(study, captions, name):
    study.draw(name, protocol="complement")
    (caption,) = captions
    assert SETTINGS["dataset"] in caption
    if name not in ("figure1", "training-curves"):  # an architecture and a training have no test
        assert "complement" in caption.lower()
    if name.removeprefix("figure").isdecimal():
        assert caption.startswith(f"Figure {name.removeprefix('figure')}: ")


@pytest.mark.parametrize("name", ["figure8", "dice-by-fraction", "differences", "training-curves"])
def test_a_caption_says_when_its_runs_are_not_of_one_kind(study, captions, name):
    study.draw(name)
    write_json(study.run("unet") / "run.json", RECORD | {"packages": {"torch": "2.12.0"}})
    study.draw(name)
    alike, mixed = captions
    assert "Runs of different" not in alike
    assert "Runs of different packages: torch" in mixed and "2.12.0 (unet/0.2/42)" in mixed


@pytest.mark.parametrize("name", ["figure4", "figure5", "figure8", "figure9"])
def test_a_caption_states_the_fraction_and_the_seed_of_the_run(study, captions, name):
    study.draw(name)
    assert "20% of the samples" in captions[0]
    assert "seed 42" in captions[0]


@pytest.mark.parametrize("name", ["figure3", "figure4", "figure7", "figure8"])
def test_the_first_radiographs_are_shown_and_named(study, captions, name):
    study.draw(name)
    assert "the first 3 test radiographs (7, 12, 90)" in captions[0]


def test_candidates_continue_from_figure_5_to_figure_9(study, captions):
    study.draw("figure5")
    study.draw("figure9")
    five, nine = captions
    assert "7 (predicted, not annotated); 12 (predicted, not annotated). " in five
    assert "90 (predicted, not annotated); 101 (predicted, not annotated). " in nine
    assert all("not verified" in caption for caption in captions)


def test_a_figure_without_candidates_says_so(study, captions, monkeypatch):
    words = []
    monkeypatch.setattr(panels.Sheet, "show", lambda *_: pytest.fail("a picture was drawn"))
    monkeypatch.setattr(
        "maskedteeth.report.figures.figure5.draw_words",
        lambda text, *rest, **files: words.append(text) or panels.draw_words(text, *rest, **files),
    )
    run = study.run("ours")
    agreed = (study.masks * 255).astype(np.uint8)
    np.savez(run / "predictions.npz", ids=np.array(IDS), probability=agreed)
    study.draw("figure5")
    assert "No candidate" in words[0]
    assert "not verified ones: none." in captions[0]


def test_the_columns_of_figure_8_follow_the_files_and_not_a_guess(study, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        figure8, "draw_grid", lambda rows, titles, *_, **__: drawn.update(rows=rows, titles=titles)
    )
    runs = [study.run("ours"), study.run("unet")]
    figure8.figure8(
        ReportJob(**SETTINGS),
        images=study.folder / "images.npy",
        masks=study.folder / "masks.npy",
        index=study.folder / "index.csv",
        metrics=[run / "metrics.csv" for run in runs],
        predictions=[run / "predictions.npz" for run in runs],
        png=study.folder / "unused.png",
        pdf=study.folder / "unused.pdf",
    )
    assert drawn["titles"] == ["Input", "Ground truth", "Our approach", "U-Net"]
    for column, method in ((2, "ours"), (3, "unet")):
        picture = drawn["rows"][1][column]
        prediction = study.probability[method, 0.2, 42][1] >= 128
        np.testing.assert_array_equal(picture.pixels, np.where(prediction, 255, 0))
        expected = f1_score(study.masks[1].ravel(), prediction.ravel())
        assert picture.note == f"{expected:.3f}"


def test_methods_without_a_common_test_radiograph_are_refused(study):
    first, second = (
        read_run(r / "metrics.csv", r / "predictions.npz", ReportJob(**SETTINGS))
        for r in (study.run("unet"), study.run("ours"))
    )
    second.dice.clear()
    with pytest.raises(InputError, match="common first seed"):
        figure8._common([first, second])


def test_a_run_whose_files_differ_is_refused(study):
    run = study.run("unet")
    np.savez(run / "predictions.npz", ids=np.array(IDS[::-1]), probability=study.images)
    with pytest.raises(InputError, match="different radiographs"):
        read_run(run / "metrics.csv", run / "predictions.npz", ReportJob(**SETTINGS))


def test_a_missing_file_is_a_sentence(study, capsys):
    (study.folder / "samples.npz").unlink()
    arguments = [*study.arguments("figure2"), "--png", "a.png", "--pdf", "a.pdf"]
    assert main(["figure2", "--settings", json.dumps(SETTINGS), *arguments]) == 2
    assert "samples.npz cannot be read" in capsys.readouterr().err


def test_curves_show_the_pooled_dice_that_scikit_learn_finds(study):
    files = sorted(study.folder.glob("runs/*/*/*/metrics.csv"))
    axes = Figure().add_subplot()
    paper = dice_by_fraction.pd.read_csv(study.folder / "table2.csv")
    dice_by_fraction.draw_curves(
        axes, LABELS, pooled_by_run(read_metrics(files, ReportJob(**SETTINGS))), paper
    )
    truth = study.masks.ravel()
    expected = {
        run: f1_score(truth, (grey >= 128).ravel()) for run, grey in study.probability.items()
    }
    for number, method in enumerate(LABELS):
        means, seeds, published = axes.lines[3 * number : 3 * number + 3]
        assert list(means.get_xdata()) == [0.2, 0.9]
        by_fraction = [[expected[method, f, s] for s in (42, 0)] for f in (0.2, 0.9)]
        np.testing.assert_allclose(means.get_ydata(), np.mean(by_fraction, axis=1), atol=1e-9)
        np.testing.assert_allclose(
            sorted(seeds.get_ydata()), sorted(np.ravel(by_fraction)), atol=1e-9
        )
        assert published.get_color() == means.get_color()
        assert published.get_linestyle() == "--"
    assert list(axes.lines[2].get_ydata()) == [0.673, 0.876]
    markers = {axes.lines[3 * number].get_marker() for number in range(len(LABELS))}
    assert len(markers) == len(LABELS)


def test_a_training_has_one_line_at_the_height_of_its_losses(study, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    monkeypatch.setattr(panels, "_small", lambda figure: Image.new("L", (1, 1)))
    study.draw("training-curves")
    by_title = {axes.get_title(): axes for axes in drawn[0].axes if axes.get_title()}
    assert list(by_title) == ["Pretext: blocks", "U-Net", "Our approach"]
    (line,) = by_title["Pretext: blocks"].lines
    assert line.get_xydata().tolist() == [[7, 0.2]] and line.get_marker() == "o"
    lines = by_title["Our approach"].lines
    assert sorted(line.get_ydata().tolist() for line in lines) == [[1, 1 / 2, 1 / 3]] * 4
    assert len({line.get_color() for line in lines}) == 2, "a colour a fraction"


def test_text_is_wrapped_to_its_width():
    text = "Pneumonoultramicroscopicsilicovolcanoconiosis and some more words " * 3
    lines = panels.wrap(text.strip(), 1.0, 8, panels.CAPTION_FONT)
    assert max(panels.text_width(line, 8, panels.CAPTION_FONT) for line in lines) <= 1.0
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_figure_1_of_another_network_says_that_it_has_no_drawing(study, captions):
    file = study.folder / "architecture.json"
    content = json.loads(file.read_text())
    write_json(file, content | {"name": "unet", "blocks": []})
    png, _ = study.draw("figure1")
    assert png.exists()
    assert "unet" in captions[0]
