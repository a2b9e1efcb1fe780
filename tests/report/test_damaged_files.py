"""Of damaged files a table or figure says so in a sentence, or is what it is without the damage."""

import inspect
import json
import shutil

import numpy as np
import pytest
from damages import DAMAGES
from records import RECORD, SETTINGS

from maskedteeth.cli import STAGES, main, module_of_stage
from maskedteeth.files import read_csv, write_csv, write_json
from maskedteeth.metrics.segmentation import count, scores
from maskedteeth.report.reconstructions import BETTER, PIXELS

#: The page that shows them all has its own tests.
REPORT = [
    stage
    for stage in STAGES
    if module_of_stage(stage).startswith(
        ("maskedteeth.report.tables.", "maskedteeth.report.figures.")
    )
]
IDS, HEIGHT, WIDTH = ["7", "12", "90", "101"], 32, 64
RUNS = (("unet", 42), ("ours", 0), ("ours", 42))
QUICK = SETTINGS | {"samples": 2, "bootstrap_resamples": 100}
LOSSES = [{"epoch": epoch, "step": 9 * epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)]
OUTPUTS = ("csv", "md", "tex", "png", "pdf")


def signature(stage):
    module, _, name = STAGES[stage].partition(":")
    return inspect.signature(getattr(__import__(module, fromlist=[name]), name)).parameters


#: Every input of every table and figure.
INPUTS = [(s, flag) for s in REPORT for flag in signature(s) if flag not in ("settings", *OUTPUTS)]
CSV = [
    *("metrics", "fillers", "pretexts", "published", "table1", "table2", "table3", "pretext"),
    *("index", "history"),
]
#: Columns of numbers that are spoilt, of files that have them.
NUMBERS = ("fraction", "seed", "tp", "tn", "dice", "nsd", "hidden", "ssim", "fsim_masked", "value")
NUMBERS += ("step", "loss", "height", "labelled", "tooth_fraction")
#: May be undefined, and blank then.
PIXEL_METRICS = ("ssim", "fsim_masked")
#: People write claims, also without a line break at the end: half of them are claims as well.
UNKNOWABLE = [("claims", "cut")]
#: What of the files above is read by name alone.
NAMES_ONLY = [(f"figure{n}", "index") for n in (4, 5, 8, 9)]


@pytest.fixture(scope="module")
def files(tmp_path_factory, request):
    """All that any table or figure reads, by flag; lists where they are lists."""
    out = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (len(IDS), HEIGHT, WIDTH), dtype=np.uint8)
    masks = np.zeros_like(images)
    masks[:, 8:20, 10:40] = 1
    np.save(out / "images.npy", images)
    np.save(out / "masks.npy", masks)
    rows = [
        {"id": name, "sha256": name, "height": 64, "width": 128, "labelled": 1}
        | {"tooth_fraction": f"{mask.mean():.6f}", "teeth": 9, "duplicate_group": name}
        for name, mask in zip(IDS, masks, strict=True)
    ]
    write_csv(out / "index.csv", rows)
    write_csv(out / "problems.csv", [{"id": "x", "reason": "It has no byte."}])
    write_json(out / "raw" / "injected_errors.json", {n: [{"bbox": [1, 2, 30, 40]}] for n in IDS})
    known = {name: out / f"{name}.npy" for name in ("images", "masks")}
    known |= {name: out / f"{name}.csv" for name in ("index", "problems")}
    known |= {"raw": out / "raw"} | {f: [] for f in ("metrics", "predictions", "runs", "history")}
    for method, seed in RUNS:
        folder = out / "runs" / method / "fraction-0.2" / f"seed-{seed}"
        grey = np.clip(30 + 200 * masks + rng.normal(0, 40, masks.shape), 0, 255).astype(np.uint8)
        grey[:, 24:31, 20:40] = 250  # predicted and not annotated
        counts = count(grey >= 128, masks)
        values = scores(counts["tp"], counts["fp"], counts["fn"])
        values |= {"nsd": np.full(len(IDS), 0.8), "hd95": np.full(len(IDS), 3.0)}
        rows = [
            {"method": method, "fraction": 0.2, "seed": seed, "id": name}
            | {key: int(value[n]) for key, value in counts.items()}
            | {key: f"{value[n]:.6f}" for key, value in values.items()}
            for n, name in enumerate(IDS)
        ]
        write_csv(folder / "metrics.csv", rows)
        np.savez(folder / "predictions.npz", ids=np.array(IDS), probability=grey)
        known["metrics"].append(folder / "metrics.csv")
        known["predictions"].append(folder / "predictions.npz")
        write_csv(folder / "history.csv", LOSSES)
        known["history"].append(folder / "history.csv")
        for name in ("run", "evaluation"):
            write_json(folder / f"{name}.json", record(method, seed))
            known["runs"].append(folder / f"{name}.json")
    pretext = out / "pretext" / "random_block_masking"
    names = [f"{metric}{suffix}" for suffix in PIXELS.values() for metric in BETTER]
    rows = [
        {"id": name, "hidden": 0.4}
        | {key: "" if key.startswith("lpips") else 0.5 + 0.1 * rng.random() for key in names}
        for name in IDS
    ]
    write_csv(pretext / "metrics.csv", rows)
    write_csv(pretext / "fillers.csv", [{"filler": "unfilled"} | row for row in rows])
    write_csv(pretext / "history.csv", LOSSES)
    known |= {"pretexts": [pretext / "metrics.csv"], "fillers": [pretext / "fillers.csv"]}
    pictures = dict.fromkeys(("xray", "masked", "sobel"), images) | {"ids": np.array(IDS)}
    np.savez(out / "samples.npz", generated=images, **pictures)
    epochs = {"epochs": np.array([1, 10]), "generated": np.stack([images] * 2)}
    np.savez(out / "previews.npz", **pictures, **epochs)
    known |= {"samples": out / "samples.npz", "previews": out / "previews.npz"}
    write_json(out / "architecture.json", architecture())
    known |= {"architecture": out / "architecture.json", "lpips": out / "lpips.safetensors"}
    words = ["lpips-weights", "--settings", '{"lpips": "off"}', "--weights", str(known["lpips"])]
    assert main(words) == 0
    config = request.config.rootpath / "config"
    published = ("table1", "table2", "table3", "pretext", "models", "sentences")
    known |= {name: config / "published" / f"{name}.csv" for name in published}
    return known | {"claims": config / "claims.yaml"}


def record(method, seed):
    settings = {"fraction": 0.2, "seed": seed, "model": {"architecture": method}}
    return RECORD | {"settings": settings, "inputs_sha256": {"images": "d"}}


def architecture():
    names = ("encoder.0", "encoder.1", "bottleneck", "decoder.0", "decoder.1", "head")
    blocks = [{"name": name, "output": [16, 64, 128], "parameters": 12_345} for name in names]
    return {
        **{"name": "modified_resunet", "inputs": ["xray"], "input": [1, 64, 128]},
        **{"parameters": 1_234_567, "blocks": blocks},
    }


def inputs(files, stage):
    """Return the files that a stage's rule would pass, by flag."""
    wanted = {flag: files.get(flag) for flag in signature(stage) if flag not in ("settings",)}
    if "published" in wanted:
        paper = {"table-pretext": "pretext", "dice-by-fraction": "table2"}.get(stage, stage)
        wanted["published"] = files[paper]
    if stage == "table-pretext":
        wanted["metrics"] = files["pretexts"]
    if stage == "training-curves":
        wanted["pretexts"] = [file.with_name("history.csv") for file in files["pretexts"]]
    if stage in ("table3", "annotation-errors"):
        ours = slice(1, None)
        wanted |= {
            flag: wanted[flag][ours] for flag in ("metrics", "predictions") if flag in wanted
        }
    if stage in ("figure4", "figure5", "figure9"):
        wanted |= {flag: files[flag][-1] for flag in ("metrics", "predictions")}
    if stage == "figure8":
        wanted |= {flag: files[flag][::2] for flag in ("metrics", "predictions")}
    return {flag: value for flag, value in wanted.items() if flag not in OUTPUTS}


def run(stage, given, folder):
    """Run a stage; return its status and what it wrote."""
    words = [stage, "--settings", json.dumps(QUICK)]
    for flag, value in given.items():
        words += [f"--{flag}", *map(str, value if isinstance(value, list) else [value])]
    out = [folder / f"out.{kind}" for kind in OUTPUTS if kind in signature(stage)]
    words += [word for file in out for word in (f"--{file.suffix[1:]}", str(file))]
    for file in out:
        file.unlink(missing_ok=True)
    status = main(words)
    return status, [file.read_bytes() for file in out if file.exists()]


@pytest.fixture(scope="module")
def sound(files, tmp_path_factory):
    """Return what a stage writes of the undamaged files."""
    made = {}

    def written(stage):
        if stage not in made:
            made[stage] = run(stage, inputs(files, stage), tmp_path_factory.mktemp(stage))
        return made[stage]

    return written


class Spoilt:
    """One input of a stage in a folder of its own, to be damaged there."""

    def __init__(self, stage, flag, files, folder):
        self.stage, self.given, self.folder = stage, inputs(files, stage), folder
        value = self.given[flag]
        self.source = value[-1] if isinstance(value, list) else value
        self.file = self.target = folder / self.source.parent.name / self.source.name
        self.given[flag] = [*value[:-1], self.file] if isinstance(value, list) else self.file
        if flag == "raw":
            self.target = self.file / "injected_errors.json"
            self.source = self.source / "injected_errors.json"

    def trouble(self, damage, sound, capsys):
        """Damage the file and return what is wrong with what the stage made of it, or ""."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.target.parent.mkdir(parents=True)
        damage(self.source, self.target)
        try:
            status, written = run(self.stage, self.given, self.folder)
        except Exception as error:
            return f"ended with {error!r}"
        printed = capsys.readouterr().err
        if status == 0:
            return "" if (status, written) == sound(self.stage) else "was taken for sound"
        fits = status == 2 and str(self.target) in printed and not written
        return "" if fits and "Traceback" not in printed else f"ended with {status}: {printed}"


@pytest.fixture
def spoilt(files, tmp_path):
    return lambda stage, flag: Spoilt(stage, flag, files, tmp_path / "spoilt")


@pytest.mark.parametrize("stage", REPORT)
def test_undamaged_files_make_every_table_and_figure(sound, stage):
    status, written = sound(stage)
    assert status == 0 and all(written)


@pytest.mark.parametrize(("stage", "flag"), INPUTS)
def test_a_damaged_file_is_a_sentence(spoilt, sound, capsys, stage, flag):
    one = spoilt(stage, flag)
    damages = {name: DAMAGES[name] for name in DAMAGES if (flag, name) not in UNKNOWABLE}
    found = {name: one.trouble(damage, sound, capsys) for name, damage in damages.items()}
    assert {name: words for name, words in found.items() if words} == {}


OF_NUMBERS = [pair for pair in INPUTS if pair[1] in CSV and pair not in NAMES_ONLY]


@pytest.mark.parametrize(("stage", "flag"), OF_NUMBERS)
def test_a_cell_that_is_no_number_is_a_sentence(spoilt, sound, capsys, stage, flag):
    one = spoilt(stage, flag)
    found = {}
    for column in (name for name in NUMBERS if name in read_csv(one.source)[0]):
        blank = one.source.parent.name == "random_block_masking" and column in PIXEL_METRICS
        for cell in ("abc", "inf") if blank else ("abc", "inf", ""):

            def damage(source, target, column=column, cell=cell):
                rows = read_csv(source)
                rows[1][column] = cell
                write_csv(target, rows)

            found[column, cell] = one.trouble(damage, sound, capsys)

        def without(source, target, column=column):
            rows = read_csv(source)
            write_csv(target, [{k: v for k, v in row.items() if k != column} for row in rows])

        found[column, "left out"] = one.trouble(without, sound, capsys)
    assert {place: words for place, words in found.items() if words} == {}
    assert len(found) >= 4


def last_row_twice(source, target):
    rows = read_csv(source)
    write_csv(target, [*rows, rows[-1]])


def without_last_row(source, target):
    write_csv(target, read_csv(source)[:-1])


def of_another_method(source, target):
    write_csv(target, [row | {"method": "linknet"} for row in read_csv(source)])


def of_two_methods(source, target):
    first, *rows = read_csv(source)
    write_csv(target, [first | {"method": "unet"}, *rows])


def of_another_run(source, target):
    write_csv(target, [row | {"seed": 0} for row in read_csv(source)])


def with_another_count(source, target):
    first, *rows = read_csv(source)
    write_csv(target, [first | {"tp": f"{first['tp']}0"}, *rows])


OF_RUNS = [pair for pair in INPUTS if pair[1] == "metrics" and pair[0] != "table-pretext"]
SEVERAL = [pair for pair in OF_RUNS if not pair[0].startswith("figure")]


@pytest.mark.parametrize(("stage", "flag"), OF_RUNS)
@pytest.mark.parametrize(
    "damage", [last_row_twice, of_another_method, of_two_methods, with_another_count]
)
def test_metrics_that_are_not_of_one_run_are_a_sentence(spoilt, sound, capsys, stage, flag, damage):
    assert spoilt(stage, flag).trouble(damage, sound, capsys) == ""


@pytest.mark.parametrize(("stage", "flag"), SEVERAL)
@pytest.mark.parametrize("damage", [without_last_row, of_another_run])
def test_metrics_that_do_not_fit_the_others_are_a_sentence(
    spoilt, sound, capsys, stage, flag, damage
):
    assert spoilt(stage, flag).trouble(damage, sound, capsys) == ""


def test_a_pretext_and_its_fillers_are_measured_on_the_same_radiographs(spoilt, sound, capsys):
    assert spoilt("table-pretext", "fillers").trouble(without_last_row, sound, capsys) == ""


def resized(source, target):
    content = dict(np.load(source))
    cut = {n: array[..., ::2] for n, array in content.items() if array.ndim > 2}
    np.savez(target, **content | cut)


def one_less(source, target):
    content = dict(np.load(source))
    np.savez(target, **content | {"ids": content["ids"][:-1]})


def of_floats(source, target):
    content = dict(np.load(source))
    floats = {n: array / np.float32(255) for n, array in content.items() if array.ndim > 2}
    np.savez(target, **content | floats)


@pytest.mark.parametrize(
    ("stage", "flag"), [p for p in INPUTS if p[1] in ("predictions", "samples", "previews")]
)
@pytest.mark.parametrize("damage", [resized, one_less, of_floats])
def test_pictures_of_another_form_are_a_sentence(spoilt, sound, capsys, stage, flag, damage):
    words = spoilt(stage, flag).trouble(damage, sound, capsys)
    if damage is resized and flag == "predictions":  # the sentence names the arrays, too
        assert words.startswith("ended with 2") and ".npy holds pictures of 32 x 64 pixels" in words
    elif damage is resized:  # a pretext's pictures are of whatever size they have
        assert words == "was taken for sound"
    else:
        assert words == ""


@pytest.mark.parametrize("key", ["settings", "code", "inputs_sha256", "packages"])
@pytest.mark.parametrize(("stage", "flag"), [p for p in INPUTS if p[1] == "runs"])
def test_a_record_without_a_key_is_a_sentence(spoilt, sound, capsys, stage, flag, key):
    def without(source, target):
        content = json.loads(source.read_text())
        del content[key]
        write_json(target, content)

    assert spoilt(stage, flag).trouble(without, sound, capsys) == ""


def test_masks_of_other_values_are_a_sentence(spoilt, sound, capsys):
    def of_255(source, target):
        np.save(target, np.load(source) * 255)

    for stage in ("figure4", "figure5", "figure8", "figure9", "annotation-errors"):
        assert spoilt(stage, "masks").trouble(of_255, sound, capsys) == ""


def test_an_architecture_that_lacks_a_block_is_a_sentence(spoilt, sound, capsys):
    def without_bottleneck(source, target):
        content = json.loads(source.read_text())
        del content["blocks"][2]
        write_json(target, content)

    assert spoilt("figure1", "architecture").trouble(without_bottleneck, sound, capsys) == ""
