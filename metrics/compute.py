"""From counts of images to IoU, nIoU, Pd, Fa and hIoU of a set."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from irsam_zoo.metrics.typing import Floats
from irsam_zoo.zoo.errors import UsageError, ZooError

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

CountTable: TypeAlias = "Iterable[Mapping[str, float]] | pd.DataFrame"  # a row an image


class Protocol(NamedTuple):
    """Which counts a protocol reads, and what it divides by.

    Attributes:
        prefix: Of the columns of its targets: "" for grey level above 127, ``"ref_"`` for exactly 255.
        false_pixels: Column of the numerator of Fa.
        image_area: Pixels of an image in the divisor of Fa, or None for the true size.
        undefined: What an image, or a set, gives where a ratio has no denominator: NaN (left out of means) or 0.
        grey_in_union: IoU's union has the pixels of levels 128 to 254 as well, and twice where they are predicted.
    """

    prefix: str
    false_pixels: str
    image_area: int | None
    undefined: float
    grey_in_union: bool = False


PROTOCOLS = {
    "exact": Protocol("", "false_pixels", None, np.nan),
    "irsam": Protocol("ref_", "ref_false_pixels_by_area", 512 * 512, 0.0),  # IRSAM, utils/metric.py, PD_FA.get
    # DNANet, model/metric.py, PD_FA.get and mIoU; BasicIRSTD, metrics.py, PD_FA and mIoU
    "dnanet": Protocol("ref_", "ref_false_pixels_by_area", 256 * 256, 0.0, grey_in_union=True),
    "basicirstd": Protocol("ref_", "ref_false_pixels", None, 0.0, grey_in_union=True),
}
# Columns that the protocols with a prefix have their own of.
PREFIXED = ("target_pixels", "intersection", "union", "targets", "matched")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of a set. It is named once: every table has its column from here.

    Attributes:
        of: Sums over the images and a `Protocol` to the figures, (R,) float64, NaN where undefined. The sums are (R,) float64
            by column of `count_image`, without the protocol's prefix; besides, ``area`` (the divisor of Fa), ``image_iou``
            and ``iou_images`` (the IoU of single images, and how many have one).
        counts: The columns that it reads.
        protocols: Those that have it.
        better: Which figures are.
        unit: The figure that tables print as 1, such as 1e-2.
        digits: That tables print behind the point.
        title: What stands above its column; the name unless it is given.
        symbol: The name in a LaTeX caption; the title unless it is given.
    """

    of: Callable[[Mapping[str, Floats], Protocol], Floats]
    counts: tuple[str, ...]
    protocols: tuple[str, ...] = tuple(PROTOCOLS)
    better: Literal["higher", "lower"] = "higher"
    unit: float = 1e-2
    digits: int = 2
    title: str = ""
    symbol: str = ""


METRICS: dict[str, Metric] = {}


def add_metric(name: str, metric: Metric) -> None:
    """Make a `Metric` known: from then on every set has it, every row of a benchmark, and every table that asks for it.

    One that is added again, as by a plug-in that is read twice, is there once.
    """
    METRICS[name] = metric


def compute_metrics(
    counts: CountTable, protocol: str = "exact", weights: npt.ArrayLike | None = None
) -> dict[str, float | None]:
    """Metrics of a set of images.

    ========== ======================== ====================== ======================== ==================================
    protocol   components are matched   numerator of Fa        divisor of Fa            nIoU of an image empty in both
    ========== ======================== ====================== ======================== ==================================
    exact      optimally                unmatched pixels       pixels of all images     left out of the mean
    irsam      greedily, label order    less equal areas       512 * 512 an image       0
    dnanet     greedily, label order    less equal areas       256 * 256 an image       0
    basicirstd greedily, label order    unmatched pixels       pixels of all images     0
    ========== ======================== ====================== ======================== ==================================

    "Less equal areas": an unmatched component is not counted if any matched one in the image has the same area. IRSAM's
    code stops at images that are not square and DNANet's at images other than 256x256; their divisors are applied to any
    size here. DNANet and BasicIRSTD have no nIoU of their own; ACM's, which IRSAM uses, stands for it. All but exact take
    only mask level 255 as target, but for the union in the IoU of DNANet and BasicIRSTD, which adds histograms of the mask and
    of the prediction: a grey pixel of 128 to 254 is in it, and one that is predicted is in it twice.

    Arguments:
        counts (Sequence[dict] or pandas.DataFrame): One row an image, with the columns of `count_image`.
        protocol: ``"exact"``, ``"irsam"``, ``"dnanet"`` or ``"basicirstd"``.
        weights (np.ndarray): (N,) how often each image counts; by default once.

    Returns:
        dict: ``IoU``, ``nIoU``, ``Pd``, ``Fa``, ``precision``, ``recall`` and ``F1`` of the pixels, and for `exact` also
        ``hIoU``, ``segIoU`` and ``locIoU``: fractions as float, None where undefined, such as Pd where no image has a target.
        An IoU of a set without a pixel is None in `exact` and 0 in the others.

    Raises:
        UsageError: No such protocol.
        ZooError: A column is missing.
    """
    columns = count_columns(counts, protocol)
    weights = np.ones(len(columns["pixels"])) if weights is None else np.asarray(weights, np.float64)
    ratios = weighted_ratios(columns, protocol, weights[None])
    return {name: None if np.isnan(value[0]) else float(value[0]) for name, value in ratios.items()}


def count_columns(counts: CountTable, protocol: str, reads: Iterable[str] | None = None) -> dict[str, Floats]:
    """The columns that a protocol needs, as a dict of (N,) float64 arrays: for all its metrics, or where `reads` says what."""
    rule = protocol_rule(protocol)
    names = dict.fromkeys(["pixels", *_sampled(protocol), rule.false_pixels])
    if reads is None:
        reads = [name for metric in metrics_of(protocol).values() for name in metric.counts]
    names |= dict.fromkeys(rule.prefix * (name in PREFIXED) + name for name in reads if name != "false_pixels")
    table = counts if hasattr(counts, "columns") else list(counts)
    try:
        columns = _columns(table, names)
        if rule.grey_in_union:
            union = _columns(table, ("predicted_pixels", "target_pixels"))
            columns[f"{rule.prefix}union"] = sum(union.values()) - columns[f"{rule.prefix}intersection"]
        return columns
    except KeyError as error:
        raise ZooError(f"the per-image counts have no column {error}; score the images again") from None


def _columns(table: Any, names: Iterable[str]) -> dict[str, Floats]:
    if hasattr(table, "columns"):
        return {name: table[name].to_numpy(np.float64) for name in names}
    return {name: np.array([row[name] for row in table], np.float64) for name in names}


def weighted_ratios(columns: Mapping[str, Floats], protocol: str, weights: Floats) -> dict[str, Floats]:
    """Metrics under several weightings of the images at once.

    Arguments:
        columns (dict): (N,) float64 arrays, from `count_columns`.
        protocol: Name of the protocol.
        weights (np.ndarray): (R, N) float64, how often each image counts in each of R replicates.

    Returns:
        dict: (R,) float64 by metric, NaN where undefined.
    """
    sums, rule = weighted_sums(columns, protocol, [weights]), protocol_rule(protocol)
    return {name: metric.of(sums, rule) for name, metric in metrics_of(protocol).items()}


def weighted_sums(columns: Mapping[str, Floats], protocol: str, chunks: Iterable[Floats]) -> dict[str, Floats]:
    """What `Metric.of` reads, of the arguments of `weighted_ratios`, the weights some rows at a time.

    The columns may be those of one metric alone.
    """
    rule = protocol_rule(protocol)
    intersection, union = (columns[name] for name in _sampled(protocol))
    iou = np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)
    counted = (union > 0).astype(np.float64) if np.isnan(rule.undefined) else np.ones_like(union)
    table = np.column_stack([*columns.values(), iou * counted, counted, np.ones_like(union)])
    *sums, image_iou, iou_images, images = np.concatenate([weights @ table for weights in chunks]).T
    sums = {name.removeprefix(rule.prefix): values for name, values in zip(columns, sums, strict=True)}
    sums["false_pixels"] = sums[rule.false_pixels.removeprefix(rule.prefix)]
    sums["area"] = sums["pixels"] if rule.image_area is None else rule.image_area * images
    return sums | {"image_iou": image_iou, "iou_images": iou_images}


def metrics_of(protocol: str) -> dict[str, Metric]:
    """The `Metric`s of a protocol by their names."""
    return {name: metric for name, metric in METRICS.items() if protocol in metric.protocols}


def _sampled(protocol: str) -> tuple[str, str]:
    """The columns of the IoU of single images."""
    return ("intersection", "union") if protocol == "exact" else ("sample_intersection", "sample_union")


def protocol_rule(protocol: str) -> Protocol:
    """The `Protocol` of a name, or UsageError."""
    if protocol not in PROTOCOLS:
        raise UsageError(f"no protocol {protocol!r}; choose one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[protocol]


def ratio(numerator: Floats, denominator: Floats, undefined: float = np.nan) -> Floats:
    """Element-wise ratio, with a value of its own where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full_like(numerator, undefined), where=denominator > 0)


PIXELS = ("intersection", "predicted_pixels", "target_pixels")


def _hierarchical(name: str) -> Metric:
    counts = ("opdc_matched", "opdc_iou", "targets", "components")

    def of(sums: Mapping[str, Floats], rule: Protocol) -> Floats:
        from irsam_zoo.metrics.hiou import hierarchical_iou  # with SciPy, which a list of columns does not need

        return hierarchical_iou(*(sums[column] for column in counts))[name]

    return Metric(of=of, counts=counts, protocols=("exact",))


for name, metric in {
    "IoU": Metric(of=lambda s, rule: ratio(s["intersection"], s["union"], rule.undefined), counts=("intersection", "union")),
    "nIoU": Metric(of=lambda s, rule: ratio(s["image_iou"], s["iou_images"]), counts=()),
    "Pd": Metric(of=lambda s, rule: ratio(s["matched"], s["targets"]), counts=("matched", "targets"), symbol="$P_d$"),
    "Fa": Metric(
        of=lambda s, rule: ratio(s["false_pixels"], s["area"]),
        counts=("false_pixels",),
        better="lower",
        unit=1e-6,
        symbol="$F_a$",
    ),
    "precision": Metric(
        of=lambda s, rule: ratio(s["intersection"], s["predicted_pixels"]), counts=PIXELS[:2], title="Precision"
    ),
    "recall": Metric(of=lambda s, rule: ratio(s["intersection"], s["target_pixels"]), counts=PIXELS[::2], title="Recall"),
    "F1": Metric(of=lambda s, rule: ratio(2 * s["intersection"], s["predicted_pixels"] + s["target_pixels"]), counts=PIXELS),
    "hIoU": _hierarchical("hIoU"),
    "segIoU": _hierarchical("segIoU"),
    "locIoU": _hierarchical("locIoU"),
}.items():
    add_metric(name, metric)
