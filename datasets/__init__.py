"""The data sets: published ones as they lie on disk, the synthetic one, their split lists and the data doctor."""

from irsam_zoo import refuse_bare
from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.catalogue import DATASETS, build_dataset, found_datasets, list_datasets
from irsam_zoo.datasets.folder import FolderDataset
from irsam_zoo.datasets.layouts import find_root
from irsam_zoo.datasets.splits import list_splits, read_split

__all__ = [
    "DATASETS",
    "FolderDataset",
    "IRSTDDataset",
    "build_dataset",
    "find_root",
    "found_datasets",
    "list_datasets",
    "list_splits",
    "read_split",
]

refuse_bare(__name__)
