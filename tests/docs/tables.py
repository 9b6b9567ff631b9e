"""Tables of the documents, for the tests that hold them to rows."""

from irsam_zoo import ROOT

TITLES = {"NUAA-SIRST": "nuaa-sirst", "NUDT-SIRST": "nudt-sirst", "IRSTD-1k": "irstd-1k"}


def table(document, *head):
    """The lines of the one table of a document that has this head, as lists of texts."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    (start,) = [number for number, line in enumerate(lines) if _cells(line) == list(head)]
    assert set(lines[start + 1]) <= set("|-:"), f"no table begins at line {start + 1} of {document}"
    end = next((number for number in range(start + 2, len(lines)) if not lines[number].startswith("|")), len(lines))
    found = [_cells(line) for line in lines[start + 2 : end]]
    assert all(len(cells) == len(head) for cells in found)
    return found


def _cells(line):
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
