"""Data sets beside those of Table 1, as small trees in the layouts of their publishers."""

import json
import pickle

import pytest

from irsam_zoo.commands import door
from irsam_zoo.datasets import build_dataset, found_datasets, list_datasets
from irsam_zoo.datasets.catalogue import dataset_class
from irsam_zoo.datasets.doctor import check, format_report
from irsam_zoo.datasets.further import SEQUENCES, FurtherDataset
from irsam_zoo.datasets.leaks import overlap
from irsam_zoo.datasets.published_lists import find_lists
from irsam_zoo.reports.listing import dataset_listing
from irsam_zoo.zoo import UsageError, ZooError
from tests.datasets.small_folder import draw, save

NAMES = ("sirst-v2", "nudt-sirst-sea", "sirst-aug", "irdst")


def write(root, files, lists=None):
    """Pairs of image and mask, each of other pixels, at these paths; and lists of ids."""
    for number, pair in enumerate(files):
        for pixels, path in zip(draw(f"a{1 if number % 2 else 10}"), pair, strict=True):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            pixels[0, 0] = number
            save(pixels, root / path)
    for path, ids in (lists or {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("".join(f"{id}\n" for id in ids))


def plain(ids, extension=".png", suffix=""):
    return [(f"images/{id}{extension}", f"masks/{id}{suffix}{extension}") for id in ids]


FRAMES = [f"{sequence}/{frame}" for sequence in (1, 2, 3, 10, 252) for frame in (1, 2)]
LISTS = {"train": ["b", "a"], "test": ["c"]}
TREES = {
    "as open-sirst-v2": (
        "sirst-v2", "open-sirst-v2", "full", ["Misc_1", "Misc_2"], ["Misc_3"],
        [(f"mixed/Misc_{k}.png", f"annotations/masks/Misc_{k}_pixels0.png") for k in (1, 2, 3)],
        {"splits/trainval_full.txt": ["Misc_1", "Misc_2"], "splits/train_full.txt": ["Misc_1"],
         "splits/test_full.txt": ["Misc_3"], "splits/train_v1.txt": ["Misc_1"], "splits/test_v1.txt": ["Misc_2"]},
    ),
    "in the common layout": (
        "sirst-v2", "SIRST_V2", "published", LISTS["train"], LISTS["test"], plain("abc", suffix="_pixels0"),
        {"img_idx/train_SIRST-V2.txt": LISTS["train"], "img_idx/test_SIRST-V2.txt": LISTS["test"]},
    ),
    "with a folder of lists that names the split": (
        "nudt-sirst-sea", "NUDT-SIRST-Sea", "idx_2+1", LISTS["train"], LISTS["test"], plain("abc"),
        {"idx_2+1/train.txt": LISTS["train"], "idx_2+1/test.txt": LISTS["test"]},
    ),
    "in two folders of images": (
        "sirst-aug", "sirst_aug", "published", ["trainval/0", "trainval/1"], ["test/0"],
        [(f"{place}/images/{k}.png", f"{place}/masks/{k}.png") for place, k in (("trainval", 0), ("trainval", 1), ("test", 0))],
        {},
    ),
    "frames of sequences in lists": (
        "irdst", "IRDST-real", "published", FRAMES[::2], FRAMES[1::2], plain(FRAMES, ".bmp"),
        {"train.txt": [f"{id}.bmp" for id in FRAMES[::2]], "test.txt": [id.replace("/", "\\") for id in FRAMES[1::2]]},
    ),
    "frames of sequences without lists": (
        "irdst", "IRDST", SEQUENCES, None, None, [(f"real/{image}", f"real/{mask}") for image, mask in plain(FRAMES)], {},
    ),
}  # fmt: skip


@pytest.fixture(params=TREES)
def tree(request, tmp_path):
    name, folder, *wanted, files, lists = TREES[request.param]
    write(tmp_path / folder, files, lists)
    return name, tmp_path / folder, *wanted


def test_they_are_declared_with_publisher_and_paper():
    classes = [cls for cls in map(dataset_class, list_datasets()) if issubclass(cls, FurtherDataset)]
    assert tuple(cls.name for cls in classes) == NAMES
    for cls in classes:
        assert all([cls.__doc__, cls.title, cls.url.startswith("https://github.com/"), cls.folder_names])


def test_a_publishers_tree_is_found_by_name_and_by_path(tree):
    name, folder, split, train, test = tree
    for dataset in (build_dataset(name, folder.parent), build_dataset(name, folder), build_dataset(str(folder))):
        assert (dataset.name, dataset.split) == (name, split)
        assert test is None or dataset.ids == test
        item = dataset[0]
        assert item["image"].shape == item["mask"].shape
        assert dataset.location.folder == folder
    training = build_dataset(name, folder.parent, subset="train")
    assert train is None or training.ids == train
    assert pickle.loads(pickle.dumps(training)).ids == training.ids
    assert build_dataset(name, folder.parent, split=split).ids == dataset.ids


def test_they_are_listed_and_a_run_takes_them_only_if_they_are_named(tree):
    name, folder, split, *_ = tree
    assert found_datasets(folder.parent) == []
    lines = {line.split()[0]: line for line in dataset_listing(folder.parent).splitlines()}
    assert f"test images (split {split})" in lines[name]
    assert all("not found" in lines[other] for other in {*NAMES} - {name})


def test_a_row(tmp_path):
    write(tmp_path / "IRDST", *TREES["frames of sequences in lists"][-2:])
    out = tmp_path / "out"
    arguments = [
        "--datasets",
        "irdst",
        "--data-root",
        str(tmp_path),
        "--methods",
        "top_hat",
        "--save-predictions",
        "--out",
        str(out),
    ]
    assert door.main(arguments) == 0
    row = json.loads((out / "results" / "irdst" / "published" / "top_hat.json").read_text())
    assert (row["status"], row["own_split"], row["n_images"]) == ("ok", False, 5)
    assert (out / "predictions" / "irdst" / "published" / "top_hat" / "252" / "2.png").is_file()
    assert "## IRDST, split `published`, 5 test images" in (out / "report" / "table1.md").read_text()


def test_the_doctor_names_them_and_checks_them_if_asked(tree):
    name, folder, split, *_ = tree
    with pytest.raises(UsageError, match="no data set found"):
        check(folder.parent)
    report = check(folder.parent, [name])
    (checkup,) = report.checkups
    train, test = (len(build_dataset(name, folder.parent, subset=subset)) for subset in ("train", "test"))
    assert f"split {split}: {train} train, {test} test images" in checkup.facts
    write(folder.parent / "NUDT-SIRST", plain(["000001"]))
    text = format_report(check(folder.parent))
    assert f"{name}: in {folder}; to check it, name it by --datasets" in text
    assert f"{({*NAMES} - {name}).pop()}: not found" in text


def test_the_split_of_ours_keeps_sequences_whole(tmp_path):
    frames = [f"{sequence}/{frame}" for sequence in range(1, 21) for frame in range(1, sequence % 4 + 2)]
    write(tmp_path / "IRDST", plain(frames))
    train, test = (build_dataset("irdst", tmp_path, split=SEQUENCES, subset=subset) for subset in ("train", "test"))
    assert sorted([*train.ids, *test.ids]) == sorted(frames)
    assert not {*map(train.sequence, train.ids)} & {*map(test.sequence, test.ids)}
    assert len({*map(test.sequence, test.ids)}) == 4
    assert "in both" not in " ".join(train.notes)


def test_a_publishers_list_that_divides_sequences_is_told(tmp_path):
    write(tmp_path / "IRDST", *TREES["frames of sequences in lists"][-2:])
    notes = build_dataset("irdst", tmp_path).notes
    assert any(note.startswith("5 sequences have frames in both lists of split published, as published") for note in notes)
    assert build_dataset("irdst", tmp_path, split=SEQUENCES).split == SEQUENCES


def test_what_was_made_from_other_images_is_told_and_counts_as_seen(tmp_path):
    write(tmp_path / "sirst_aug", *TREES["in two folders of images"][-2:])
    write(tmp_path / "NUAA-SIRST", plain(["Misc_1"]))
    made, origin = build_dataset("sirst-aug", tmp_path), build_dataset("nuaa-sirst", tmp_path, subset="all")
    assert overlap({"seen": {"nuaa-sirst": {"Misc_2": None}}}, made) == made.ids
    assert overlap({"seen": {"sirst-aug": {"trainval/0": None}}}, origin) == origin.ids
    assert overlap({"seen": {"sirst-aug": {"trainval/0": None}, "irstd-1k": {}}}, made) == []
    assert overlap({"seen": {"nudt-sirst": {"Misc_2": None}}}, origin) == []
    (note,) = made.notes
    assert "made from the images of nuaa-sirst" in note


def test_a_frame_without_mask_names_its_list(tmp_path):
    write(tmp_path / "sirst_aug", *TREES["in two folders of images"][-2:])
    (tmp_path / "sirst_aug" / "test" / "masks" / "0.png").unlink()
    with pytest.raises(ZooError, match=r"has no test/0 .*, which split published names; get the complete data set from"):
        build_dataset("sirst-aug", tmp_path)[0]


def test_splits_that_cannot_be_told(tmp_path):
    tree = TREES["as open-sirst-v2"]
    write(tmp_path / "SIRST-V2", tree[-2])
    with pytest.raises(UsageError, match=r"no split 'irsam' of sirst-v2; write train\.txt and test\.txt .* or say --split all"):
        build_dataset("sirst-v2", tmp_path)
    assert len(build_dataset("sirst-v2", tmp_path, split="all")) == 3
    write(tmp_path / "SIRST-V2", [], {path: ids for path, ids in tree[-1].items() if "full" not in path})
    assert build_dataset("sirst-v2", tmp_path).split == "v1"
    write(tmp_path / "SIRST-V2", [], {"splits/train_new.txt": ["Misc_1"], "splits/test_new.txt": ["Misc_3"]})
    with pytest.raises(UsageError, match=r"no split 'irsam' of SIRST-V2; known: all, new, v1"):
        build_dataset("sirst-v2", tmp_path)
    with pytest.raises(
        UsageError, match=r"SIRST-Aug is not under .* with images/ and masks/, or trainval/images/ and trainval/masks/"
    ):
        build_dataset("sirst-aug", tmp_path)


def test_names_of_lists(tmp_path):
    write(tmp_path, [], dict.fromkeys(
        ["train.txt", "TEST.txt", "splits/train-a.txt", "splits/test-a.txt", "lonely/test.txt", "50_50/train.txt",
         "50_50/test.txt", "img_idx/trainval_Set-1.txt", "img_idx/train_Set-1.txt", "img_idx/test_Set-1.txt",
         "splits/training.txt", "splits/trainval_b.txt", "splits/test_b.txt"], "x"
    ))  # fmt: skip
    found = find_lists(tmp_path, ["set1"])
    assert {*found} == {"published", "50_50", "a", "b"}
    assert found["published"]["test"] == tmp_path / "TEST.txt"
    (tmp_path / "TEST.txt").unlink()
    assert find_lists(tmp_path, ["set1"])["published"]["train"].name == "trainval_Set-1.txt"
