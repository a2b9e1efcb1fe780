"""Cards: which one a process takes, and what is said where torch can use none."""

import os
import subprocess
import sys

import pytest
import torch

from maskedteeth.errors import InputError
from maskedteeth.settings.config import Compute
from maskedteeth.training import device
from maskedteeth.training.device import set_up

LISTED = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 1g.5gb      Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 1g.5gb      Device  1: (UUID: MIG-GPU-5d5ba0d6/2/0)
"""
SLICES = ["MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", "MIG-GPU-5d5ba0d6/2/0"]
OLD_DRIVER = "The NVIDIA driver on your system is too old (found version 11040). Please update it."
BUILT_FOR = ["sm_75", "sm_80", "sm_90", "compute_90"]


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """A stand-in for nvidia-smi; places on cards are those of this test alone."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTED}END\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(device.tempfile, "gettempdir", lambda: str(tmp_path))
    device._card.cache_clear()
    yield
    device._card.cache_clear()


@pytest.fixture
def torch_says(nvidia_smi, monkeypatch):
    """Stand-ins for torch's answers about a machine with cards of some compute capabilities."""

    def answer(*cards, error=None, built=True):
        def init():
            if error:
                raise RuntimeError(error)

        answers = {
            "is_available": lambda: built and not error,
            "init": init,
            "device_count": lambda: len(cards),
            "get_arch_list": lambda: BUILT_FOR,
            "get_device_capability": lambda card: cards[card],
            "get_device_name": lambda card: "Some card",
            "get_device_properties": lambda card: type("Card", (), {"uuid": f"GPU-{card}"}),
            "set_device": lambda card: None,
        }
        for name, function in answers.items():
            monkeypatch.setattr(torch.cuda, name, function)
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    return answer


@pytest.mark.parametrize(
    ("cards", "answers", "why"),
    [
        ([(8, 0)], {"built": False}, "is a build for CPUs. Install a build for CUDA."),
        ([(8, 0)], {"error": OLD_DRIVER}, "too old (found version 11040). Update it, or install"),
        ([], {"error": "No CUDA GPUs are available"}, "CUDA_VISIBLE_DEVICES is '0,1'; unset or"),
        ([(6, 0)], {}, "Some card has compute capability 6.0, and torch"),
        ([(7, 0)], {}, "was built for sm_75 sm_80 sm_90 compute_90. Install a build for this GPU"),
    ],
)
def test_a_card_that_torch_cannot_use_is_explained(torch_says, capsys, cards, answers, why):
    torch_says(*cards, **answers)
    assert set_up(Compute(device="auto", precision="float32")).device.type == "cpu"
    said = capsys.readouterr().err
    assert "NVIDIA's driver is here, but the CPU is used: " in said and why in said
    with pytest.raises(
        InputError, match=r"compute\.device is 'cuda', but .*'auto' or 'cpu'"
    ) as end:
        set_up(Compute(device="cuda"))
    assert why in str(end.value)
    set_up(Compute(device="cpu"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("newer", [(8, 6), (9, 0), (12, 0)])
def test_of_several_cards_one_is_taken_that_torch_was_built_for(torch_says, capsys, newer):
    torch_says((6, 0), newer)
    assert set_up(Compute(precision="float32")).device == torch.device("cuda", 1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("visible", ["", "-1", "1", "2,0", "GPU-5d5ba0d6", *SLICES, "MIG-a,MIG-b"])
def test_cards_that_a_scheduler_or_user_chose_stay_chosen(nvidia_smi, monkeypatch, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    set_up(Compute(device="auto"))
    found = os.environ["CUDA_VISIBLE_DEVICES"]
    assert found == visible or (found == "MIG-a" and visible == "MIG-a,MIG-b")


def test_trainings_at_once_share_the_slices_of_a_card(nvidia_smi, monkeypatch):
    """A process sees its first slice only, so each is shown another."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    code = """if True:
        import os
        from maskedteeth.settings.config import Compute
        from maskedteeth.training.device import set_up
        set_up(Compute(device="auto"))
        print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
        input()"""
    command = [sys.executable, "-c", code]
    trainings = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    taken = [training.stdout.readline().strip() for training in trainings]
    for training in trainings:
        training.communicate("\n", timeout=60)
    assert sorted(taken) == sorted(SLICES * 2)
