"""Where files are found: publishers' layouts, names of folders, roots, and the text when nothing is there."""

from pathlib import Path

import pytest

from irsam_zoo.datasets import build_dataset, find_root
from irsam_zoo.datasets.layouts import MASK_SUFFIX, index_files, locate, natural_order, open_folder
from irsam_zoo.zoo import UsageError


def make(folder, images="images", masks="masks"):
    for name in (images, masks):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("images", "masks"),
    [("images", "masks"), ("IRSTD1k_Img", "IRSTD1k_Label"), ("Images", "MASKS"), ("irstd1k_img", "IRSTD1K_label")],
)
def test_both_layouts_in_any_case(tmp_path, images, masks):
    folder = make(tmp_path / "IRSTD-1k", images, masks)
    assert open_folder(folder) == (folder, folder / images, folder / masks)


def test_half_a_layout_is_none(tmp_path):
    make(tmp_path, "images", "IRSTD1k_Label")
    assert open_folder(tmp_path) is None
    (tmp_path / "masks").write_text("a file, not a folder")
    assert open_folder(tmp_path) is None


@pytest.mark.parametrize("name", ["NUAA-SIRST", "nuaa-sirst", "NUAA_SIRST", "nuaasirst", "SIRST", "sirst", "sirst-master"])
def test_names_of_the_folder(tmp_path, name):
    make(tmp_path / name)
    make(tmp_path / "NUDT-SIRST")
    dataset = build_dataset("nuaa-sirst", tmp_path, subset="all")
    assert (dataset.location.folder, dataset.root) == (tmp_path / name, tmp_path)


def test_names_are_tried_in_their_order_and_empty_folders_passed_over(tmp_path):
    names = ("NUAA-SIRST", "SIRST")
    make(tmp_path / "SIRST")
    (tmp_path / "NUAA-SIRST").mkdir()
    assert locate(tmp_path, names).folder.name == "SIRST"
    make(tmp_path / "nuaa_sirst")
    assert locate(tmp_path, names).folder.name == "nuaa_sirst"
    assert locate(tmp_path, ("NUDT-SIRST",)) is None


def test_the_root_may_be_the_set_itself(tmp_path, monkeypatch):
    folder = make(tmp_path / "IRSTD-1k")
    assert locate(folder, ("IRSTD-1k",)).folder == folder
    monkeypatch.chdir(folder)
    assert locate(Path(), ("IRSTD-1k",)).images.is_dir()


def test_order_of_roots(tmp_path, monkeypatch):
    for name in ("given", "variable", "work/data"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("IRSAM_ZOO_DATA", raising=False)
    assert find_root() == Path("data")
    monkeypatch.setenv("IRSAM_ZOO_DATA", str(tmp_path / "variable"))
    assert find_root() == tmp_path / "variable"
    assert find_root(tmp_path / "given") == find_root(str(tmp_path / "given")) == tmp_path / "given"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_root("~/given") == tmp_path / "given"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IRSAM_ZOO_DATA", "")
    assert find_root() is None


def test_a_root_that_is_no_folder_is_named_with_its_source(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"--data-root names .*gone, which is not a folder; name the folder that holds"):
        find_root(tmp_path / "gone")
    monkeypatch.setenv("IRSAM_ZOO_DATA", str(tmp_path / "lost"))
    with pytest.raises(UsageError, match=r"\$IRSAM_ZOO_DATA names .*lost, which is not a folder"):
        find_root()


def test_a_set_that_is_not_there_says_what_was_looked_for_and_where(tmp_path, monkeypatch):
    with pytest.raises(UsageError) as error:
        build_dataset("nuaa-sirst", tmp_path)
    text = str(error.value)
    for part in (
        f"NUAA-SIRST is not under {tmp_path}",
        "NUAA-SIRST or SIRST or sirst-master",
        "images/ and masks/",
        "IRSTD1k_Img/ and IRSTD1k_Label/",
        "https://github.com/YimianDai/sirst",
        "--data-root",
        "$IRSAM_ZOO_DATA",
    ):
        assert part in text
    assert "\n" not in text
    monkeypatch.delenv("IRSAM_ZOO_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no folder of data sets for NUDT-SIRST: looked for NUDT-SIRST with images/"):
        build_dataset("nudt-sirst")


def test_files_by_id_in_natural_order(tmp_path):
    for name in ("XDU10.png", "XDU2.PNG", "XDU2.jpg", "XDU1.bmp", "note.txt", ".hidden.png", "XDU10.npy"):
        (tmp_path / name).touch()
    (tmp_path / "deeper.png").mkdir()
    files = index_files(tmp_path)
    assert list(files) == ["XDU1", "XDU2", "XDU10"]
    assert files == {
        "XDU1": [tmp_path / "XDU1.bmp"],
        "XDU2": [tmp_path / "XDU2.PNG", tmp_path / "XDU2.jpg"],
        "XDU10": [tmp_path / "XDU10.png"],
    }


def test_files_below_sub_folders(tmp_path):
    for name in ("252/10.png", "252/2.png", "9/a/b.png", ".cache/2.png", "252/.hidden.png", "top.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "other").symlink_to(tmp_path / "252")
    (tmp_path / "252" / "loop").symlink_to(tmp_path)
    files = index_files(tmp_path)
    assert list(files) == ["9/a/b", "252/2", "252/10", "other/2", "other/10", "top"]
    assert files["252/10"] == [tmp_path / "252" / "10.png"]


@pytest.mark.parametrize("name", ["a\nb.png", "a\x07.png", "a\u2028b.png", "a\udcff.png", "x\ty/a.png"])
def test_a_name_that_no_list_can_hold(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"has a file whose name is not plain text, '.*'; rename it") as error:
        index_files(tmp_path)
    assert str(error.value).isprintable()


def test_the_suffix_of_a_mask_is_no_part_of_its_id(tmp_path):
    for name in ("Misc_1_pixels0.png", "Misc_10_pixels0.png", "Misc_2.png"):
        (tmp_path / name).touch()
    assert list(index_files(tmp_path, suffix=MASK_SUFFIX)) == ["Misc_1", "Misc_2", "Misc_10"]


def test_any_name_has_a_place():
    """Some characters are digits to Python and no numbers to int()."""
    ids = ["b", "①", "12²", "12", "٣", "½", "9" * 300, "", "0x", "é", "三"]
    assert sorted(ids, key=natural_order) == ["", "0x", "12", "12²", "9" * 300, "b", "½", "é", "٣", "①", "三"]


def test_natural_order_tells_all_ids_apart():
    ids = ["a1", "a01", "a", "1", "a1b", "a10", "a2", "b"]
    assert sorted(ids, key=natural_order) == ["1", "a", "a01", "a1", "a1b", "a2", "a10", "b"]
