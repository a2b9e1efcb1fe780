"""One loop for every training."""

from maskedteeth.settings.config import Adversary, Model


def module_of_loss(model: Model, adversary: Adversary | None) -> str:
    """Name the module of what a training minimises, so that fingerprints follow just that one."""
    name = "instances" if model.finds_instances else "adversarial" if adversary else "segmentation"
    return f"{__name__}.{name}"
