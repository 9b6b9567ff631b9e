"""The data sets: published ones as they lie on disk, the synthetic one, their split lists and the data doctor."""

from datasets.base import IRSTDDataset
from datasets.catalogue import DATASETS, build_dataset, found_datasets, list_datasets
from datasets.folder import FolderDataset
from datasets.layouts import find_root
from datasets.splits import list_splits, read_split

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
