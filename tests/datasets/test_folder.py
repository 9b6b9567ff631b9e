"""Data sets on disk: what an item holds, and damaged neighbours."""

import numpy as np
import pytest
from PIL import Image

from irsam_zoo.datasets import build_dataset, found_datasets
from irsam_zoo.zoo import UsageError, ZooError
from tests.datasets.small_folder import SIZES, draw, open_set, save, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "mine")


def test_ids_are_those_of_the_list_in_its_order(folder):
    assert open_set(folder).ids == ["a10", "a1"]
    assert open_set(folder, "train").ids == ["a2"]
    assert open_set(folder, "all").ids == ["a1", "a2", "a10"]
    assert len(open_set(folder)) == 2


def test_an_item(folder):
    dataset = open_set(folder)
    for place, id in enumerate(dataset.ids):
        item = dataset[place]
        image, label = draw(id)
        assert set(item) == {"id", "image", "mask", "label"}
        assert item["id"] == id
        assert (item["image"].dtype, item["label"].dtype, item["mask"].dtype) == (np.uint8, np.uint8, bool)
        assert item["image"].shape == item["label"].shape == item["mask"].shape == SIZES[id]
        np.testing.assert_array_equal(item["image"], image)
        np.testing.assert_array_equal(item["label"], label)
        np.testing.assert_array_equal(item["mask"], label >= 128)
        assert 0 < item["mask"].sum() < item["mask"].size
    assert len(list(dataset)) == 2


def test_items_may_be_written_to(folder):
    dataset = open_set(folder)
    for key in ("image", "mask", "label"):
        dataset[0][key][:] = 1
    np.testing.assert_array_equal(dataset[0]["image"], draw("a10")[0])


def test_a_mask_of_another_size_is_brought_to_the_image(folder):
    save(draw("a1")[1].repeat(2, axis=0).repeat(2, axis=1), folder / "masks" / "a1.png")
    np.testing.assert_array_equal(open_set(folder)[1]["label"], draw("a1")[1])


def test_masks_of_0_and_1(folder):
    for id in SIZES:
        save((draw(id)[1] > 127).astype(np.uint8), folder / "masks" / f"{id}.png")
    item = open_set(folder)[1]
    np.testing.assert_array_equal(item["mask"], draw("a1")[1] > 127)
    np.testing.assert_array_equal(item["label"], item["mask"] * np.uint8(255))


@pytest.mark.parametrize("subset", ["train", "test"])
def test_levels_are_decided_by_all_files_whatever_the_subset(folder, subset):
    for id, used in (("a1", 4000), ("a2", 1000), ("a10", 0)):
        save(np.full(SIZES[id], used, np.uint16), folder / "images" / f"{id}.png")
    levels = {item["id"]: item["image"][0, 0] for item in open_set(folder, subset)}
    assert levels == {"train": {"a2": 64}, "test": {"a10": 0, "a1": 255}}[subset]


def test_notes_tell_what_was_decided_and_what_is_odd(folder):
    assert open_set(folder).notes == []
    save(draw("a1")[1].repeat(2, axis=0).repeat(2, axis=1), folder / "masks" / "a1.png")
    save(draw("a10")[1] // 2, folder / "masks" / "a10.png")
    save(draw("a2")[0].astype(np.uint16), folder / "images" / "a2.png")
    save(draw("a2")[0], folder / "images" / "a2.bmp")
    (folder / "train.txt").write_text("a2\nimages/a1\n")
    notes = open_set(folder).notes
    for text in (
        f"1 images of 16 bits use levels up to {draw('a2')[0].max()}, which are taken as they are",
        "1 images have several files, of which the first is read: a2 (a2.png, a2.bmp)",
        "1 ids of split irsam in both lists: a1",
        "1 masks are resized to their images by nearest neighbour: a1: image 30x20, mask 60x40",
        "1 masks with targets, none above 127 (store them as 0 and 255): a10",
    ):
        notes.remove(text)
    assert notes == []


def test_notes_on_targets_and_sizes(folder):
    save(np.full(SIZES["a1"], 255, np.uint8), folder / "masks" / "a1.png")
    save(draw("a10")[0][:15], folder / "images" / "a10.png")
    save(draw("a10")[1][:15], folder / "masks" / "a10.png")
    save(np.zeros(SIZES["a2"], np.uint8), folder / "masks" / "a2.png")
    text = "\n".join(open_set(folder).notes)
    assert "1 masks with target on more than half of the image (is the background white? targets are): a1" in text
    assert "1 images under 16 px on a side, which every method refuses: a10" in text
    assert open_set(folder, "train").notes == ["no mask has a target: none of 1 has a level above 127"]


def test_a_damaged_item_is_no_note(folder):
    (folder / "images" / "a1.png").write_bytes(b"")
    assert open_set(folder).notes == []
    assert open_set(folder).looks()["a1"] is None


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_a_missing_file_is_an_error_of_its_item_alone(folder, kind):
    (folder / kind / "a10.png").unlink()
    dataset = open_set(folder)
    with pytest.raises(
        ZooError, match=rf"mine/{kind} has no a10 \(.*\), which .*mine/test\.txt names; get the complete data set"
    ):
        dataset[0]
    assert dataset[1]["id"] == "a1"


def test_a_file_that_goes_away_later_or_is_damaged_is_an_error_of_its_item_alone(folder):
    dataset = open_set(folder)
    (folder / "masks" / "a10.png").write_bytes(b"")
    with pytest.raises(ZooError, match=r"masks/a10\.png is empty"):
        dataset[0]
    (folder / "masks" / "a10.png").unlink()
    with pytest.raises(ZooError, match=r"masks/a10\.png is missing"):
        dataset[0]
    assert dataset[1]["id"] == "a1"


def test_paths_and_repr(folder):
    dataset = open_set(folder)
    assert dataset.image_path("a1") == folder / "images" / "a1.png"
    assert dataset.mask_path("a1") == folder / "masks" / "a1.png"
    assert dataset.mask_ids == ["a1", "a2", "a10"]
    assert (dataset.name, dataset.title, dataset.split, dataset.subset) == ("mine", "mine", "irsam", "test")
    assert repr(dataset) == "FolderDataset(name='mine', split='irsam', subset='test', images=2)"


def test_images_without_masks(folder):
    (folder / "masks").rename(folder / "labels")
    with pytest.raises(
        UsageError, match=r"needs the folders images/ and masks/; without masks .*: python run_benchmark\.py predict METHOD "
    ):
        open_set(folder)


def test_ids_below_sub_folders(folder):
    for kind in ("images", "masks"):
        (folder / kind / "252").mkdir()
        (folder / kind / "a1.png").rename(folder / kind / "252" / "1.png")
    (folder / "test.txt").write_text("252/1.png\nimages/a10.png\n")
    (folder / "train.txt").write_text("mine/images/a2\n")
    assert open_set(folder).ids == ["252/1", "a10"]
    assert open_set(folder, "train").ids == ["a2"]
    np.testing.assert_array_equal(open_set(folder)[0]["image"], draw("a1")[0])
    (folder / "images" / "images").mkdir()
    (folder / "images" / "images" / "a10.png").symlink_to(folder / "images" / "a2.png")
    assert open_set(folder).ids == ["252/1", "images/a10"]
    (folder / "test.txt").write_text("a2\nimages/a2\n")
    with pytest.raises(ZooError, match=r"test\.txt lists a2 twice"):
        open_set(folder)


@pytest.mark.real_data
class TestPublishedSets:
    NAMES = ("irstd-1k", "nudt-sirst", "nuaa-sirst")

    def test_all_are_found_and_complete(self, data_root):
        assert sorted(found_datasets(data_root)) == sorted(self.NAMES)
        counts = {name: len(build_dataset(name, data_root, subset="all")) for name in self.NAMES}
        assert counts == {"irstd-1k": 1001, "nudt-sirst": 1327, "nuaa-sirst": 427}

    @pytest.mark.parametrize("split", ["irsam", "dnanet"])
    @pytest.mark.parametrize("name", NAMES)
    def test_every_test_image_reads(self, data_root, name, split):
        dataset = build_dataset(name, data_root, split, "test")
        side = {"irstd-1k": (512, 512), "nudt-sirst": (256, 256)}.get(name)
        for item in dataset:
            assert item["image"].dtype == item["label"].dtype == np.uint8
            assert item["image"].shape == item["mask"].shape == (side or item["image"].shape)
            assert item["image"].std() > 0
            assert item["mask"].mean() < 0.05
            np.testing.assert_array_equal(item["mask"], item["label"] > 127)

    @pytest.mark.parametrize("name", NAMES)
    def test_every_training_id_has_its_files(self, data_root, name):
        for split in ("irsam", "dnanet"):
            dataset = build_dataset(name, data_root, split, "train")
            assert all(dataset.image_path(id).is_file() and dataset.mask_path(id).is_file() for id in dataset.ids)

    def test_grey_levels_of_labels_are_kept(self, data_root):
        label = build_dataset("irstd-1k", data_root, subset="all").read("XDU0")["label"]
        assert set(np.unique(label)) == {0, 64, 255}

    def test_the_mask_of_misc_111_is_brought_to_its_image(self, data_root):
        item = build_dataset("nuaa-sirst", data_root, subset="all").read("Misc_111")
        assert item["image"].shape == item["mask"].shape == (220, 325)
        assert set(np.unique(item["label"])) <= {0, 255}
        assert item["mask"].any()

    def test_modes_of_nuaa_give_grey(self, data_root):
        dataset = build_dataset("nuaa-sirst", data_root, subset="all")
        modes = {}
        for id in dataset.ids:
            with Image.open(dataset.image_path(id)) as image:
                modes.setdefault(image.mode, id)
        assert set(modes) == {"L", "RGB", "RGBA", "P"}
        for mode, id in modes.items():
            with Image.open(dataset.image_path(id)) as image:
                rgb = np.asarray(image.convert("RGBA" if mode == "P" else mode))
            luma = rgb if mode == "L" else np.floor(rgb[..., :3] @ [0.299, 0.587, 0.114] + 0.5)
            np.testing.assert_array_equal(dataset.read(id)["image"], luma)
