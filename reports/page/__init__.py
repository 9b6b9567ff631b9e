"""The report as one HTML page."""

from irsam_zoo.reports.page.page import page

__all__ = ["page"]
