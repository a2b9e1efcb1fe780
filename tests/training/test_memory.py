import pytest
import torch

from maskedteeth.settings.config import Model
from maskedteeth.settings.jobs import TrainJob
from maskedteeth.training import train
from maskedteeth.training.memory import explained

MODEL = {"architecture": "modified_resunet", "widths": [4, 8, 8]}
CARD = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of "
    "which 1.20 GiB is free. Including non-PyTorch memory, this process has 77.90 GiB in use."
)


def raising(error):
    def loss(*_):
        raise error

    return loss


def test_a_full_card_ends_in_one_sentence(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train, "segmentation_loss", raising(torch.OutOfMemoryError(CARD)))
    outputs = {name: tmp_path / name for name in ("weights", "history", "run")}
    assert study.run("train", {"batch_size": 9}, **outputs) == 2
    assert capsys.readouterr().err.endswith(
        "\nmaskedteeth train: The card's memory does not suffice for modified_resunet (widths "
        "[4, 8, 8]) with batch_size 9: 2.00 GiB more were asked for, 1.20 GiB of 79.11 GiB were "
        "free. Try batch_size 4, or a smaller image (image.height, image.width).\n"
    )


def test_another_error_stays_what_it_is(study, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "segmentation_loss", raising(RuntimeError("shapes differ")))
    outputs = {name: tmp_path / name for name in ("weights", "history", "run")}
    with pytest.raises(RuntimeError, match="shapes differ"):
        study.run("train", **outputs)


def test_the_computers_memory_too():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**52)
    model = Model(architecture="unet", encoder="resnet34")
    job = TrainJob(model=model, fraction=0.1, seed=1, compute={}, batch_size=1)
    assert str(explained(caught.value, job)) == (
        "The computer's memory does not suffice for unet (encoder resnet34) with batch_size 1: "
        "17179869184 MiB more were asked for. Try a smaller image (image.height, image.width), or "
        "a machine with more memory."
    )
    assert "computer's memory" in str(explained(MemoryError(), None))


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    ],
)
def test_however_the_libraries_say_it(text):
    job = TrainJob(model=MODEL, fraction=0.1, seed=1, compute={})
    sentence = str(explained(RuntimeError(text), job))
    assert "The card's memory does not suffice for modified_resunet" in sentence
    assert "with batch_size 8. Try batch_size 4" in sentence
