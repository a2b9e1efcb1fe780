"""What a network tells of every pixel: a module a task, each of the same shape.

:data:`CHANNELS` says how many logits a pixel gets. A task has four functions: ``target_of`` takes
from ``labels.npy`` what is learnt, ``loss`` measures it, ``probabilities`` are made of logits, and
``read`` tells from them how likely a pixel is tooth, and which. One that knows more than tooth or
no tooth also has ``measure``, which returns further columns for the evaluation.
"""

import importlib
from types import ModuleType

from maskedteeth.data.teeth import TEETH
from maskedteeth.settings.config import TaskName

#: Task → logits of a pixel: of tooth; or of the background, then of each tooth by number.
CHANNELS: dict[TaskName, int] = {"teeth": 1, "numbering": 1 + len(TEETH)}


def module_of_task(task: TaskName) -> str:
    """Name the module of a task, so that fingerprints follow just that one."""
    return f"{__name__}.{task}"


def task_of(name: TaskName) -> ModuleType:
    """Return the module of a task."""
    return importlib.import_module(module_of_task(name))
