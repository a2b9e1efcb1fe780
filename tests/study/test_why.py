"""Where a number comes from, and whether the runs behind a table are of one kind."""

import json
import shutil

import pytest

from maskedteeth.cli import main
from maskedteeth.provenance import sha256
from maskedteeth.report.mixtures import mixtures, name_of, short

NETWORKS = {"ours": "modified_resunet", "pspnet": "pspnet", "unet": "unet"}
RUNS = [(method, fraction, 42) for method in NETWORKS for fraction in (0.1, 0.2)]
RUNS.append(("ours", 0.2, 7))


def record(method, fraction, seed, weights):
    return {
        "settings": {
            "epochs": 80,
            "fraction": fraction,
            "seed": seed,
            "model": {"architecture": NETWORKS[method]},
        },
        "code": ("a" if method == "ours" else "b") * 16,
        "modules": [
            "maskedteeth.training.train",
            f"maskedteeth.models.{'modified_resunet' if method == 'ours' else 'baselines'}",
        ],
        "git_commit": "c" * 40 + "-dirty",
        "inputs_sha256": {
            **{"images": "1" * 64, "masks": "2" * 64, "index": "3" * 64},
            "split": f"{fraction}/{seed}",
            "pretext": sha256(weights) if method == "ours" else None,
        },
        "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
        "device": "A card",
        "precision": "bfloat16",
        "peak_memory_mib": 431.0,
        "peak_device_memory_mib": None,
        "seconds": 100.0 + len(method),
        "images_per_second": 12.34,
        "seed": seed,
    }


@pytest.fixture
def study(tmp_path):
    study = tmp_path / "results" / "tiny"
    for name in ("masked", "unused"):
        weights = study / "pretext" / name / "weights.safetensors"
        weights.parent.mkdir(parents=True)
        weights.write_text(f"weights of {name}")
        pretext = {
            "settings": {"epochs": 7, "model": {"architecture": "modified_resunet"}},
            "code": "d" * 16,
            "modules": ["maskedteeth.training.pretrain"],
            "inputs_sha256": {"images": "1" * 64},
            "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
            "device": "A card",
            "precision": "bfloat16",
            "seconds": 9,
        }
        (weights.parent / "run.json").write_text(json.dumps(pretext))
    for method, fraction, seed in RUNS:
        folder = study / folder_of(method, fraction, seed)
        folder.mkdir(parents=True)
        weights = study / "pretext" / "masked" / "weights.safetensors"
        (folder / "run.json").write_text(json.dumps(record(method, fraction, seed, weights)))
        (folder / "metrics.csv").write_text("dice\n")
    for folder in ("tables", "sources"):
        (study / folder).mkdir()
    (study / "tables" / "table2.md").write_text("a table")
    listing = "\n".join(folder_of(*run) for run in RUNS)
    (study / "sources" / "table2.txt").write_text(listing + "\n")
    return study


def folder_of(method, fraction, seed):
    return f"runs/{method}/fraction-{fraction:g}/seed-{seed}"


def change(study, run, **values):
    file = study / folder_of(*run) / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def ask(path, capsys):
    assert main(["why", str(path)]) == 0
    return capsys.readouterr().out


def files(study):
    return sorted(study.glob("runs/*/*/*/run.json")) + sorted(study.glob("pretext/*/run.json"))


def test_what_all_runs_share_is_printed_once_and_what_differs_where_it_belongs(study, capsys):
    text = ask(study / "tables" / "table2.md", capsys)
    assert "7 runs, 1 pretext, study tiny" in text.splitlines()[0]
    assert text.count("epochs 80") == 1 and text.count("A card") == 2  # runs and pretext
    assert "git_commit: cccccccccccc-dirty" in text
    by_method = text.partition("By method\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in by_method.splitlines()]
    assert rows[0][:3] == ["method", "model.architecture", "code"] and rows[0][3] == "modules"
    assert [row[:3] for row in rows[2:]] == [
        ["ours", "modified_resunet", "a" * 12],
        ["pspnet", "pspnet", "b" * 12],
        ["unet", "unet", "b" * 12],
    ]
    by_run = text.partition("By method and fraction and seed\n")[2].partition("\n\n")[0]
    assert len(by_run.splitlines()) == 2 + len(RUNS)
    assert "| seconds   | images/s   | memory MiB   |" in by_run
    assert "Together 732 seconds" in text
    assert "different" not in text


def test_a_run_is_explained_by_itself_and_the_pretext_that_it_starts_from(study, capsys):
    text = ask(study / folder_of("ours", 0.2, 7) / "metrics.csv", capsys)
    assert "1 run, 1 pretext" in text and "Pretext masked" in text and "unused" not in text
    assert "seed 7" in text and "seconds: 104.0" in text and "images/s: 12.3" in text
    text = ask(study / folder_of("unet", 0.1, 42) / "run.json", capsys)
    assert "1 run, 0 pretexts" in text


def test_names_of_studies_methods_and_pretexts_are_taken_for_nothing_else(study, capsys):
    study = study.rename(study.with_name("pretext"))
    (study / "runs" / "unet").rename(study / "runs" / "pretext")
    (study / "pretext" / "masked").rename(study / "pretext" / "runs")
    (study / "pretext" / "unused").rename(study / "pretext" / "tables")
    listing = study / "sources" / "table2.txt"
    listing.write_text(listing.read_text().replace("runs/unet/", "runs/pretext/"))
    text = ask(study / "tables" / "table2.md", capsys)
    assert "7 runs, 1 pretext, study pretext" in text.splitlines()[0]
    text = ask(study / "runs" / "pretext" / "fraction-0.1" / "seed-42", capsys)
    assert "1 run, 0 pretexts, study pretext" in text.splitlines()[0]
    for name in ("runs", "tables"):
        text = ask(study / "pretext" / name / "weights.safetensors", capsys)
        assert "0 runs, 1 pretext, study pretext" in text and f"Pretext {name}\n" in text


def test_it_still_works_where_results_were_moved_to(study, tmp_path, capsys, monkeypatch):
    shutil.move(study, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home" / "tables")
    assert "7 runs, 1 pretext, study home" in ask("table2.md", capsys)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("tables/table9.md", "table9.md does not exist"),
        ("tables/table1.md", "run the Snakemake command that made it once more"),
        ("index.csv", "is neither a table or figure nor a result of a run"),
    ],
)
def test_what_cannot_be_explained_is_a_sentence(study, path, sentence, capsys):
    for name in ("tables/table1.md", "index.csv"):
        (study / name).write_text("")
    assert main(["why", str(study / path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_file_without_runs_says_so(study, capsys):
    (study / "tables" / "audit.md").write_text("")
    (study / "sources" / "audit.txt").write_text("\n")
    assert "It holds no number of a run." in ask(study / "tables" / "audit.md", capsys)


def test_runs_of_one_kind_are_not_remarked_on(study):
    assert mixtures(files(study)) == "" and mixtures([]) == ""


def test_runs_of_different_code_and_data_are_named(study):
    change(study, ("pspnet", 0.2, 42), code="e" * 16)
    change(study, ("unet", 0.1, 42), inputs_sha256={"images": "9" * 64, "split": "another"})
    change(study, ("ours", 0.1, 42), precision="float32", device=None)
    change(study, ("ours", 0.2, 42), packages={"torch": "2.12.0", "numpy": "2.4.6"})
    assert mixtures(files(study)) == (
        "Runs of different code: training.train and models.baselines: bbbbbbbbbbbb (3 runs), "
        "eeeeeeeeeeee (pspnet/fraction-0.2/seed-42). "
        "Runs on different data: images: 111111111111 (8 runs), "
        "999999999999 (unet/fraction-0.1/seed-42); "
        "split 0.1, seed 42: 0.1/42 (ours/fraction-0.1/seed-42, pspnet/fraction-0.1/seed-42), "
        "another (unet/fraction-0.1/seed-42). "
        "Runs of different packages: torch: 2.13.0 (8 runs), "
        "2.12.0 (ours/fraction-0.2/seed-42). "
        "Runs on different devices: A card (8 runs), unknown (ours/fraction-0.1/seed-42). "
        "Runs in different precision: bfloat16 (8 runs), float32 (ours/fraction-0.1/seed-42)."
    )


@pytest.fixture
def evaluated(study):
    """The study with the records of its evaluations."""
    for file in study.glob("runs/*/*/*/run.json"):
        run = json.loads(file.read_text())
        file.write_text(json.dumps(run | {"weights_sha256": "7" * 64}))
        own = {
            "settings": {key: run["settings"][key] for key in ("fraction", "seed", "model")},
            "code": "f" * 16,
            "modules": ["maskedteeth.metrics.evaluate", run["modules"][1]],
            "inputs_sha256": {"images": "1" * 64, "weights": "7" * 64},
            "precision": "float32",
            "seconds": 2.0,
        }
        own["settings"] |= {"threshold": 0.5, "boundary_tolerance": 2.0}
        (file.parent / "evaluation.json").write_text(json.dumps(run | own))
    return study


def evaluations(study):
    return files(study) + sorted(study.glob("runs/*/*/*/evaluation.json"))


def test_an_evaluation_is_explained_by_what_its_training_does_not_say(evaluated, capsys):
    text = ask(evaluated / "tables" / "table2.md", capsys)
    line = next(line for line in text.splitlines() if line.startswith("  evaluation: "))
    assert "settings.threshold 0.5" in line and "precision float32" in line
    assert "code ffffffffffff" in line and "packages" not in line and "seconds" not in line
    assert text.count("777777777777") == 1  # the weights, of training and evaluation
    assert "Together 732 seconds of training, 0.20 hours, and 14 of evaluation" in text
    assert "different" not in text
    text = ask(evaluated / folder_of("unet", 0.1, 42) / "metrics.csv", capsys)
    assert "settings.threshold 0.5" in text and "seconds 2.0" in text


def test_evaluations_that_differ_are_named(evaluated):
    assert mixtures(evaluations(evaluated)) == ""
    file = evaluated / folder_of("unet", 0.1, 42) / "evaluation.json"
    other = json.loads(file.read_text())
    other["settings"]["threshold"] = 0.4
    other["inputs_sha256"] = {"images": "9" * 64, "weights": "8" * 64}
    file.write_text(json.dumps(other | {"code": "0" * 16, "precision": "bfloat16"}))
    name = "unet/fraction-0.1/seed-42"
    assert mixtures(evaluations(evaluated)) == (
        "Runs of different code: metrics.evaluate and models.baselines: ffffffffffff (3 runs), "
        f"000000000000 ({name}). "
        f"Runs on different data: images: 111111111111 (9 runs), 999999999999 ({name}). "
        f"Runs in different precision: evaluations: float32 (6 runs), bfloat16 ({name}). "
        f"Runs measured with different settings: threshold: 0.5 (6 runs), 0.4 ({name}). "
        f"Measured on other weights than the run's own: {name}."
    )


def test_names_and_digests_are_short(study):
    assert name_of(study / "runs/unet/fraction-0.1/seed-42/run.json") == "unet/fraction-0.1/seed-42"
    assert name_of(study / "pretext/masked/run.json") == "pretext/masked"
    assert short("0" * 40 + "-dirty") == "0" * 12 + "-dirty"
    assert short("modified_resunet") == "modified_resunet" and short([1, 2]) == "[1, 2]"


def test_the_image_that_runs_were_made_in_is_printed_and_no_mixture(study, capsys):
    image = {"name": "teeth", "digest": f"sha256:{'d' * 64}", "content": None, "commit": None}
    for run in RUNS:
        change(study, run, image=image if run[0] == "ours" else None)
    text = ask(study / "tables" / "table2.md", capsys)
    assert "| teeth" in text and f"| {'d' * 12} " in text
    assert "different" not in text
    assert f"digest {'d' * 12}" in ask(study / folder_of("ours", 0.2, 7) / "run.json", capsys)
