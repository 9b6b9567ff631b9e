"""The package's split lists, and lists of the user's own."""

import pytest

from irsam_zoo.datasets import list_splits, read_split
from irsam_zoo.datasets.splits import SPLIT_DIR
from irsam_zoo.zoo import UsageError, ZooError

COUNTS = {
    ("nuaa-sirst", "irsam"): (341, 86),
    ("nuaa-sirst", "dnanet"): (213, 214),
    ("nuaa-sirst", "idx320"): (224, 96),
    ("nudt-sirst", "irsam"): (1061, 266),
    ("nudt-sirst", "dnanet"): (663, 664),
    ("irstd-1k", "irsam"): (800, 200),
    ("irstd-1k", "dnanet"): (800, 201),
}
EVERY_ID = {
    "nuaa-sirst": {f"Misc_{number}" for number in range(1, 428)},
    "nudt-sirst": {f"{number:06d}" for number in range(1, 1328)},
    "irstd-1k": {f"XDU{number}" for number in range(1001)},
}


@pytest.fixture
def folder(tmp_path):
    """A data set's folder with lists at its top and two named pairs of lists."""
    for place, train, test in (("", "a\nb\n", "c\n"), ("splits/one", "a\n", "b\nc\n"), ("splits/two", "c\n", "a\n")):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "train.txt").write_text(train)
        (tmp_path / place / "test.txt").write_text(test)
    return tmp_path


def test_the_package_holds_these_lists_and_no_others():
    assert {(path.parent.parent.name, path.parent.name) for path in SPLIT_DIR.glob("*/*/*.txt")} == set(COUNTS)


@pytest.mark.parametrize(("name", "split"), COUNTS)
def test_counts_and_disjoint_lists(name, split):
    train, test = (read_split(name, split, subset) for subset in ("train", "test"))
    assert (len(train), len(test)) == COUNTS[name, split]
    assert not set(train) & set(test)
    unlisted = EVERY_ID[name] - {*train, *test}
    assert {*train, *test} <= EVERY_ID[name]
    assert len(unlisted) == {("irstd-1k", "irsam"): 1, ("nuaa-sirst", "idx320"): 107}.get((name, split), 0)
    assert (name, split) != ("irstd-1k", "irsam") or unlisted == {"XDU997"}


def test_test_images_that_the_other_split_trains_on():
    for name, other, count in (("nuaa-sirst", "dnanet", 44), ("nudt-sirst", "dnanet", 135), ("nuaa-sirst", "idx320", 43)):
        assert len({*read_split(name, "irsam", "test")} & {*read_split(name, other, "train")}) == count


def test_known_splits(folder):
    assert list_splits("nuaa-sirst") == ["dnanet", "idx320", "irsam"]
    assert list_splits("nuaa-sirst", folder) == ["dnanet", "idx320", "irsam", "one", "two"]
    assert list_splits("mine", folder) == ["one", "two"]
    assert list_splits("mine") == []


def test_lists_of_a_folder(folder):
    assert read_split("mine", "one", "test", folder) == ["b", "c"]
    assert read_split("mine", "two", "train", folder) == ["c"]
    assert read_split("mine", "irsam", "train", folder) == ["a", "b"]  # the lists at its top go by any name
    assert read_split("nuaa-sirst", str(folder / "splits" / "two"), "test") == ["a"]
    assert read_split("nuaa-sirst", folder / "splits" / "two", "train") == ["c"]


def test_the_package_wins_over_lists_beside_the_images(folder):
    (folder / "splits" / "irsam").mkdir()
    (folder / "splits" / "irsam" / "test.txt").write_text("a\n")
    assert len(read_split("nuaa-sirst", "irsam", "test", folder)) == 86
    assert read_split("nuaa-sirst", "one", "test", folder) == ["b", "c"]


def test_a_mistyped_split_of_a_published_set_never_becomes_the_lists_beside_it(folder):
    with pytest.raises(UsageError, match="no split 'irsm' of nuaa-sirst; known: dnanet, idx320, irsam, one, two"):
        read_split("nuaa-sirst", "irsm", "test", folder)


def test_a_folder_of_ones_own_wins_over_the_package(folder):
    for split, expected in (("irsam", ["c"]), ("dnanet", ["c"]), ("one", ["b", "c"])):
        assert read_split("nuaa-sirst", split, "test", folder, own=True) == expected
    (folder / "train.txt").unlink()  # a test.txt alone is what publishers put there
    assert len(read_split("nuaa-sirst", "irsam", "test", folder, own=True)) == 86
    assert read_split("mine", "irsam", "test", folder, own=True) == ["c"]


def test_unknown_splits(tmp_path):
    with pytest.raises(UsageError, match="no split 'paper' of irstd-1k; known: dnanet, irsam"):
        read_split("irstd-1k", "paper", "test")
    with pytest.raises(
        UsageError, match=r"no split 'irsam' of mine; write train\.txt and test\.txt .* into .*, or say --split all"
    ):
        read_split("mine", "irsam", "test", tmp_path)
    with pytest.raises(UsageError, match=r"no split '.*gone' of mine"):
        read_split("mine", tmp_path / "gone", "test")


def test_lines_are_stripped_and_lose_an_image_extension_only(tmp_path):
    (tmp_path / "test.txt").write_text("\n a.png \nb.TIF\r\nframe.01\n\nc\n")
    assert read_split("mine", "x", "test", tmp_path) == ["a", "b", "frame.01", "c"]


def test_a_byte_order_mark_is_no_part_of_an_id(tmp_path):
    (tmp_path / "test.txt").write_text("ü\nb\n", encoding="utf-8-sig")
    assert read_split("mine", "x", "test", tmp_path) == ["ü", "b"]


def test_paths_below_the_folder_of_images(tmp_path):
    (tmp_path / "test.txt").write_text("252/1.png\n252\\2\n./a//b\nc.d/e\n三/①.jpg\n")
    assert read_split("mine", "x", "test", tmp_path) == ["252/1", "252/2", "a/b", "c.d/e", "三/①"]


@pytest.mark.parametrize("line", ["/etc/passwd", "../a", "a/../b", "..", "..\\a", "C:\\data\\a.png", "\\\\host\\a", ".", "./"])
def test_names_that_lead_elsewhere(tmp_path, line):
    (tmp_path / "test.txt").write_text(f"b\n{line}\n")
    with pytest.raises(ZooError, match=r"test\.txt names .*, which is no name below the folder of images; write ids"):
        read_split("mine", "x", "test", tmp_path)


@pytest.mark.parametrize("line", ["a\0b", "a\tb", "a\x1b[31m", "a\x85b", "a\u2028b"])
def test_lines_that_are_no_plain_text(tmp_path, line):
    (tmp_path / "test.txt").write_bytes(f"b\n{line}\n".encode())
    with pytest.raises(ZooError, match=r"test\.txt has a line that is no plain text, 'a.*'; write an id a line") as error:
        read_split("mine", "x", "test", tmp_path)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\nb\na.png\n", r"test\.txt lists a twice; remove one of the lines"),
        (b"\n \n", r"test\.txt lists no image; write an id a line"),
        (b"\xfc\nb\n", r"test\.txt is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_faulty_lists(tmp_path, content, text):
    (tmp_path / "test.txt").write_bytes(content)
    with pytest.raises(ZooError, match=text):
        read_split("mine", "x", "test", tmp_path)


def test_half_a_split(tmp_path):
    (tmp_path / "train.txt").write_text("a\n")
    with pytest.raises(ZooError, match=r"test\.txt is missing; a split is a train\.txt and a test\.txt"):
        read_split("mine", "x", "test", tmp_path)
