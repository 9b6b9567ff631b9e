"""The report as one HTML page."""

from reports.page.page import page

__all__ = ["page"]
