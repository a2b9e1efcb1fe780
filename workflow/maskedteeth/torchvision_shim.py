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

#: The operators that torchvision describes even when its compiled library is not there.
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

#: The declarations; they vanish with this object. None: torchvision's own operators are in use.
declared: Any = None


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its missing operators only where that import fails for them.

    A healthy installation is left untouched. The declared operators have no implementation;
    torchvision's functions around them raise RuntimeError when called.

    Raises:
        RuntimeError: torchvision's import fails for another reason.
    """
    global declared
    try:
        with compiler_left_out():
            import torchvision
    except RuntimeError as error:
        if declared is not None or "torchvision::nms does not exist" not in str(error):
            raise
    else:
        return torchvision

    import torch

    declared = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS:
        declared.define(schema)
    # The failed import left the submodules that it had reached; the next one starts anew.
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    with compiler_left_out():
        import torchvision

    return torchvision


@contextmanager
def compiler_left_out() -> Iterator[None]:
    """Import torchvision and timm in the block without torch's compiler.

    They import it, which takes as long as half of torch, to ask whether there is one and to keep it
    from functions of theirs. Here nothing is compiled. It is left alone where it is loaded already.
    """
    compiler, utils = ModuleType("torch._dynamo"), ModuleType("torch._dynamo.utils")
    compiler.disable = lambda function, *_, **__: function
    utils.is_compile_supported = lambda device: False
    stubs = {module.__name__: module for module in (compiler, utils)}
    stubs = {} if compiler.__name__ in sys.modules else stubs
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            del sys.modules[name]
