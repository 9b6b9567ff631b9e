"""Weights that authors and toolboxes published: where they are from, what they were trained on, what is stated of them.

The catalogue is ``known_weights.toml`` beside this file; a file is known by its SHA-256, whatever its name.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from irsam_zoo import ROOT
from irsam_zoo.zoo.detector import MetricSize
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.specs import MethodSpec, method_config, plain, read_method
from irsam_zoo.zoo.weights.header import read_header

CATALOGUE = Path(__file__).with_suffix(".toml")
# The package's split lists and digests of images, read as plain data: `zoo` imports nothing of `datasets`.
DATASETS_DIR = ROOT / "datasets"
OWN_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class StatedProtocol:
    """How a publisher takes the metrics of its weights.

    Attributes:
        metrics: Whose code: a protocol of `metrics`.
        size: ``"input"`` (images and masks resized to the network's input) or ``"native"``.
        threshold: Logits above it are target; a number, or a policy of `zoo.thresholds` for a cut of each image's own.
        colour: The network gets the three channels of a coloured image, not its grey.
        opencv_grey: It gets the grey that OpenCV reads a coloured image as, which differs from ours by up to two levels.
    """

    metrics: str
    size: MetricSize
    threshold: float | str
    colour: bool = False
    opencv_grey: bool = False


@dataclass(frozen=True)
class Result:
    """What is known of weights on one test list: figures by metric, IoU, nIoU and Pd in 1e-2, Fa in 1e-6.

    Attributes:
        dataset, split: The test list.
        stated: By the publisher.
        measured: In this project, by the publisher's protocol; rounded.
        original: From the publisher's own code or masks, run or counted again.
        unreproducible: Metrics whose stated figure is not met, while the others or the publisher's own masks say that ours are
            right; `note` says more.
        note: One sentence, or empty.
    """

    dataset: str
    split: str
    stated: dict[str, float]
    measured: dict[str, float]
    original: dict[str, float]
    unreproducible: list[str]
    note: str


@dataclass(frozen=True, kw_only=True)
class KnownWeights:
    """One published file.

    Attributes:
        name: Of the entry.
        sha256, size: Of the file; size in bytes.
        publisher: Who made the weights.
        repository, commit, path: Where the file is on GitHub.
        licence: Of the repository; ``"none"`` where it has no licence file.
        method: Our method or configuration that they fit.
        options: Options of the method that they were trained with, where it has others.
        trained_on, split: Data set, or several with a ``+`` between, and the split whose training lists they were trained on.
            Both are empty where the publisher does not say.
        protocol (StatedProtocol): How the stated figures were taken.
        results (tuple[Result]): One a test list.
        note: One sentence on the weights, or empty.
    """

    name: str
    sha256: str
    size: int
    publisher: str
    repository: str
    commit: str
    path: str
    licence: str
    method: str
    options: dict[str, Any]
    trained_on: str
    split: str
    protocol: StatedProtocol
    results: tuple[Result, ...]
    note: str = ""

    @property
    def spec(self) -> MethodSpec:
        """The `zoo.registry.MethodSpec` of our method as these weights need it, under the name of the entry."""
        method = read_method(self.method)
        return MethodSpec(self.name, method.options | self.options, method.card)

    @property
    def url(self) -> str:
        """The file's page."""
        return f"https://github.com/{self.repository}/blob/{self.commit}/{quote(self.path)}"

    @property
    def provenance(self) -> dict[str, Any]:
        """The metadata by which the leak guard and the tables know weights.

        ``seen`` has the training images as our trainer stores them: by data set, the first digits of each id's digest. Of
        weights whose training images are not known there is none.
        """
        if not self.trained_on:
            return dict(publisher=self.publisher)
        seen = {name: _training_images(name, self.split) for name in self.trained_on.split("+")}
        return dict(publisher=self.publisher, dataset=self.trained_on, split=self.split, seen=seen)

    def completed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Constructor options with those that the weights were trained with; the caller's own win.

        What `method` says itself counts as nobody's: LESPS's weights fit BasicIRSTD's ``acmnet_1ch``, but were normalised
        otherwise.
        """
        usual = method_config(self.method)[1]
        chosen = {name for name in self.options if name in options and plain(options[name]) != plain(usual.get(name))}
        return options | {name: value for name, value in self.options.items() if name not in chosen}


@cache
def catalogue(path: str | Path = CATALOGUE) -> dict[str, KnownWeights]:
    """All `KnownWeights`, by name."""
    return {name: _entry(name, facts) for name, facts in tomllib.loads(Path(path).read_text(encoding="utf-8")).items()}


def entry_named(name: str) -> KnownWeights | None:
    """The `KnownWeights` of this name, or None."""
    return catalogue().get(name)


def recognise(sha256: str | None, metadata: Mapping[str, Any]) -> KnownWeights | None:
    """The `KnownWeights` of a loaded file, or None.

    Arguments:
        sha256: Of the file.
        metadata: What its writer stored in it; a file of `zoo.weights.checkpoints.convert_file` names its source there.
    """
    digests = (sha256, metadata.get("source_sha256"))
    return next((known for known in catalogue().values() if known.sha256 in digests), None)


def recognise_file(path: str | Path) -> KnownWeights | None:
    """As `recognise`, from the file alone. One of another size than any known file is not hashed."""
    path = Path(path)
    alike = path.is_file() and any(known.size == path.stat().st_size for known in catalogue().values())
    return recognise(sha256_file(path) if alike else None, read_header(path) if path.suffix == OWN_SUFFIX else {})


def find_known(folder: str | Path) -> dict[str, Path]:
    """Known files in a folder and those under it.

    Returns:
        dict[str, Path]: By name of the entry, the first file by path, published ones before converted ones.
    """
    paths = sorted((path.suffix == OWN_SUFFIX, path) for path in Path(folder).rglob("*") if path.is_file())
    found = {}
    for _, path in paths:
        known = recognise_file(path)
        if known is not None:
            found.setdefault(known.name, path)
    return found


def _training_images(dataset: str, split: str) -> dict[str, str | None]:
    """Digests of the images of a training list, by id."""
    lines = (DATASETS_DIR / "fingerprints" / f"{dataset}.txt").read_text(encoding="utf-8").splitlines()
    digests = {id: image for id, image, _ in map(str.split, lines)}
    ids = (DATASETS_DIR / "splits" / dataset / split / "train.txt").read_text(encoding="utf-8").split()
    return {id: digests.get(id) for id in ids}


def _entry(name: str, facts: Mapping[str, Any]) -> KnownWeights:
    facts = dict(facts)
    trained_on, _, split = facts.pop("trained_on", "").partition("/")
    protocol = StatedProtocol(**facts.pop("protocol"))
    results = tuple(_result(place, figures) for place, figures in facts.pop("results").items())
    return KnownWeights(
        name=name, trained_on=trained_on, split=split, protocol=protocol, results=results, **{"options": {}, **facts}
    )


def _result(place: str, figures: Mapping[str, Any]) -> Result:
    dataset, _, split = place.partition("/")
    defaults = dict(stated={}, measured={}, original={}, unreproducible=[], note="")
    return Result(dataset=dataset, split=split, **{**defaults, **figures})
