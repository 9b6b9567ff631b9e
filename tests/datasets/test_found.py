"""Data sets by name, by path and in their publishers' layouts."""

from unicodedata import normalize

import numpy as np
import pytest

from irsam_zoo.datasets import FolderDataset, build_dataset, found_datasets, list_datasets
from irsam_zoo.datasets.catalogue import dataset_class
from irsam_zoo.datasets.doctor import check
from irsam_zoo.zoo import UsageError, ZooError
from tests.datasets.small_folder import draw, open_set, save, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "mine")


def test_names(folder):
    assert set(list_datasets()) >= {"irstd-1k", "nudt-sirst", "nuaa-sirst", "synthetic"}
    assert dataset_class("NUAA-SIRST").name == "nuaa-sirst"
    with pytest.raises(UsageError, match=r"unknown data set 'nuaa-sist'.*nuaa-sirst.*; nor is it a folder"):
        build_dataset("nuaa-sist")
    with pytest.raises(UsageError, match="unknown subset 'val'; known: train, test, all"):
        open_set(folder, "val")


def test_a_folder_by_its_bare_name(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert build_dataset("mine").ids == ["a10", "a1"]
    (folder.parent / "synthetic").mkdir()
    assert build_dataset("synthetic").ids[0] == "syn161"
    (folder.parent / "empty").mkdir()
    with pytest.raises(UsageError, match=r"empty is no data set: it needs the folders images/ and masks/"):
        build_dataset("empty")


def test_a_folder_with_the_name_of_a_published_set(folder):
    twin = folder.rename(folder.with_name("nuaa-sirst"))
    assert open_set(twin).ids == ["a10", "a1"]
    assert len(build_dataset("nuaa-sirst", twin.parent)) == 86
    (twin / "images" / "a1.png").unlink()
    with pytest.raises(ZooError, match=r"no a1 \(.*\), which .*nuaa-sirst/test\.txt names"):
        open_set(twin)[1]


@pytest.mark.parametrize("name", ["NUAA-SIRST", "nuaa_sirst", "Sirst-Master"])
def test_a_published_set_by_its_path(folder, name):
    twin = folder.rename(folder.with_name(name))
    assert open_set(twin).name == name  # of other images
    for kind in ("images", "masks"):
        (twin / kind / "a1.png").rename(twin / kind / "Misc_1.png")
    (twin / "train.txt").unlink()  # a test.txt alone is what publishers put there
    published = open_set(twin)
    assert (published.name, published.title, len(published)) == ("nuaa-sirst", "NUAA-SIRST", 86)
    assert published.location.folder == twin
    (twin / "train.txt").write_text("a2\n")  # its own lists come first
    own = open_set(twin)
    assert (own.name, own.ids) == ("nuaa-sirst", ["a10", "a1"])


def test_a_path_that_is_no_data_set(folder):
    for path, text in (
        (folder / "images", r"images is no data set: it needs the folders images/ and masks/; it holds no folder$"),
        (folder.parent, r"is no data set: .*; images/ and masks/ are in .*mine$"),
        (folder / "gone", r"^there is no folder .*gone$"),
        (folder / "test.txt", r"test\.txt is no folder$"),
    ):
        with pytest.raises(UsageError, match=text):
            build_dataset(str(path))


def test_a_folder_without_lists(folder):
    for name in ("train.txt", "test.txt"):
        (folder / name).unlink()
    assert len(open_set(folder, "all")) == 3
    with pytest.raises(UsageError, match=r"no split 'irsam' of mine; write train\.txt and test\.txt .* or say --split all"):
        open_set(folder)
    whole = build_dataset(str(folder), split="all")
    assert (whole.ids, whole.split) == (["a1", "a2", "a10"], "all")
    assert whole.notes == []
    with pytest.raises(UsageError, match=r"split all of mine has test images alone; to train, write train\.txt"):
        build_dataset(str(folder), split="all", subset="train")
    (folder / "masks" / "a1.png").unlink()
    with pytest.raises(ZooError, match=r"masks has no a1 \([^)]*\); get the complete data set"):
        build_dataset(str(folder), split="all")[0]


def test_split_all_of_a_folder_with_lists_and_without_images(folder):
    assert build_dataset(str(folder), split="all").ids == ["a1", "a2", "a10"]
    (folder / "splits" / "all").mkdir(parents=True)
    (folder / "splits" / "all" / "test.txt").write_text("a2\n")
    assert build_dataset(str(folder), split="all").ids == ["a2"]
    (folder.parent / "none" / "images").mkdir(parents=True)
    (folder.parent / "none" / "masks").mkdir()
    with pytest.raises(UsageError, match=r"none/images holds no image \(\.png/"):
        build_dataset(str(folder.parent / "none"), split="all")


def test_found_datasets(tmp_path, monkeypatch):
    assert found_datasets(tmp_path) == []
    for name in (
        "nuaa_sirst/images",
        "nuaa_sirst/masks",
        "IRSTD-1k/IRSTD1k_Img",
        "IRSTD-1k/IRSTD1k_Label",
        "NUDT-SIRST/images",
    ):
        (tmp_path / name).mkdir(parents=True)
    assert found_datasets(tmp_path) == ["irstd-1k", "nuaa-sirst"]
    monkeypatch.setenv("IRSAM_ZOO_DATA", str(tmp_path))
    assert found_datasets() == ["irstd-1k", "nuaa-sirst"]


def test_the_publishers_own_layouts(tmp_path):
    layouts = {
        "irstd-1k": ("IRSTD-1k/IRSTD1k_Img/XDU0.png", "IRSTD-1k/IRSTD1k_Label/XDU0.png"),
        "nuaa-sirst": ("sirst-master/images/Misc_1.png", "sirst-master/masks/Misc_1_pixels0.png"),
    }
    image, label = draw("a1")
    for name, (image_path, mask_path) in layouts.items():
        for pixels, path in ((image, tmp_path / image_path), (label, tmp_path / mask_path)):
            path.parent.mkdir(parents=True)
            save(pixels, path)
        dataset = build_dataset(name, tmp_path, subset="all")
        assert dataset.mask_ids == dataset.ids
        np.testing.assert_array_equal(dataset[0]["label"], label)


def test_a_class_of_ones_own(tmp_path):
    class Own(FolderDataset):
        name, title, url, folder_names = "own", "Own", "https://own.example", ("Own-Set",)

    with pytest.raises(UsageError, match=r"Own is not under .*: looked for Own-Set .*https://own\.example"):
        Own(root=tmp_path)
    for kind in ("images", "masks"):
        (tmp_path / "own_set" / kind).mkdir(parents=True)
    save(np.zeros((16, 16), np.uint8), tmp_path / "own_set" / "images" / "a.png")
    dataset = Own(root=tmp_path, subset="all")
    assert dataset.ids == ["a"]
    with pytest.raises(ZooError, match=r"masks has no a .*; get the complete data set from https://own\.example"):
        dataset[0]


@pytest.mark.parametrize("forms", [("NFC", "NFD", "NFD"), ("NFD", "NFC", "NFC"), ("NFC", "NFC", "NFD"), ("NFD", "NFD", "NFC")])
def test_letters_may_be_composed_or_not(folder, forms):
    of_list, of_image, of_mask = (normalize(form, "caf\u00e9 \u00c5_1") for form in forms)
    (folder / "images" / "a1.png").rename(folder / "images" / f"{of_image}.png")
    (folder / "masks" / "a1.png").rename(folder / "masks" / f"{of_mask}.png")
    (folder / "test.txt").write_text(f"{of_list}\na10\n", encoding="utf-8")
    dataset = open_set(folder)
    assert dataset.ids == [normalize("NFC", of_list), "a10"]
    np.testing.assert_array_equal(dataset[0]["image"], draw("a1")[0])
    (checkup,) = check(names=[str(folder)]).checkups
    assert not [line for line in checkup.problems if "without" in line]


def test_a_list_may_name_folders(folder):
    for kind in ("images", "masks"):
        for sequence in ("s1", "s2/part"):
            (folder / kind / sequence).mkdir(parents=True)
            for frame in ("10.png", "9.png"):
                (folder / kind / sequence / frame).write_bytes((folder / kind / "a1.png").read_bytes())
    (folder / "train.txt").write_text("images/s1\n")
    (folder / "test.txt").write_text("a1\ns2\n")
    assert open_set(folder).ids == ["a1", "s2/part/9", "s2/part/10"]
    assert open_set(folder, "train").ids == ["s1/9", "s1/10"]
    (folder / "test.txt").write_text("s2\ns2/part/9\n")
    with pytest.raises(ZooError, match="lists s2/part/9 twice"):
        open_set(folder)


def test_a_published_set_in_a_folder_of_its_name(folder):
    deeper = folder.parent / "data" / "NUAA-SIRST" / "sirst-master"
    deeper.parent.mkdir(parents=True)
    folder.rename(deeper)
    assert build_dataset("nuaa-sirst", root=folder.parent / "data", subset="all").location.folder == deeper
    assert "nuaa-sirst" in found_datasets(folder.parent / "data")
    deeper.rename(deeper.with_name("download"))
    with pytest.raises(UsageError, match=r"NUAA-SIRST is no NUAA-SIRST with .*: images/ and masks/ are in .*download$"):
        build_dataset("nuaa-sirst", root=folder.parent / "data")
    (deeper.with_name("download") / "images").rename(deeper.with_name("img"))
    with pytest.raises(UsageError, match=r"NUAA-SIRST is no NUAA-SIRST with .*: it holds download/, img/$"):
        build_dataset("nuaa-sirst", root=folder.parent / "data")


@pytest.mark.parametrize("kind", ["images", "masks"])
@pytest.mark.parametrize(
    ("suffix", "remedy"),
    [("npy", "convert it"), ("mat", "convert it"), ("gif", "convert it"), ("pgm", "convert it"), ("xml", "boxes")],
)
def test_files_in_another_form_are_named(folder, kind, suffix, remedy):
    (folder / kind / "a1.png").rename(folder / kind / f"a1.{suffix}")
    with pytest.raises(ZooError) as caught:
        open_set(folder).read("a1")
    named = f"has no a1 (.png/.bmp/.tif/.tiff/.jpg/.jpeg) but a1.{suffix}, which is not read: {remedy}" in str(caught.value)
    (checkup,) = check(names=[str(folder)]).checkups
    told = any(f"{kind} has a1.{suffix}, which is not read: {remedy}" in problem for problem in checkup.problems)
    assert named == told == (kind == "masks" or suffix != "xml")


def test_folders_of_lists_are_splits(folder):
    (folder / "50_50").mkdir()
    for subset in ("train", "test"):
        (folder / f"{subset}.txt").rename(folder / "50_50" / f"{subset}.txt")
    assert build_dataset(str(folder), split="50_50").ids == ["a10", "a1"]
    with pytest.raises(UsageError, match="no split 'irsam' of mine; known: 50_50"):
        build_dataset(str(folder))
