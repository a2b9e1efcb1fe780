"""Systems from the paper's related work, each trained, and told in one table."""

import json
import shutil

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from maskedteeth.models.baselines import smp
from maskedteeth.record import sha256

pytestmark = pytest.mark.workflow

#: Networks as small as they go. U-Net also starts from what stands for ImageNet's weights.
SMALL = """
data: {phantom: {images: 12, height: 64}}
image: {height: 32, width: 64}
split: {test_fraction: 0.2, fractions: [0.2]}
report: {figure_fraction: 0.2}
pretext:
  random_block_masking: {model: &tiny {widths: [4, 8, 8]}, epochs: 1, preview_epochs: [1]}
  mae: {model: {options: &swin {embed_dim: 12, depths: [1, 1, 1, 1]}}}
methods:
  modified_resunet: {model: *tiny}
  swin: {model: {options: *swin}}
  toothpix: {adversary: {widths: [4, 8]}}
  mask_rcnn: {model: {options: {width: 8, anchors: [4, 8, 16, 32, 64]}}}
  unet_imagenet: {model: {architecture: unet, encoder: mobilenet_v2}}
  pspnet_imagenet: null
  linknet_imagenet: null
training: {epochs: 1}
"""
PICTURES = {"mean": [0.5] * 3, "std": [0.2] * 3, "input_space": "RGB", "input_range": [0, 1]}


def put_in_cache(home):
    """Write random weights to where the library keeps what it once downloaded."""
    published = smp.encoders.encoders["mobilenet_v2"]["pretrained_settings"]["imagenet"]
    name = f"models--{published['repo_id'].replace('/', '--')}"
    folder = home / "hub" / name / "snapshots" / published["revision"]
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(PICTURES))
    torch.manual_seed(7)
    save_file(smp.encoders.get_encoder("mobilenet_v2").state_dict(), folder / "model.safetensors")


@pytest.fixture(scope="module")
def related(new_project, tmp_path_factory):
    """A study of all systems, run to the end of their table."""
    project = new_project(tmp_path_factory.mktemp("related"))
    (project.folder / "small.yaml").write_text(SMALL)
    overlays = ("demo", "related", "imagenet")
    project.settings = [*(f"config/{name}.yaml" for name in overlays), "small.yaml"]
    project.results = project.folder / "results" / "imagenet"
    project.environment = {"HF_HOME": str(project.folder / "hf"), "HF_HUB_OFFLINE": "1"}
    put_in_cache(project.folder / "hf")
    project.snakemake("related")
    return project


def test_all_systems_are_trained_and_stand_in_one_table(related):
    table = pd.read_csv(related.results / "tables/related.csv").set_index("model")
    assert len(table) == 19 and table["source"].notna().all()
    assert table[["dice", "jaccard"]].notna().all(axis=None)
    assert (table[["parameters", "training_seconds", "images_per_second"]] > 0).all(axis=None)
    # One finds teeth one by one.
    assert table["ap"].count() == 1 and table.loc["Mask R-CNN", "ap"] >= 0
    # Four started from a pretext of their own, and ours.
    assert table["pretext_seconds"].count() == 5
    # The library's PSPNet uses three of the encoder's five stages; the others are not trained.
    assert table.loc["PSPNet", "parameters"] < table.loc["LinkNet", "parameters"]

    printed = (related.results / "tables/related.md").read_text()
    assert "| SimMIM's mask + Swin + FPN " in printed and "SimMIM, Swin, Cascade" in printed


def test_the_encoders_weights_are_an_input_of_the_trainings_that_start_from_them(related):
    (file,) = (related.results / "encoders").iterdir()
    run = related.results / "runs/unet_imagenet/fraction-0.2/seed-42/run.json"
    assert json.loads(run.read_text())["inputs_sha256"]["encoder"] == sha256(file)
    log = (related.results / "logs/encoder_weights-mobilenet_v2-imagenet.log").read_text()
    assert sha256(file) in log
    # Brought by hand, as where there is no internet, it is taken as it is.
    kept = file.read_bytes()
    shutil.rmtree(related.folder / "hf")
    related.snakemake("--delete-all-output", str(file.relative_to(related.folder)))
    file.write_bytes(kept)
    assert "encoder_weights" not in related.planned("related")
