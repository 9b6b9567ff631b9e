"""Targets as CSV and as COCO."""

import csv
import io
import json

from irsam_zoo.results.targets import ImageTargets, Target, to_coco, to_csv

IMAGES = [
    ImageTargets("a", "in/a.png", (20, 30), []),
    ImageTargets(
        "v/000001",
        "v.avi#1",
        (20, 30),
        [Target(1, 2.5, 1 / 3, 2, 0, 2, 1, 2, 0.1 + 0.2, 5e-9), Target(2, 7.0, 8.0, 7, 8, 1, 1, 1, 3.0, 3.0)],
    ),
]


def test_a_line_a_target():
    lines = list(csv.DictReader(io.StringIO(to_csv(IMAGES))))
    assert [line["image"] for line in lines] == ["v/000001"] * 2
    assert lines[0] == dict(
        image="v/000001", number="1", x="2.5", y="0.3333333", left="2", top="0", width="2", height="1", area="2", peak="0.3",
        mean_score="5e-09",
    )  # fmt: skip


def test_coco_has_every_image_and_numbers_from_1():
    coco = json.loads(json.dumps(to_coco(IMAGES, {"method": "m"})))
    assert coco["info"] == {"method": "m"}
    assert coco["categories"] == [{"id": 1, "name": "target"}]
    assert coco["images"] == [
        {"id": 1, "file_name": "in/a.png", "height": 20, "width": 30},
        {"id": 2, "file_name": "v.avi#1", "height": 20, "width": 30},
    ]
    assert [(a["id"], a["image_id"], a["category_id"], a["iscrowd"]) for a in coco["annotations"]] == [
        (1, 2, 1, 0),
        (2, 2, 1, 0),
    ]
    first = coco["annotations"][0]
    assert (first["bbox"], first["area"], first["score"], first["mean_score"]) == ([2, 0, 2, 1], 2, 0.3, 5e-9)
    assert (first["centroid"], first["number"]) == ([2.5, 0.3333333], 1)
