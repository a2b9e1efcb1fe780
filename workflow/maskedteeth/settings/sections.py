"""The sections of a study's settings that stages see."""

from maskedteeth.settings.jobs import ReportJob as Presentation

__all__ = ["Presentation"]
