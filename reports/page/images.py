"""The page's browser of images: counts of every image, and pictures of those on which methods did worst."""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsam_zoo.reports.columns import shortened
from irsam_zoo.reports.page.pictures import image_picture, mask_picture, outcome, score_picture, target_boxes
from irsam_zoo.zoo.errors import FAILURES, ZooError, one_line

if TYPE_CHECKING:
    import numpy as np

    from irsam_zoo.reports.row_files import RowFiles
    from irsam_zoo.reports.table import Section
    from irsam_zoo.results.row import Row
    from irsam_zoo.results.stored_rows import CountsOf


def image_browser(sections: "Sequence[Section]", counts: "CountsOf", behind: "RowFiles", budget: int) -> list[dict[str, Any]]:
    """What the page shows of single images, under the cut of the run.

    Arguments:
        sections: `reports.table.Section`s of the rows as they were run.
        counts: Function of a row to the counts of its images with their ``id``, or None where they are not stored.
        behind (reports.row_files.RowFiles): What else is stored behind the rows.
        budget: Characters that the pictures may take.

    Returns:
        list[dict]: One a section:

        - ``ids`` of the images; elsewhere an image is its place in this list,
        - ``counts``: by method a list an image of IoU in 1e-4 (None where neither mask has a pixel), targets, matched targets
          and false pixels of the `exact` protocol; None for an image that was not scored,
        - ``worst``: by method the images, those of the lowest IoU first,
        - ``pictures``: by image its ``size``, ``image``, ``truth``, boxes of ``targets``, and by method what `outcome` says,
          ``mask`` and ``score``; what is not stored is left out,
        - ``remarks``: what is missing, and why.
    """
    browsers = [_Browser(section, counts, behind) for section in sections]
    for turn in zip_longest(*(browser.telling() for browser in browsers)):
        for browser, image_id in zip(browsers, turn, strict=True):
            picture = {} if image_id is None else browser.picture(image_id)
            budget -= sum(map(len, _texts(picture)))
            if budget < 0:
                return [browser.data() for browser in browsers]
            if picture:
                browser.chosen[image_id] = picture
    return [browser.data() for browser in browsers]


def _texts(data: Any) -> list[str]:
    """All texts of nested dicts; boxes are as text what they take in JSON."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in _texts(value)]
    return [data if isinstance(data, str) else str(data)]


class _Browser:
    """The images of one section."""

    def __init__(self, section: "Section", counts: "CountsOf", behind: "RowFiles"):
        self.behind, self.remarks, self.rows, self.counts, self.chosen = behind, {}, {}, {}, {}
        for line in section.lines:
            if line.row is None or not line.row.metrics:
                continue
            found = counts(line.row)
            if found is None:
                self._remark("what was counted in its images is not stored; run this cell again", line.title)
                continue
            self.rows[line.method] = line.row
            self.counts[line.method] = {count["id"]: count for count in found}
        ids = dict.fromkeys(image_id for found in self.counts.values() for image_id in found)
        self.places = {image_id: place for place, image_id in enumerate(ids)}
        self.worst = {
            method: sorted(found, key=lambda i, found=found: _goodness(found[i])) for method, found in self.counts.items()
        }
        self.recorded = {method: row for method, row in self.rows.items() if self._is_recorded(row)}
        self.has_images = bool(self.recorded) and self._has_images(section)

    def _remark(self, text: str, of: str | None = None) -> None:
        """Note what is missing, once, with the methods or the images that it is missing of."""
        self.remarks.setdefault(text, []).extend([] if of is None else [of])

    def _is_recorded(self, row: "Row") -> bool:
        try:
            self.behind.records(row)
        except ZooError as error:
            self._remark(one_line(error))
            return False
        return True

    def _has_images(self, section: "Section") -> bool:
        try:
            self.behind.test_set(section.dataset, section.split)
        except FAILURES as error:
            self._remark(one_line(error))
            return False
        return True

    def telling(self) -> dict[str, None]:
        """Ids in the order in which pictures are wanted: the worst image of each method, then each one's next."""
        worst = (self.worst[method] for method in self.recorded)
        return dict.fromkeys(image_id for turn in zip_longest(*worst) for image_id in turn if image_id is not None)

    def picture(self, image_id: str) -> dict[str, Any]:
        """All that there is to see of an image; empty where nothing is stored of what methods made of it."""
        rows = {method: row for method, row in self.recorded.items() if image_id in self.counts[method]}
        item = self._item(next(iter(rows.values())), image_id)
        methods = {method: self._made(row, item, image_id) for method, row in rows.items()}
        methods = {method: made for method, made in methods.items() if made}
        if not methods:
            return {}
        count = self.counts[next(iter(methods))][image_id]
        picture = {"size": [int(count["width"]), int(count["height"])], "methods": methods}
        if item is not None:
            picture |= {"image": image_picture(item["image"]), "truth": mask_picture(item["mask"])}
            picture |= {"targets": target_boxes(item["mask"]), "size": list(item["mask"].shape[::-1])}
        return picture

    def _item(self, row: "Row", image_id: str) -> Any:
        """The image as it was scored, or None where it is not there any more."""
        try:
            return self.behind.item(row, image_id) if self.has_images else None
        except ZooError as error:
            self._remark(str(error).replace(image_id, "an image", 1), image_id)
            return None

    def _made(self, row: "Row", item: Any, image_id: str) -> dict[str, Any]:
        """What a method made of an image."""
        made = {}
        mask, score = (_or_none(read, row, image_id) for read in (self.behind.mask, self.behind.score))
        if mask is not None:
            made["mask"] = mask_picture(mask)
            if item is not None and mask.shape == item["mask"].shape:  # those of a network's input size have other boxes
                made |= outcome(mask, item["mask"])
        if score is not None:
            made["score"] = score_picture(score, _top(row, self.behind.score_path(row, image_id)))
        return made

    def data(self) -> dict[str, Any]:
        if self.recorded and not self.chosen:
            self._remark("no masks are stored; run the benchmark with --save-predictions to see them here")
        return {
            "ids": list(self.places),
            "counts": {
                method: [_shown(found[image_id]) if image_id in found else None for image_id in self.places]
                for method, found in self.counts.items()
            },
            "worst": {method: [self.places[image_id] for image_id in order] for method, order in self.worst.items()},
            "pictures": {self.places[image_id]: picture for image_id, picture in self.chosen.items()},
            "remarks": [f"{text} ({shortened(of)})" if of else text for text, of in self.remarks.items()],
        }


def _or_none(read: "Callable[[Row, str], np.ndarray]", row: "Row", image_id: str) -> "np.ndarray | None":
    try:
        return read(row, image_id)
    except ZooError:
        return None


def _top(row: "Row", path: Path) -> int | None:
    """The score of probability 1, which a PNG has as its highest level; None for raw scores."""
    if row.score_kind == "raw":
        return None
    return 65535 if path.suffix == ".png" else 1


def _iou(count: Mapping[str, Any]) -> float | None:
    return count["intersection"] / count["union"] if count["union"] else None


def _goodness(count: Mapping[str, Any]) -> tuple[float, float, float]:
    """What images are sorted by: IoU, then few missed targets, then few false pixels."""
    iou = _iou(count)
    return (1.0 if iou is None else iou, count["matched"] - count["targets"], -count["false_pixels"])


def _shown(count: Mapping[str, Any]) -> list[int | None]:
    iou = _iou(count)
    return [None if iou is None else round(1e4 * iou), *(int(count[name]) for name in ("targets", "matched", "false_pixels"))]
