"""Import torchvision beside a torch of another build.

A CPU build of torch and a CUDA build of torchvision do not fit: torchvision's compiled operators
cannot be loaded, and its import stops at the first that it describes ("operator torchvision::nms
does not exist"). Networks need none of them, so declaring the two operators is enough. lpips, piq,
timm and segmentation_models_pytorch import torchvision; call :func:`import_torchvision` before
them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

#: The operators that torchvision describes even when its compiled library is not there.
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

#: The declarations; they vanish with this object. None: torchvision's own operators are in use.
declared: Any = None


@contextmanager
def compiler_left_out() -> Iterator[None]:
    """Keep what runs within from loading torch's compiler, which takes as long as half of torch.

    torchvision, timm and tensors without content ask it whether it is there, or to pass functions
    by. Here nothing is compiled. A compiler that is loaded already is left alone.
    """
    compiler, utils = ModuleType("torch._dynamo"), ModuleType("torch._dynamo.utils")
    compiler.disable = lambda function, *_, **__: function
    utils.is_compile_supported = lambda device: False
    stubs = {} if compiler.__name__ in sys.modules else {m.__name__: m for m in (compiler, utils)}
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            del sys.modules[name]


@compiler_left_out()
def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its missing operators only where that import fails for them.

    A healthy installation is left untouched. The declared operators have no implementation;
    torchvision's functions around them raise RuntimeError when called.

    Raises:
        RuntimeError: torchvision's import fails for another reason.
    """
    global declared
    try:
        import torchvision
    except RuntimeError as error:
        if declared is not None or "torchvision::nms does not exist" not in str(error):
            raise
    else:
        return torchvision

    declared = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS:
        declared.define(schema)
    # The failed import left the submodules that it had reached; the next one starts anew.
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    import torchvision

    return torchvision
