import os

import pytest
import torch

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Model
from maskedteeth.training.weights import load_weights, new_network, save_weights

SMALL = Model(architecture="modified_resunet", inputs=("xray", "sobel"), widths=(4, 8, 8))
CPU = torch.device("cpu")


def new(model=SMALL, seed=0):
    return new_network(model, seed, CPU)


@pytest.mark.parametrize(
    "model", [SMALL, Model(architecture="pspnet", encoder="resnet18")], ids=["ours", "library"]
)
def test_weights_survive_a_file_to_the_last_bit(tmp_path, model):
    saved, loaded = new(model, 1), new(model, 2)
    saved(torch.rand(2, len(model.inputs), 64, 64))  # moves the normalisations' statistics
    save_weights(saved, tmp_path / "weights.safetensors")
    load_weights(loaded, tmp_path / "weights.safetensors")
    mine, theirs = saved.state_dict(), loaded.state_dict()
    assert mine.keys() == theirs.keys()
    assert any("running_mean" in name for name in mine)
    for name in mine:
        assert mine[name].dtype == theirs[name].dtype and torch.equal(mine[name], theirs[name])


def test_the_same_weights_make_the_same_file(tmp_path):
    for name in ("a", "b"):
        save_weights(new(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"inputs": ("xray",)}, r"\(4, 2, 3, 3\) for encoder\.0\.conv1.*\(4, 1, 3, 3\)"),
        ({"widths": (4, 8, 16)}, r"\(8, 16, 3, 3\) for .*\(16, 16, 3, 3\)"),
        ({"widths": (4, 8)}, r"\(8,\) for bottleneck|for bottleneck\.conv1.* the network"),
        ({"widths": (4, 8, 8, 8)}, r"has nothing for decoder|for bottleneck|for decoder"),
    ],
)
def test_weights_of_another_architecture_are_refused_with_both_shapes(tmp_path, changes, sentence):
    save_weights(new(), tmp_path / "weights.safetensors")
    other = new(SMALL.model_copy(update=changes))
    before = [p.clone() for p in other.parameters()]
    with pytest.raises(InputError, match=rf"weights\.safetensors is of another.*{sentence}"):
        load_weights(other, tmp_path / "weights.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(before, other.parameters(), strict=True))


@pytest.mark.parametrize("damage", ["missing", "empty", "half", "garbage"])
def test_a_damaged_file_is_refused_by_name(tmp_path, damage):
    file = tmp_path / "weights.safetensors"
    save_weights(new(), file)
    if damage == "missing":
        file.unlink()
    elif damage == "garbage":
        file.write_bytes(os.urandom(1000))
    else:
        file.write_bytes(file.read_bytes()[: 0 if damage == "empty" else 3000])
    with pytest.raises(InputError, match=r"weights\.safetensors cannot be read.*Train again"):
        load_weights(new(), file)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
@pytest.mark.parametrize("name", ["head.weight", "encoder.0.norm1.running_var"])
def test_weights_that_are_no_numbers_are_refused(tmp_path, name, value):
    spoiled, other = new(), new()
    spoiled.state_dict()[name].view(-1)[0] = value
    save_weights(spoiled, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match=rf"weights\.safetensors holds NaN or .* in {name} "):
        load_weights(other, tmp_path / "weights.safetensors")


def test_a_seed_means_the_same_network():
    same, again, other = new(seed=1), new(seed=1), new(seed=2)
    for a, b in zip(same.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(same.head.weight, other.head.weight)
