"""Imports of packages that ask for more than this project installs."""

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from irsam_zoo.zoo.errors import ZooError


def import_segment_anything() -> ModuleType:
    """The package ``segment_anything.modeling``, with or without torchvision.

    ``segment_anything/__init__.py`` imports torchvision for its predictor and its mask generator; the networks need none
    of it. Without torchvision a bare ``segment_anything`` module with the installed package's path stands in for that
    file, and stays: a later ``import segment_anything.modeling`` finds it.

    Returns:
        ModuleType: ``segment_anything.modeling``.

    Raises:
        ZooError: segment-anything is not installed.
    """
    if "segment_anything" not in sys.modules:
        spec = importlib.util.find_spec("segment_anything")
        if spec is None:
            raise ZooError("segment_anything is not installed; run: pip install segment-anything==1.0")
        if importlib.util.find_spec("torchvision") is None:
            package = ModuleType("segment_anything", "Networks of Segment Anything; its predictor needs torchvision.")
            package.__path__ = list(spec.submodule_search_locations or ())
            package.__spec__ = spec
            package.__file__ = spec.origin
            sys.modules["segment_anything"] = package
    return importlib.import_module("segment_anything.modeling")


def import_mmseg() -> ModuleType:
    """The package ``mmseg``, with ``mmseg.models`` and ``mmseg.datasets`` imported, on mmcv-lite too.

    Both import ``mmcv.ops``, which loads the compiled operators of ``mmcv._ext``. mmcv-lite has none, so a module that
    only knows their names stands in during this import and goes away after it. A model that calls such an operator fails
    then, with an error that says so; all others build, train and predict.

    Returns:
        ModuleType: ``mmseg``.

    Raises:
        ZooError: mmsegmentation or mmcv is not installed, or they do not fit each other.
    """
    for package, distribution in (("mmcv", "mmcv-lite==2.1.0"), ("mmseg", "mmsegmentation==1.2.2")):
        if importlib.util.find_spec(package) is None:
            raise ZooError(f"{package} is not installed; run: pip install {distribution}")
    try:
        with _operator_names(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # mmcv 2.1 scripts dozens of functions with torch.jit
            importlib.import_module("mmseg.models")
            importlib.import_module("mmseg.datasets")
    except (AssertionError, ImportError) as error:  # mmseg asserts the range of mmcv versions that it takes
        reason = " ".join(str(error).split())
        raise ZooError(f"mmsegmentation does not import: {reason}; install the versions of requirements.txt") from error
    return sys.modules["mmseg"]


@contextmanager
def _operator_names() -> Iterator[None]:
    """While it lasts, ``mmcv._ext`` imports, unless the compiled module is there or ``mmcv.ops`` is imported already."""
    if "mmcv.ops" in sys.modules or importlib.util.find_spec("mmcv._ext") is not None:
        yield
        return
    sys.modules["mmcv._ext"] = extension = _OperatorNames("mmcv._ext")
    extension.__spec__ = ModuleSpec("mmcv._ext", loader=None, origin="zoo/_compat.py")
    try:
        yield
    finally:
        del sys.modules["mmcv._ext"]
        vars(sys.modules["mmcv"]).pop("_ext", None)


class _OperatorNames(ModuleType):
    """A module in which every public name is an operator that cannot be called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def operator(*args, **kwargs):
            raise ZooError(f"mmcv operator {name} needs the compiled mmcv; mmcv-lite has none")

        return operator
