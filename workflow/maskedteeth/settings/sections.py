"""The sections of the settings that stages name in their signatures."""

from maskedteeth.settings.config import Phantom
from maskedteeth.settings.jobs import ReportJob as Presentation

__all__ = ["Phantom", "Presentation"]
