import pytest
import torch

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Model
from maskedteeth.training.weights import load_weights, new_network, save_weights, stored_network

OURS = Model(architecture="modified_resunet", inputs=("xray", "sobel"), widths=(4, 8, 8))
CPU = torch.device("cpu")


def new(model=OURS, seed=0):
    return new_network(model, seed, CPU)


@pytest.fixture
def file(tmp_path):
    save_weights(new(), tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


@pytest.mark.parametrize("model", [OURS, Model(architecture="pspnet", encoder="resnet18")])
def test_weights_survive_a_file_to_the_last_bit(file, model):
    saved = new(model, 1)
    saved(torch.rand(2, len(model.inputs), 64, 64))  # moves the normalisations' statistics
    save_weights(saved, file)
    mine, theirs = saved.state_dict(), stored_network(model, file, CPU, seed=2).state_dict()
    assert mine.keys() == theirs.keys()
    assert any("running_mean" in name for name in mine)
    for name in mine:
        assert mine[name].dtype == theirs[name].dtype and torch.equal(mine[name], theirs[name])


def test_weights_of_another_architecture_are_refused_with_what_differs(file):
    other = new(OURS.model_copy(update={"inputs": ("xray",)}))
    shapes = r"encoder\.0\.conv1\.weight: .*\[4, 2, 3, 3\].*\[4, 1, 3, 3\]"
    with pytest.raises(InputError, match=rf"weights\.safetensors belongs to .*{shapes}"):
        load_weights(other, file)


@pytest.mark.parametrize("content", [None, b"", slice(3000), b"garbage" * 100])
def test_a_damaged_file_is_refused_by_name(file, content):
    if content is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[content] if isinstance(content, slice) else content)
    with pytest.raises(InputError, match=r"weights\.safetensors cannot be read.*Train again"):
        load_weights(new(), file)


def test_a_seed_means_the_same_weights_and_the_same_that_is_drawn_afterwards(file):
    weights, drawn = [], []
    for seed in (1, 1, 2):
        weights.append(new(seed=seed).head.weight.flatten().tolist())
        stored_network(OURS, file, CPU, seed)
        drawn.append(torch.rand(1).item())
    assert weights[0] == weights[1] != weights[2] and drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("model", [OURS, Model(architecture="linknet", encoder="resnet18")])
@pytest.mark.parametrize(
    ("transfer", "anew"), [("without_head", "head"), ("encoder", "head decoder"), ("all", "")]
)
def test_transfer_takes_the_parts_it_says_and_draws_the_others_from_the_seed(
    file, capsys, model, transfer, anew
):
    pretext = new(model, 1)
    save_weights(pretext, file)
    found = stored_network(model, file, CPU, seed=2, transfer=transfer).state_dict()
    drawn, said = new(model, 2).state_dict(), capsys.readouterr().err
    parts = {name.partition(".")[0] for name in found}
    others = {part for part in parts if part.removeprefix("segmentation_") in anew.split()}
    assert {part.removeprefix("segmentation_") for part in others} == set(anew.split())
    stored = pretext.state_dict()
    for name in stored:
        source = drawn if name.partition(".")[0] in others else stored
        assert torch.equal(found[name], source[name]), name
    taken, _, rest = said.partition("Initialised at random: ")
    for part in parts if anew else ():
        assert f"{part} (" in (rest if part in others else taken)
