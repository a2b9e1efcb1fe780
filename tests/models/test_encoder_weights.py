"""Weights of an encoder from elsewhere: fetched once, and fed what they were trained with.

A cache of huggingface_hub with random weights stands for what would be downloaded.
"""

import json

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from maskedteeth.errors import InputError
from maskedteeth.models.baselines import smp
from maskedteeth.models.encoder_weights import fetch_encoder
from maskedteeth.record import sha256
from maskedteeth.settings.config import Model
from maskedteeth.settings.sections import Encoder
from maskedteeth.training.weights import new_network, save_weights, stored_network

NAME, CPU = "mobilenet_v2", torch.device("cpu")
EXPECTED = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
EXPECTED |= {"input_space": "RGB", "input_range": [0, 1]}
MODEL = Model(architecture="fpn", encoder=NAME, encoder_weights="imagenet")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache in which the library finds what it once downloaded; without a network."""
    published = smp.encoders.encoders[NAME]["pretrained_settings"]["imagenet"]
    owner, name = published["repo_id"].split("/")
    folder = tmp_path / f"hub/models--{owner}--{name}/snapshots/{published['revision']}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(EXPECTED))
    torch.manual_seed(7)
    tensors = smp.encoders.get_encoder(NAME).state_dict()
    save_file(tensors, folder / "model.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


@pytest.fixture
def fetched(cache, tmp_path):
    """What the stage writes."""
    weights = tmp_path / "encoder.safetensors"
    fetch_encoder(Encoder(name=NAME, weights="imagenet"), weights=weights)
    return weights


def test_a_grey_radiograph_is_what_the_library_would_show_the_encoder_as_a_picture(
    fetched, tmp_path
):
    network = new_network(MODEL, 42, CPU, encoder=fetched).eval()
    theirs = smp.create_model("fpn", NAME, "imagenet", in_channels=3, classes=1).eval()
    for part in ("decoder", "segmentation_head"):
        getattr(theirs, part).load_state_dict(getattr(network, part).state_dict())
    grey = np.random.default_rng(0).random((64, 96), np.float32)
    picture = smp.encoders.get_preprocessing_fn(NAME)(np.repeat(grey[..., None], 3, axis=2))
    with torch.no_grad():
        expected = theirs(torch.from_numpy(picture).permute(2, 0, 1)[None].float())
        found = network(torch.from_numpy(grey)[None, None])
    assert torch.allclose(found, expected, atol=1e-4) and expected.std() > 0.01

    finished = tmp_path / "weights.safetensors"
    save_weights(network, finished)
    fetched.unlink()  # what is finished needs it no longer
    for transfer in ("all", "encoder"):
        again = stored_network(MODEL, finished, CPU, transfer=transfer)
        for name, tensor in network.state_dict().items():
            if transfer == "all" or name.startswith(("encoder.", "normalisation.")):
                assert torch.equal(tensor, again.state_dict()[name])


def test_fetched_again_it_is_the_same_file(fetched, tmp_path, capsys):
    fetch_encoder(Encoder(name=NAME, weights="imagenet"), weights=tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == fetched.read_bytes()
    assert f"imagenet of {NAME}, sha256 {sha256(fetched)}" in capsys.readouterr().out


def test_weights_of_another_network_or_none_are_a_sentence(fetched, cache, tmp_path):
    other = MODEL.model_copy(update={"encoder": "resnet18"})
    with pytest.raises(InputError, match="encoder.safetensors does not fit .* none there. Leave"):
        new_network(other, 42, CPU, encoder=fetched)
    (cache / "model.safetensors").unlink()
    for encoder, sentence in (
        ((NAME, "imagenet"), r"could not be downloaded .* make .*new.safetensors where there is"),
        (("dpn92", "imagenet"), "has no weights 'imagenet' of the encoder 'dpn92': .*5k.*Change"),
        (("tu-none", "imagenet"), "has no weights 'imagenet' of the encoder 'tu-none'"),
    ):
        about = Encoder(name=encoder[0], weights=encoder[1])
        with pytest.raises(InputError, match=sentence):
            fetch_encoder(about, weights=tmp_path / "new.safetensors")
    assert not (tmp_path / "new.safetensors").exists()
