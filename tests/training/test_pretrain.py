import json

import numpy as np
import pytest
import torch
from maskedteeth.settings.jobs import PretrainJob
from safetensors.torch import load_file

from maskedteeth.files import read_csv
from maskedteeth.fingerprint import fingerprint
from maskedteeth.pretext.guidance import sobel_magnitude


@pytest.fixture(scope="module")
def previews(study):
    return dict(np.load(study / "pretext/previews.npz"))


def rows_of(study, ids):
    images, order = np.load(study / "images.npy"), read_csv(study / "index.csv")
    return images[[[row["id"] for row in order].index(i) for i in ids]]


def test_previews_follow_the_test_radiographs_through_the_epochs(study, previews):
    assert set(previews) == {"epochs", "ids", "xray", "masked", "sobel", "generated"}
    test = json.loads((study / "pretext/split.json").read_text())["test"]
    assert previews["epochs"].tolist() == [1, 3]
    assert previews["ids"].tolist() == test and len(test) == 3
    count = len(previews["ids"])
    for name in ("xray", "masked", "sobel"):
        assert previews[name].shape == (count, 32, 64) and previews[name].dtype == np.uint8
    assert previews["generated"].shape == (2, count, 32, 64)
    assert previews["generated"].dtype == np.uint8
    assert (previews["generated"][0] != previews["generated"][1]).any()


def test_previews_show_the_radiograph_its_masking_and_its_edges(study, previews):
    xray, masked = previews["xray"], previews["masked"]
    assert (xray == rows_of(study, previews["ids"])).all()
    hidden = masked != xray
    assert not masked[hidden].any() and 0.1 < hidden.mean() < 0.75
    unit = torch.from_numpy(xray).float().div(255)[:, None]
    expected = sobel_magnitude(unit)[:, 0].mul(255).round().byte().numpy()
    assert (previews["sobel"] == expected).all()


def test_the_history_has_a_line_an_epoch_and_the_loss_falls(study):
    history = read_csv(study / "pretext/history.csv")
    train = json.loads((study / "pretext/split.json").read_text())["train"]
    steps = [-(-epoch * len(train) // 4) for epoch in (1, 2, 3)]
    assert [int(row["step"]) for row in history] == steps
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    assert float(history[-1]["loss"]) < float(history[0]["loss"])


def test_the_unlabelled_radiograph_takes_part(study):
    drawn = json.loads((study / "pretext/split.json").read_text())
    assert "13" in drawn["train"] and len(drawn["train"] + drawn["test"]) == 13


def test_the_run_is_recorded(study):
    run = json.loads((study / "pretext/run.json").read_text())
    assert PretrainJob.model_validate(run["settings"]) == PretrainJob.model_validate(
        study.settings("pretrain")
    )
    modules = ("maskedteeth.training.pretrain", "maskedteeth.models.modified_resunet")
    assert run["code"] == fingerprint(*modules)
    assert run["seed"] == 42 and run["steps"] == int(
        read_csv(study / "pretext/history.csv")[-1]["step"]
    )
    assert run["seconds"] > 0 and run["images_per_second"] > 0
    assert run["device_type"] == "cpu" and run["precision"] == "float32"


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(study, tmp_path):
    names = {"weights": "w.safetensors", "history": "h.csv", "previews": "p.npz", "run": "r.json"}
    for seed in (42, 43):
        (tmp_path / str(seed)).mkdir()
        files = {flag: tmp_path / str(seed) / name for flag, name in names.items()}
        assert study.run("pretrain", {"seed": seed}, **files) == 0
    for name, original in (
        ("w.safetensors", "weights.safetensors"),
        ("h.csv", "history.csv"),
        ("p.npz", "previews.npz"),
    ):
        first = (study / "pretext" / original).read_bytes()
        assert (tmp_path / "42" / name).read_bytes() == first, name
        assert (tmp_path / "43" / name).read_bytes() != first, name


def test_what_a_preview_looks_at_does_not_change_the_training(study, tmp_path):
    names = {"weights": "w.safetensors", "history": "h.csv", "previews": "p.npz", "run": "r.json"}
    files = {flag: tmp_path / name for flag, name in names.items()}
    assert study.run("pretrain", {"preview_epochs": [2], "probes": 1}, **files) == 0
    here, there = load_file(files["weights"]), load_file(study / "pretext/weights.safetensors")
    assert all(torch.equal(here[name], there[name]) for name in there)
    previews = np.load(files["previews"])
    assert previews["epochs"].tolist() == [2]
    assert previews["generated"].shape == (1, 1, 32, 64)
