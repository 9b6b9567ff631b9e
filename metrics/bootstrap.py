"""Confidence intervals by resampling images."""

import math
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import lru_cache

import numpy as np

from irsam_zoo.metrics.compute import (
    CountTable,
    Metric,
    count_columns,
    metrics_of,
    protocol_rule,
    ratio,
    weighted_ratios,
    weighted_sums,
)
from irsam_zoo.metrics.typing import Floats, Interval, Ints, Levels, PairedDifference
from irsam_zoo.zoo.errors import UsageError, ZooError

RESAMPLES = (1000, 10_000, 100_000)  # the next where one leaves open on which side of 0 an interval ends
STANDARD_ERRORS = 3.0  # of a share of resamples, that it may be off by chance
CHUNK = 32  # resamples that are weighed at a time: products so small that BLAS wakes no other thread for them
# What is drawn for one pair of methods serves the other pairs of their table.
KEPT_SETS, KEPT_BYTES = 6, 2**26  # how many sets of images, and the room of each: 100,000 resamples of 671 images
KEPT_FIGURES = 128  # of methods and metrics, up to 800 kB each


def bootstrap_ci(
    counts: CountTable, protocol: str = "exact", *, n: int = 1000, seed: int = 0, level: float = 0.95
) -> dict[str, Interval]:
    """Percentile intervals of every metric of a set.

    Arguments:
        counts (Sequence[dict] or pandas.DataFrame): One row an image.
        protocol: Name of the protocol.
        n: Number of resamples of the images, with replacement.
        seed: Of the generator.
        level: Coverage, between 0 and 1.

    Returns:
        dict: ``{metric: (low, high)}``; (None, None) where the metric is undefined in every resample. Resamples in which it
        is undefined are left out.
    """
    columns = count_columns(counts, protocol)
    weights = np.concatenate(list(_chunks(len(columns["pixels"]), n, seed)))
    return {name: _interval(values, level) for name, values in weighted_ratios(columns, protocol, weights).items()}


def paired_bootstrap(
    counts_a: CountTable,
    counts_b: CountTable,
    protocol: str = "exact",
    metric: str = "IoU",
    *,
    n: int | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> PairedDifference:
    """Compare two methods on the same images: both are resampled with the same images each time.

    Whether the interval leaves 0 out is decided by few resamples where it ends near 0. There the numbers of `RESAMPLES` are
    gone through until `luck` could not have put 0 on the other side.

    Arguments:
        counts_a, counts_b (Sequence[dict] or pandas.DataFrame): Rows of the same images in the same order.
        protocol: Name of the protocol.
        metric: A key of `compute_metrics`.
        n: Number of resamples; None for as many of `RESAMPLES` as it takes.
        seed: Of the generator.
        level: Coverage of the interval.

    Returns:
        dict: ``difference`` (a - b), ``low``, ``high``, and ``p``, the two-sided share of resamples on the far side of 0,
        at least 1 / (n + 1). None where undefined.

    Raises:
        UsageError: The protocol has no such metric.
        ZooError: The two tables are not of the same images.
    """
    known = metrics_of(protocol)
    if metric not in known:
        raise UsageError(f"the protocol {protocol} has no metric {metric!r}; choose one of {', '.join(known)}")
    a, b = (_Resampled(counts, protocol, known[metric], seed) for counts in (counts_a, counts_b))
    if not np.array_equal(a.known, b.known):
        raise ZooError("a paired comparison needs the same images in the same order in both tables")
    side = (1 - level) / 2
    gaps, tail = np.zeros(0), 0
    for number in RESAMPLES if n is None else [n]:
        gaps = a.figures(number) - b.figures(number)
        gaps = gaps[~np.isnan(gaps)]
        if np.isnan(a.whole - b.whole) or len(gaps) == 0:
            return {"difference": None, "low": None, "high": None, "p": None}
        tail = int(min(np.count_nonzero(gaps <= 0), np.count_nonzero(gaps >= 0)))
        if abs(tail / len(gaps) - side) > luck(len(gaps), level):
            break
    low, high = _interval(gaps, level)
    return {
        "difference": a.whole - b.whole,
        "low": low,
        "high": high,
        "p": min(1.0, 2 * (tail + 1) / (len(gaps) + 1)),
    }


def luck(n: int, level: float = 0.95) -> float:
    """By how much the share of n resamples beyond an end of an interval may be off: three standard errors."""
    side = (1 - level) / 2
    return STANDARD_ERRORS * math.sqrt(side * (1 - side) / n)


def ratio_ci(
    numerators: Floats | Ints, denominators: Floats | Ints, *, n: int = 1000, seed: int = 0, level: float = 0.95
) -> list[Interval]:
    """Percentile intervals of ratios of sums, such as Pd of the targets of one size.

    Arguments:
        numerators, denominators (np.ndarray): (N, K), by image and ratio.
        n: Number of resamples of the images, with replacement.
        seed: Of the generator.
        level: Coverage, between 0 and 1.

    Returns:
        list[tuple]: K (low, high), (None, None) where every resample has a denominator of 0; resamples that do are left out.
    """
    weights = np.concatenate(list(_chunks(len(numerators), n, seed)))
    ratios = ratio(weights @ np.asarray(numerators, np.float64), weights @ np.asarray(denominators, np.float64))
    return [_interval(values, level) for values in ratios.T]


class _Resampled:
    """One metric of one table of counts: ``whole``, and the `figures` of resamples."""

    def __init__(self, counts: CountTable, protocol: str, metric: Metric, seed: int):
        columns = count_columns(counts, protocol, (*metric.counts, "targets"))
        self.known = columns["pixels"], columns[protocol_rule(protocol).prefix + "targets"]  # whatever the method
        self.table = tuple(columns), np.stack(list(columns.values())).tobytes(), protocol, metric
        self.seed = seed
        self.whole = float(_weighted(*self.table, [np.ones((1, len(columns["pixels"])))])[0])

    def figures(self, n: int) -> Floats:
        return _figures(*self.table, n, self.seed)


@lru_cache(maxsize=KEPT_FIGURES)
def _figures(names: tuple[str, ...], table: bytes, protocol: str, metric: Metric, n: int, seed: int) -> Floats:
    """A metric in n resamples: (n,) float64. It takes the bytes of the columns, so as to be kept by what they are."""
    images = len(table) // (8 * len(names))
    return _weighted(names, table, protocol, metric, _chunks(images, n, seed))


def _weighted(names: tuple[str, ...], table: bytes, protocol: str, metric: Metric, chunks: Iterable[Floats]) -> Floats:
    columns = dict(zip(names, np.frombuffer(table).reshape(len(names), -1), strict=True))
    return metric.of(weighted_sums(columns, protocol, chunks), protocol_rule(protocol))


def _chunks(images: int, n: int, seed: int) -> Iterator[Floats]:
    """How often each image is drawn in n resamples, some at a time: (C, images) float64, whose rows add up to `images`."""
    for start, weights in zip(range(0, n, CHUNK), _draws(images, seed), strict=False):
        yield weights[: n - start].astype(np.float64)


class _Draws:
    """Endless chunks of resamples, of which the first are kept."""

    def __init__(self, images: int, seed: int):
        self.images, self.generator = images, np.random.default_rng(seed)
        self.kept: list[Levels] = []
        self.room = KEPT_BYTES // (CHUNK * max(images, 1))

    def __iter__(self) -> Iterator[Levels]:
        for place in range(self.room):
            if place == len(self.kept):
                self.kept.append(self._draw(self.generator))
            yield self.kept[place]
        generator = deepcopy(self.generator)
        while True:
            yield self._draw(generator)

    def _draw(self, generator: np.random.Generator) -> Levels:
        """(CHUNK, images) uint8: that one of hundreds of images is drawn 256 times has a chance of 1 in 10^500."""
        if self.images == 0:
            return np.zeros((CHUNK, 0), np.uint8)
        drawn = generator.integers(0, self.images, (CHUNK, self.images), dtype=np.int32)
        drawn += (np.arange(CHUNK, dtype=np.int32) * self.images)[:, None]
        return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.uint8)


_draws = lru_cache(maxsize=KEPT_SETS)(_Draws)


def _interval(values: Floats, level: float) -> Interval:
    """Central percentile interval of the values that are not NaN."""
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
