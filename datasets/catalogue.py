"""The registry of data sets and the way to build one by name."""

from collections.abc import Iterable
from pathlib import Path

from mmengine.registry import Registry

from irsam_zoo import PROGRAM
from irsam_zoo.datasets.base import IRSTDDataset
from irsam_zoo.datasets.folder import FolderDataset
from irsam_zoo.datasets.further import PAIR, FurtherDataset
from irsam_zoo.datasets.joined import JOINT, JoinedDataset
from irsam_zoo.datasets.layouts import Location, open_folder, what_is_in
from irsam_zoo.datasets.synthetic import Synthetic
from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import registered, unknown

DATASETS = Registry("data set", scope="irsam_zoo")


@DATASETS.register_module("irstd-1k")
class IRSTD1k(FolderDataset):
    """Zhang et al., "ISNet: Shape Matters for Infrared Small Target Detection", CVPR 2022: 1001 images of 512x512."""

    name = "irstd-1k"
    title = "IRSTD-1k"
    url = "https://github.com/RuiZhang97/ISNet"
    folder_names = ("IRSTD-1k", "IRSTD")


@DATASETS.register_module("nudt-sirst")
class NUDTSIRST(FolderDataset):
    """Li et al., "Dense Nested Attention Network for Infrared Small Target Detection", TIP 2023: 1327 images of 256x256."""

    name = "nudt-sirst"
    title = "NUDT-SIRST"
    url = "https://github.com/YeRen123455/Infrared-Small-Target-Detection"
    folder_names = ("NUDT-SIRST",)


@DATASETS.register_module("nuaa-sirst")
class NUAASIRST(FolderDataset):
    """Dai et al., "Asymmetric Contextual Modulation for Infrared Small Target Detection", WACV 2021: 427 images."""

    name = "nuaa-sirst"
    title = "NUAA-SIRST"
    url = "https://github.com/YimianDai/sirst"
    folder_names = ("NUAA-SIRST", "SIRST", "sirst-master")


DATASETS.register_module("synthetic", module=Synthetic)


@DATASETS.register_module("sirst3")
class SIRST3(JoinedDataset):
    """The three published sets together, as LESPS, SCTransNet and PAL train on them."""

    name = "sirst3"
    title = "SIRST3"
    members = ("irstd-1k", "nudt-sirst", "nuaa-sirst")

    def __init__(self, *, root: str | Path | None = None, split: str = "irsam", subset: str = "test"):
        super().__init__(**_opened(self.members, root, split, subset))


@DATASETS.register_module("sirst-v2")
class SIRSTV2(FurtherDataset):
    """Dai et al., "One-Stage Cascade Refinement Networks for Infrared Small Target Detection", TGRS 2023."""

    name = "sirst-v2"
    title = "SIRST-V2"
    url = "https://github.com/YimianDai/open-sirst-v2"
    folder_names = ("SIRST-V2", "open-sirst-v2", "open-sirst-v2-master")
    pairs = (*PAIR, ("mixed", "annotations/masks"), ("images", "annotations/masks"), ("images/targets", "annotations/masks"))
    preferred = "full"


@DATASETS.register_module("nudt-sirst-sea")
class NUDTSIRSTSea(FurtherDataset):
    """Wu et al., "MTU-Net: Multilevel TransUNet for Space-Based Infrared Tiny Ship Detection", TGRS 2023."""

    name = "nudt-sirst-sea"
    title = "NUDT-SIRST-Sea"
    url = "https://github.com/TianhaoWu16/Multi-level-TransUNet-for-Space-based-Infrared-Tiny-ship-Detection"
    folder_names = ("NUDT-SIRST-Sea",)


@DATASETS.register_module("sirst-aug")
class SIRSTAug(FurtherDataset):
    """Zhang et al., "Attention-Guided Pyramid Context Networks for Detecting Infrared Small Target Under Complex Background",
    TAES 2023."""

    name = "sirst-aug"
    title = "SIRST-Aug"
    url = "https://github.com/Tianfang-Zhang/AGPCNet"
    folder_names = ("SIRST-Aug",)
    made_from = "nuaa-sirst"


@DATASETS.register_module("irdst")
class IRDST(FurtherDataset):
    """The real frames of Sun et al., "Receptive-Field and Direction Induced Attention Network for Infrared Dim Small Target
    Detection With a Large-Scale Dataset IRDST", TGRS 2023."""

    name = "irdst"
    title = "IRDST"
    url = "https://github.com/sun11999/RDIAN"
    folder_names = ("IRDST-real", "IRDST")
    pairs = (*PAIR, ("real/images", "real/masks"), ("IRDST-real/images", "IRDST-real/masks"))
    multi_frame = True


def list_datasets() -> list[str]:
    """Names of all registered data sets; ``synthetic`` needs no files, ``sirst3`` is the union of three others."""
    return list(DATASETS.module_dict)


def dataset_class(name: str | Path) -> type[IRSTDDataset]:
    """The registered class of a name, whatever its case; UsageError with the nearest known names otherwise."""
    cls = registered(DATASETS, str(name).lower())
    if cls is None:
        raise UsageError(f"{unknown('data set', name, list_datasets())}; nor is it a folder")
    return cls


def build_dataset(name: str | Path, root: str | Path | None = None, split: str = "irsam", subset: str = "test") -> IRSTDDataset:
    """Build one subset of a data set.

    Arguments:
        name: A registered name (``"nuaa-sirst"``), or the path of a folder of your own that holds ``images/``, ``masks/``
            and the lists ``train.txt`` and ``test.txt`` (or ``splits/<split>/`` with both). One with the name of a registered
            data set needs a ``/``, as in ``./nuaa-sirst``. Several with a ``+`` between are joined (`JoinedDataset`).
        root: The folder that holds the data sets, else ``$IRSAM_ZOO_DATA``, else ``./data``. Not read for `synthetic`
            and for a path.
        split: A name from `list_splits`, or the path of a folder that holds ``train.txt`` and ``test.txt``.
        subset: ``"train"``, ``"test"`` or ``"all"``.

    Returns:
        IRSTDDataset: Its files are found and its lists read; images are read when asked for.

    Raises:
        UsageError: An unknown name, split or subset, or a root without this data set.
    """
    folder = Path(name).expanduser()
    if JOINT in str(name) and not folder.is_dir():
        return JoinedDataset(**_opened(str(name).split(JOINT), root, split, subset))
    if "/" in str(name) or (folder.is_dir() and registered(DATASETS, str(name).lower()) is None):
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder" if folder.exists() else f"there is no folder {folder}")
        cls, location = _opened_folder(folder)
        if location is None:
            remedy = _without_masks(folder) or f"; {what_is_in(folder)}"
            raise UsageError(f"{folder} is no data set: it needs the folders images/ and masks/{remedy}")
        return cls(location=location, split=split, subset=subset)
    return dataset_class(name)(root=root, split=split, subset=subset)


def _opened_folder(folder: Path) -> tuple[type[FolderDataset], Location | None]:
    """The published data set that a folder bears a name of and is, else `FolderDataset`; and the `Location` in it, or None."""
    for name in published_datasets():
        cls = DATASETS.module_dict[name]
        location = cls.open(folder) if cls.is_named(folder) else None
        if location and cls.holds(location):
            return cls, location
    return FolderDataset, open_folder(folder)


def _without_masks(folder: Path) -> str:
    """What can be done with a folder of images alone."""
    if not any(path.name.lower() == "images" for path in folder.glob("*/")):
        return ""
    return f"; without masks nothing can be scored, but this predicts them: {PROGRAM} predict METHOD {folder}"


def published_datasets() -> list[str]:
    """Names of the registered data sets that are a folder of files: neither `synthetic` nor a union."""
    return [name for name, cls in DATASETS.module_dict.items() if issubclass(cls, FolderDataset)]


def found_datasets(root: str | Path | None = None) -> list[str]:
    """Names of the `published_datasets` whose folders are under a root (see `find_root`), less those that have to be named."""
    classes = ((name, DATASETS.module_dict[name]) for name in published_datasets())
    return [name for name, cls in classes if not cls.by_name_only and cls.locate(root)]


def _opened(names: Iterable[str], root: str | Path | None, split: str, subset: str) -> dict[str, list[IRSTDDataset]]:
    """What a `JoinedDataset` of these data sets is made of."""
    members, tests = ([build_dataset(name, root, split, of) for name in names] for of in (subset, "test"))
    return dict(members=members, tests=tests)
