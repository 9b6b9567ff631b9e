"""The data sets as mmsegmentation takes them: same lists, same reading rule. Only this module imports mmsegmentation.

A configuration names it in ``custom_imports``; see ``configs/datasets``.
"""

from pathlib import Path
from typing import Any

import numpy as np

from irsam_zoo.datasets.catalogue import build_dataset
from irsam_zoo.datasets.folder import FolderDataset
from irsam_zoo.zoo._compat import import_mmseg

mmseg = import_mmseg()  # before any other import of mmsegmentation or mmcv, which fail with mmcv-lite

from mmcv.transforms import BaseTransform  # noqa: E402
from mmseg.datasets import BaseSegDataset  # noqa: E402


@mmseg.registry.DATASETS.register_module()
class IRSTDSegDataset(BaseSegDataset):
    """One subset of a data set of `datasets.build_dataset`, for runners and data loaders of mmengine.

    Its pipeline begins with `LoadIRSTDPair`. An item that is missing or damaged raises its ZooError; no other image takes
    its place.

    Arguments:
        name: A registered name (``"nuaa-sirst"``), or the path of a folder of your own.
        root: The folder that holds the data sets, else ``$IRSAM_ZOO_DATA``, else ``./data``.
        split: A name from `datasets.list_splits`, or the path of a folder that holds ``train.txt`` and ``test.txt``.
        subset: ``"train"``, ``"test"`` or ``"all"``.
        kwargs: Options of `BaseSegDataset` that do not say where files are: ``pipeline``, ``test_mode``, ``indices`` and so on.

    Attributes:
        source (IRSTDDataset): What the ids and pixels come from.

    Raises:
        UsageError: An unknown name, split or subset, or a root without this data set.
    """

    METAINFO = dict(classes=("background", "target"), palette=[[0, 0, 0], [255, 255, 255]])

    def __init__(
        self, *, name: str | Path, root: str | Path | None = None, split: str = "irsam", subset: str = "test", **kwargs: Any
    ):
        self.source = build_dataset(name, root=root, split=split, subset=subset)
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """An entry an image, in the order of the list: its ``id``, and what mmsegmentation's transforms look for."""
        shared = dict(label_map=self.label_map, reduce_zero_label=self.reduce_zero_label)
        return [dict(id=id, **shared, seg_fields=[]) for id in self.source.ids]

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The entry of an image, with ``source`` to read it from."""
        return dict(super().get_data_info(idx), source=self.source)


@mmseg.registry.TRANSFORMS.register_module()
class LoadIRSTDPair(BaseTransform):
    """Image and mask of an entry of `IRSTDSegDataset`.

    Both come at the image's own size, so a later resizing changes the mask as well. To evaluate at the published size, resize
    nothing and let the model's data preprocessor pad (``test_cfg=dict(size_divisor=32)``), which mmsegmentation undoes.

    Required keys: ``id``, ``source``, ``seg_fields``. ``source`` is removed.

    Added keys: ``img`` (HxWx3 uint8, the grey level three times), ``gt_seg_map`` (HxW uint8, 1 where the label exceeds 127 and
    0 elsewhere), ``seg_fields``, ``img_shape`` and ``ori_shape`` (height and width), ``img_path`` (the file, or the id where
    there is none).
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Fill a dict of results; ZooError where a file is missing or damaged."""
        source = results.pop("source")
        item = source.read(results["id"])
        results["img"] = np.repeat(item["image"][..., None], 3, axis=2)
        results["gt_seg_map"] = item["mask"].astype(np.uint8)
        results["seg_fields"].append("gt_seg_map")
        results["img_shape"] = results["ori_shape"] = item["image"].shape
        results["img_path"] = str(source.image_path(item["id"])) if isinstance(source, FolderDataset) else item["id"]
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
