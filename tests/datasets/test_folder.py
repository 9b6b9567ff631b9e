"""Data sets on disk: what an item holds, damaged neighbours, fingerprints, and building by name or folder."""

import os

import numpy as np
import pytest
from PIL import Image

from datasets import FolderDataset, build_dataset, found_datasets, list_datasets
from datasets.catalogue import dataset_class
from datasets.fingerprint import combine, pixel_digest
from zoo import UsageError, ZooError

SIZES = {"a1": (20, 30), "a2": (16, 16), "a10": (25, 17)}
LEVELS = np.array([0, 1, 64, 127, 128, 200, 255], np.uint8)


def draw(id):
    rng = np.random.default_rng(int(id[1:]))
    return rng.integers(0, 256, SIZES[id], dtype=np.uint8), rng.choice(LEVELS, SIZES[id])


def save(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """A folder of the user's own: three pairs, two of them for tests, in an order that is not the natural one."""
    root = tmp_path / "mine"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for id in SIZES:
        image, label = draw(id)
        save(image, root / "images" / f"{id}.png")
        save(label, root / "masks" / f"{id}.png")
    (root / "train.txt").write_text("a2\n")
    (root / "test.txt").write_text("a10\na1\n")
    return root


def open_set(folder, subset="test"):
    return build_dataset(str(folder), subset=subset)


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


def test_each_file_is_decoded_once_for_fingerprint_and_notes(folder, monkeypatch):
    dataset, read = open_set(folder), []
    monkeypatch.setattr(FolderDataset, "look", lambda self, id, look=FolderDataset.look: read.append(id) or look(self, id))
    assert dataset.fingerprint() == open_set(folder).fingerprint()
    assert dataset.notes == open_set(folder).notes
    assert sorted(read) == sorted(dataset.ids)


def test_the_fingerprint_follows_the_rule_of_levels(folder):
    """A file that no list names may change how the others are read."""
    save(np.full(SIZES["a1"], 200, np.uint16), folder / "images" / "a1.png")
    before = open_set(folder).fingerprint()
    save(np.full(SIZES["a2"], 4000, np.uint16), folder / "images" / "a2.png")
    assert open_set(folder).fingerprint() != before


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


def test_fingerprint_is_of_ids_and_pixels(folder):
    dataset = open_set(folder)
    rows = [(id, *(pixel_digest(pixels) for pixels in draw(id))) for id in ("a10", "a1")]
    assert dataset.fingerprint() == combine(rows)
    assert open_set(folder, "all").fingerprint() != open_set(folder, "train").fingerprint()


def test_fingerprint_ignores_formats(folder):
    before = open_set(folder).fingerprint()
    image, label = draw("a10")
    save(np.stack([image] * 3, axis=-1), folder / "images" / "a10.png")
    save(draw("a1")[0], folder / "images" / "a1.png", compress_level=0)
    save(label, folder / "masks" / "a10.bmp")
    (folder / "masks" / "a10.png").unlink()
    assert open_set(folder).fingerprint() == before


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_fingerprint_follows_a_pixel_even_where_the_size_of_the_file_stays(folder, kind):
    path = folder / kind / "a1.bmp"
    pixels = draw("a1")[kind == "masks"]
    save(pixels, path)
    (folder / kind / "a1.png").unlink()
    dataset = open_set(folder)
    before, size = dataset.fingerprint(), path.stat().st_size
    pixels[0, 0] ^= 255
    save(pixels, path)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))  # the clock of a file system may be coarse
    assert path.stat().st_size == size
    assert dataset.fingerprint() != before


def test_fingerprint_of_another_folder_with_the_same_name_sizes_and_times(tmp_path):
    prints = []
    for place, level in (("x", 0), ("y", 1)):
        for kind in ("images", "masks"):
            path = tmp_path / place / "mine" / kind / "a.bmp"
            path.parent.mkdir(parents=True)
            save(np.full((16, 16), level, np.uint8), path)
            os.utime(path, (0, 0))
        prints.append(open_set(tmp_path / place / "mine", "all").fingerprint())
    assert prints[0] != prints[1]


def test_fingerprint_goes_on_past_an_unreadable_item(folder):
    whole = open_set(folder).fingerprint()
    (folder / "images" / "a1.png").unlink()
    partial = open_set(folder).fingerprint()
    image, label = draw("a10")
    expected = [("a10", pixel_digest(image), pixel_digest(label)), ("a1", "unreadable", "unreadable")]
    assert partial == combine(expected) != whole


def test_pixel_digest_tells_shapes_apart():
    pixels = np.zeros((4, 6), np.uint8)
    assert pixel_digest(pixels) != pixel_digest(pixels.reshape(6, 4))
    assert pixel_digest(pixels.T) == pixel_digest(np.zeros((6, 4), np.uint8))


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


def test_images_without_masks(folder):
    (folder / "masks").rename(folder / "labels")
    with pytest.raises(
        UsageError, match=r"needs the folders images/ and masks/; without masks .*: run_benchmark\.py predict METHOD "
    ):
        open_set(folder)


def test_a_path_that_is_no_data_set(folder):
    for path in (folder / "images", folder / "gone"):
        with pytest.raises(UsageError, match=r"is no data set: it needs the folders images/ and masks/"):
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
