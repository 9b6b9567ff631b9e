"""Unions of data sets, and what their training lists leave out."""

import cv2
import numpy as np
import pytest

from irsam_zoo.datasets import build_dataset
from irsam_zoo.datasets.duplicates import cross_duplicates
from irsam_zoo.datasets.leaks import overlap
from irsam_zoo.zoo import UsageError


def picture(seed, side=160):
    """An HxW uint8 scene with structure at several scales."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.normal(size=(20, 20)), (side, side), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 1.5)
    return np.clip(110 + 25 * coarse + 60 * fine, 0, 255).astype(np.uint8)


def write_set(folder, train, test):
    """A data set folder of ``{id: image}`` for each list."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for subset, images in (("train", train), ("test", test)):
        (folder / f"{subset}.txt").write_text("\n".join(images) + "\n")
        for id, image in images.items():
            mask = np.zeros_like(image)
            mask[10:13, 10:13] = 255
            cv2.imwrite(str(folder / "images" / f"{id}.png"), image)
            cv2.imwrite(str(folder / "masks" / f"{id}.png"), mask)
    return str(folder)


@pytest.fixture
def two_sets(tmp_path):
    """Two sets; the second trains on copies of the first's test image: brighter, smaller, and a part of it enlarged."""
    scene = picture(7, 240)
    twins = {
        "brighter": np.clip(scene * 0.9 + 20, 0, 255).astype(np.uint8),
        "smaller": cv2.resize(scene, (150, 150), interpolation=cv2.INTER_AREA),
        "part": cv2.resize(scene[60:200, 30:170], (210, 210), interpolation=cv2.INTER_CUBIC),
        "own": picture(3),
    }
    first = write_set(tmp_path / "first", {"a": picture(1), "b": picture(2)}, {"c": scene})
    return first, write_set(tmp_path / "second", twins, {"d": picture(4)})


def test_the_union_leaves_out_near_duplicates_of_another_members_test_images(two_sets):
    joined = build_dataset("+".join(two_sets), subset="train")
    assert joined.ids == ["first/a", "first/b", "second/own"]
    assert joined.left_out == ["second/brighter", "second/smaller", "second/part"]
    assert joined.name == joined.title == "first+second"
    test = build_dataset("+".join(two_sets), subset="test")
    assert test.ids == ["first/c", "second/d"]
    assert not test.left_out


def test_two_lists_of_one_set_are_not_compared(two_sets, tmp_path):
    """Their common scenes are the publisher's, and a union of sets takes nothing from a set for its own sake."""
    twin = build_dataset(write_set(tmp_path / "again" / "first", {"a": picture(1)}, {"c": picture(7, 240)}), subset="test")
    other = build_dataset(two_sets[1], subset="train")
    test = build_dataset(two_sets[0], subset="test")
    assert (twin.name, test.name) == ("first", "first")
    assert cross_duplicates([test], [twin]) == []
    assert [pair.other_id for pair in cross_duplicates([test], [other])] == ["brighter", "smaller", "part"]


def test_items_are_those_of_the_members(two_sets):
    joined, member = build_dataset("+".join(two_sets), subset="train"), build_dataset(two_sets[1], subset="train")
    item, own = joined.read("second/own"), member.read("own")
    assert item["id"] == "second/own"
    assert np.array_equal(item["image"], own["image"])
    assert np.array_equal(item["label"], own["label"])
    assert joined.fingerprint() != member.fingerprint()


def test_smooth_pictures_are_no_duplicates(tmp_path):
    ramp = np.linspace(40, 120, 128)[:, None] * np.ones(128)
    skies = [np.clip(ramp + np.random.default_rng(k).normal(0, 2, ramp.shape), 0, 255).astype(np.uint8) for k in range(2)]
    folders = [
        write_set(tmp_path / f"sky{k}", {"a": skies[k]}, {"b": picture(8 + k) if k == 0 else skies[k]}) for k in range(2)
    ]
    assert np.corrcoef(skies[0].ravel(), skies[1].ravel())[0, 1] > 0.98
    members = [build_dataset(folder, subset=subset) for folder, subset in zip(folders, ("train", "test"), strict=True)]
    assert cross_duplicates(members[:1], members[1:]) == []


def test_one_name_twice_is_refused(two_sets):
    with pytest.raises(UsageError, match="own name"):
        build_dataset("+".join((two_sets[0], two_sets[0])))


def test_an_image_of_any_member_is_refused(two_sets):
    """Weights of a union know the images of each member, by name and, in a set of another name, by their pixels."""
    from irsam_zoo.datasets.leaks import seen_images

    joined = build_dataset("+".join(two_sets), subset="train")
    stored = {"seen": {"first": {"a": None}, "second": {"own": joined.image_digests()["second/own"][:16]}}}
    assert list(seen_images(stored)) == ["first", "second"]
    assert overlap(stored, build_dataset(two_sets[0], subset="train")) == ["a"]
    elsewhere = build_dataset(two_sets[1], subset="train")
    elsewhere.name = "renamed"
    assert overlap(stored, elsewhere) == ["own"]
    assert overlap(stored, build_dataset("+".join(two_sets), subset="train")) == ["first/a", "second/own"]
    assert overlap(stored, build_dataset(two_sets[0], subset="test")) == []


def test_notes_are_those_of_the_members_and_of_the_images(two_sets):
    image = picture(3)
    cv2.imwrite(f"{two_sets[1]}/images/own.png", image.astype(np.uint16))
    cv2.imwrite(f"{two_sets[0]}/masks/a.png", np.full((160, 160), 255, np.uint8))
    cv2.imwrite(f"{two_sets[0]}/masks/b.png", cv2.resize(cv2.imread(f"{two_sets[0]}/masks/b.png", 0), (80, 80)))
    notes = build_dataset("+".join(two_sets), subset="train").notes
    assert notes == [
        f"second: 1 images of 16 bits use levels up to {image.max()}, which are taken as they are",
        "1 masks are resized to their images by nearest neighbour: first/b: image 160x160, mask 80x80",
        "1 masks with target on more than half of the image (is the background white? targets are): first/a",
    ]
