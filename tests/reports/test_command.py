"""The report command on stored folders."""

from irsam_zoo.commands import door
from tests.reports.builders import KEY, stored, trained


def report(*arguments):
    return door.main(["report", *map(str, arguments)])


def test_every_option_reaches_the_table(tmp_path, capsys):
    stored(tmp_path, ci95={"exact": dict(Pd=(0.8, 0.95))})
    assert report("--out", tmp_path, "--columns", "Pd", "AUC", "--digits", 1, "--ci", "--with-published") == 0
    files = {line.rsplit("/", 1)[1] for line in capsys.readouterr().out.splitlines()}
    assert files >= {"table1.md", "table1.tex", "table1.html", "table1.csv", "audit.md"}
    text = (tmp_path / "report" / "table1.md").read_text(encoding="utf-8")
    assert "| Method | Pd ↑ | AUC ↑ | Images | Threshold | Status |" in text
    assert "| Top-Hat | **90.0** [80.0, 95.0] (78.408, +11.6) | - | 4 | fixed(0) | ok |" in text
    assert "| RDIAN <sup>N</sup> | (98.836) |" in text
    assert report("--out", tmp_path, "--columns", "Pd", "--transpose") == 0
    assert "| Method | Top-Hat |" in (tmp_path / "report" / "table1.md").read_text(encoding="utf-8")
    assert report("--out", tmp_path, "--columns", "Pt") == 2
    assert "unknown column 'Pt'" in capsys.readouterr().err


def test_leads_are_tested_in_rows_that_are_cut_anew(tmp_path):
    for method in ("top_hat", "max_median"):
        stored(tmp_path, method)
    assert report("--out", tmp_path, "--threshold", "minmax(0.5)") == 0
    text = (tmp_path / "report" / "table1.md").read_text(encoding="utf-8")
    assert "Leads in" not in text
    assert text.count("**16.00**") == 4  # IoU and nIoU of both: equal figures share the rank, and have no next


def test_two_folders(tmp_path, capsys):
    stored(tmp_path / "a")
    stored(tmp_path / "b", "max_median", weights=trained())
    assert report("--merge", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "c") == 0
    assert "Max-Median" in (tmp_path / "c" / "report" / "table1.md").read_text(encoding="utf-8")
    stored(tmp_path / "d", key=KEY | {"data": "other"})
    assert report("--merge", tmp_path / "a", tmp_path / "d", "--out", tmp_path / "e") == 1
    assert "is of other images than" in capsys.readouterr().err
    assert report("--compare", tmp_path / "a", tmp_path / "c") == 0
    text = capsys.readouterr().out
    assert f"Only in {tmp_path / 'c'}: max_median on nudt-sirst (dnanet)." in text
    assert "No image of 4 is counted differently." in text


def test_latex_has_the_published_table_alone_unless_told(tmp_path, capsys):
    stored(tmp_path)
    stored(tmp_path, "rpcanet")
    for arguments, there in ((), False), (("--table", "all"), True):
        assert report("--out", tmp_path, "--figures", "none", *arguments) == 0
        latex, markdown = ((tmp_path / "report" / f"table1.{end}").read_text(encoding="utf-8") for end in ("tex", "md"))
        assert ("RPCANet" in latex, "RPCANet" in markdown) == (there, True)
    assert report("--out", tmp_path, "--table", "x") == 2
    assert "unknown table 'x'; known: all, joint, single, table1" in capsys.readouterr().err
