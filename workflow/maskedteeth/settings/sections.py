"""Names of the parts of the settings that stages ask for."""

from maskedteeth.settings.jobs import ReportJob as Presentation

__all__ = ["Presentation"]
