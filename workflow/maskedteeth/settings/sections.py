"""What stages see of a study: its settings by section."""

from maskedteeth.settings.config import HeldOut, Image, Share
from maskedteeth.settings.jobs import ReportJob as Presentation
from maskedteeth.settings.strict import Strict

__all__ = ["HeldOut", "Image", "Layout", "Presentation"]


class Layout(Strict):
    """How a dataset is laid out, and how much of it may be unusable."""

    source: str
    images: str = "images"
    masks: str = "masks"
    most_problems: Share = 0.1
