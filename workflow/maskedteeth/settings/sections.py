"""What a stage gets of a study's settings."""

from maskedteeth.settings.jobs import ReportJob as Presentation

__all__ = ["Presentation"]
