"""The data doctor on sound, odd and broken folders, and on the published sets."""

import cv2
import numpy as np
import pytest

from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.doctor import check, format_report
from irsam_zoo.datasets.duplicates import near_duplicates, thumbnail
from irsam_zoo.zoo import UsageError


def draw(seed):
    rng = np.random.default_rng(seed)
    image = cv2.GaussianBlur(rng.integers(0, 256, (40, 60), dtype=np.uint8), (0, 0), 3)
    mask = np.zeros((40, 60), np.uint8)
    mask[5:8, 5 + seed : 8 + seed] = 255
    return image, mask


@pytest.fixture
def folder(tmp_path):
    """Six sound pairs with lists."""
    root = tmp_path / "mine"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for number in range(6):
        for name, picture in zip(("images", "masks"), draw(number), strict=True):
            cv2.imwrite(str(root / name / f"a{number}.png"), picture)
    (root / "splits" / "own").mkdir(parents=True)
    (root / "splits" / "own" / "train.txt").write_text("a0\na1\na2\na3\n")
    (root / "splits" / "own" / "test.txt").write_text("a4\na5\n")
    return root


def examine(folder):
    report = check(names=[str(folder)])
    return report, report.checkups[0]


def test_a_sound_folder_is_ok(folder):
    report, checkup = examine(folder)
    assert report.ok
    assert checkup.verdict == "OK"
    assert "6 images, 6 masks" in checkup.facts
    assert "all 60x40" in checkup.facts
    assert "6 targets (8-connected, mask > 0), 6 with mask > 127" in checkup.facts
    assert "split own: 4 train, 2 test images" in checkup.facts
    assert format_report(report).endswith("verdict: OK")


def test_oddities_are_quirks(folder):
    image, mask = draw(0)
    cv2.imwrite(str(folder / "images" / "a5.png"), image + 1)  # a0, a training image, but for the level
    mask[5, 5] = 64
    cv2.imwrite(str(folder / "masks" / "a0.png"), mask)
    cv2.imwrite(str(folder / "masks" / "a1.png"), cv2.resize(draw(1)[1], (120, 80), interpolation=cv2.INTER_NEAREST))
    cv2.imwrite(str(folder / "masks" / "a2.png"), np.zeros((40, 60), np.uint8))
    cv2.imwrite(str(folder / "images" / "a3.jpg"), draw(3)[0])
    (folder / "splits" / "own" / "train.txt").write_text("a0\na1\na2\n")
    report, checkup = examine(folder)
    assert report.ok
    assert checkup.verdict == "OK with quirks"
    text = "\n".join(checkup.quirks)
    assert "1 masks hold values besides 0 and 255 (a0: 0, 64, 255)" in text
    assert "1 masks are resized to their images by nearest neighbour: a1: image 60x40, mask 120x80" in text
    assert "1 images have several files, of which the first is read: a3 (a3.png, a3.jpg)" in text
    assert "1 images without a target: a2" in text
    assert "1 images in neither list of split own: a3" in text
    assert "1 test images of split own with a near-duplicate in training: a5 and a0" in text


def test_what_was_decided_of_levels_is_a_quirk(folder):
    for number in range(6):
        cv2.imwrite(str(folder / "masks" / f"a{number}.png"), draw(number)[1] // 255)
        cv2.imwrite(str(folder / "images" / f"a{number}.png"), draw(number)[0].astype(np.uint16) * 16)
    report, checkup = examine(folder)
    assert report.ok
    assert any(text.startswith("6 images of 16 bits use levels ") for text in checkup.quirks)
    assert "masks hold two levels, 0 and 1, none above 127: 1 is target" in checkup.quirks
    assert "6 targets (8-connected, mask > 0), 6 with mask > 127" in checkup.facts


def test_what_every_method_fails_on_is_a_problem(folder):
    for number in range(6):
        cv2.imwrite(str(folder / "masks" / f"a{number}.png"), 255 - draw(number)[1])
    for kind, picture in zip(("images", "masks"), draw(0), strict=True):
        cv2.imwrite(str(folder / kind / "a0.png"), picture[:, :15])
    _, checkup = examine(folder)
    assert "1 images under 16 px on a side, which every method refuses: a0" in checkup.problems
    assert any(text.startswith("5 masks with target on more than half of the image") for text in checkup.problems)
    notes = build_dataset(str(folder), split="own").notes
    assert any(text.startswith("2 masks with target on more than half of the image") for text in notes)


def test_damage_is_a_problem_and_named(folder):
    (folder / "masks" / "a1.png").unlink()
    (folder / "images" / "a2.png").write_bytes(b"<html>404</html>")
    whole = (folder / "images" / "a3.png").read_bytes()
    (folder / "images" / "a3.png").write_bytes(whole[: len(whole) // 2])
    cv2.imwrite(str(folder / "masks" / "a4.png"), np.zeros((60, 40), np.uint8))
    cv2.imwrite(str(folder / "masks" / "b0.png"), draw(0)[1])
    cv2.imwrite(str(folder / "masks" / "a5.png"), draw(5)[1] // 2)
    (folder / "splits" / "own" / "train.txt").write_text("a0\na5\nc9\n")
    report, checkup = examine(folder)
    assert not report.ok
    assert checkup.verdict == "PROBLEMS"
    text = "\n".join(checkup.problems)
    for part in (
        "1 images without a mask: a1",
        "1 masks without an image: b0",
        "a2.png is a web page",
        "a3.png is damaged",
        "a4.png is 40x60 but its image is 60x40",
        "1 masks with targets, none above 127 (store them as 0 and 255): a5",
        "1 ids of split own without an image: c9",
        "1 ids of split own in both lists: a5",
    ):
        assert part in text
    assert format_report(report).endswith("verdict: PROBLEMS")


@pytest.mark.parametrize("subset", ["train", "test"])
@pytest.mark.parametrize("content", [b"a5\na5\n", b"\xfc\n", None])
def test_a_faulty_list_is_a_problem(folder, subset, content):
    for name in ("train", "test"):
        (folder / "splits" / "own" / f"{name}.txt").rename(folder / f"{name}.txt")
    path = folder / f"{subset}.txt"
    path.unlink() if content is None else path.write_bytes(content)
    _, checkup = examine(folder)
    assert len(checkup.problems) == 1
    assert checkup.problems[0].startswith(f"{path} ")


def test_lists_in_the_folder_itself_are_checked(folder):
    (folder / "images" / "a0.png").unlink()
    (folder / "masks" / "a0.png").unlink()
    for name, ids in (("train", "a1\na2\na5\na0\n"), ("test", "a4\nim99\n")):
        (folder / f"{name}.txt").write_text(ids)
    _, checkup = examine(folder)
    assert "the folder's own lists: 4 train, 2 test images" in checkup.facts
    assert "2 ids of the folder's own lists without an image: a0, im99" in checkup.problems
    assert "1 images in neither list of the folder's own lists: a3" in checkup.quirks
    shared = "1 of the 2 test images of split own are training images of the folder's own lists"
    assert any(text.startswith(shared) for text in checkup.quirks)


def test_a_folder_with_the_name_of_a_published_set(folder):
    twin = folder.rename(folder.with_name("nuaa-sirst"))
    by_name = check(twin.parent).checkups[0]
    assert "split own: 4 train, 2 test images" in by_name.facts
    assert any("427 ids of split irsam without an image" in text for text in by_name.problems)
    for subset in ("train", "test"):
        (twin / f"{subset}.txt").write_bytes((twin / "splits" / "own" / f"{subset}.txt").read_bytes())
    assert any("in the folder itself are not used" in text for text in check(twin.parent).checkups[0].quirks)
    report, checkup = examine(twin)
    assert report.ok
    assert "the folder's own lists: 4 train, 2 test images" in checkup.facts
    assert not any("irsam" in text for text in checkup.facts)


def test_a_set_without_files_is_refused():
    with pytest.raises(UsageError, match="synthetic has no files to check"):
        check(names=["synthetic"])


def test_nothing_found(tmp_path):
    with pytest.raises(UsageError, match="no data set found"):
        check(tmp_path)


def test_near_duplicates_ignore_level_and_contrast():
    pictures = [thumbnail(draw(seed)[0]) for seed in range(4)]
    dimmed = thumbnail((draw(2)[0] // 2 + 20).astype(np.uint8))
    ((first, other, correlation),) = near_duplicates(np.array([dimmed]), np.array(pictures))
    assert (first, other) == (0, 2)
    assert 0.99 < correlation <= 1.00001
    assert near_duplicates(np.array([thumbnail(np.full((9, 9), 7, np.uint8))]), np.array(pictures)) == []
    assert near_duplicates(np.array([]), np.array(pictures)) == []


@pytest.mark.real_data
def test_published_sets_and_all_their_quirks(data_root):
    report = check(data_root, ["irstd-1k", "nudt-sirst", "nuaa-sirst"])
    text = format_report(report)
    assert report.ok
    assert text.count(" as published") == 3
    assert text.count("verdict: OK with known quirks") == 3
    for part in (
        "85 masks hold values besides 0 and 255 (XDU0: 0, 64, 255)",
        "1495 targets (8-connected, mask > 0), 1492 with mask > 127",
        "1863 targets",
        "533 targets",
        "1 images in neither list of split irsam: XDU997",
        "Misc_111: image 325x220, mask 592x400",
        "6 test images of split irsam with a near-duplicate",
        "37 test images of split dnanet with a near-duplicate",
        "25 test images of split irsam with a near-duplicate",
        "1 test images of split irsam with a near-duplicate in training: Misc_138 and Misc_7",
        "XDU49 and XDU495",
        "44 of the 86 test images of split irsam are training images of split dnanet",
        "43 of the 86 test images of split irsam are training images of split idx320",
        "135 of the 266 test images of split irsam are training images of split dnanet",
    ):
        assert part in text


@pytest.mark.real_data
def test_a_changed_pixel_of_a_published_set_is_named(data_root, tmp_path):
    source = data_root / "NUAA-SIRST"
    copy = tmp_path / "NUAA-SIRST"
    for name in ("images", "masks"):
        (copy / name).mkdir(parents=True)
        for path in (source / name).glob("*.png"):
            (copy / name / path.name).symlink_to(path.resolve())
    changed = cv2.imread(str(source / "images" / "Misc_9.png"), 0)
    changed[0, 0] ^= 1
    (copy / "images" / "Misc_9.png").unlink()
    cv2.imwrite(str(copy / "images" / "Misc_9.png"), changed)
    (checkup,) = check(tmp_path).checkups
    assert checkup.problems == ["1 images whose pixels are not the published ones: Misc_9"]
