"""Import torchvision beside a torch of another build.

A CPU build of torch and a CUDA build of torchvision do not fit: torchvision's compiled operators
cannot be loaded, and its import stops at the first that it describes ("operator torchvision::nms
does not exist"). Networks need none of them, so declaring the two operators is enough. lpips, piq,
timm and segmentation_models_pytorch import torchvision; call :func:`import_torchvision` before
them.
"""

import sys
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
    import torchvision

    return torchvision
