"""Text in the cells of a CSV file that spreadsheets open."""

import re

# A cell that begins so is a formula to a spreadsheet; the quote, which says that a cell is text, must be told from one of ours.
FORMULA = re.compile(r"(?!-?[0-9.]+$)\s*[=+\-@\t\r']")


def safe_text(text: str) -> str:
    """The text with a quote before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def plain_text(text: str) -> str:
    """The reverse of `safe_text`."""
    return text.removeprefix("'")
