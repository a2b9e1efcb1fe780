"""Sections of a study's settings, by the names that stages ask for."""

from maskedteeth.settings.jobs import ReportJob as Presentation

__all__ = ["Presentation"]
