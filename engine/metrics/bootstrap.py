"""Confidence intervals by resampling images."""

import math

import numpy as np

from engine.metrics.compute import compute_metrics, count_columns, protocol_rule, ratio, weighted_ratios
from zoo.errors import UsageError, ZooError

RESAMPLES = (1000, 10_000, 100_000)  # the next where one leaves open on which side of 0 an interval ends
STANDARD_ERRORS = 3.0  # of a share of resamples, that it may be off by chance
CHUNK = 1000  # resamples that are held at a time


def bootstrap_ci(counts, protocol="exact", *, n=1000, seed=0, level=0.95):
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
    (weights,) = _chunks(len(columns["pixels"]), n, seed, chunk=n)
    return {name: _interval(values, level) for name, values in weighted_ratios(columns, protocol, weights).items()}


def paired_bootstrap(counts_a, counts_b, protocol="exact", metric="IoU", *, n=None, seed=0, level=0.95):
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
    a, b = count_columns(counts_a, protocol), count_columns(counts_b, protocol)
    known = ("pixels", protocol_rule(protocol).prefix + "targets")  # of the image and its label, whatever the method
    if not all(np.array_equal(a[name], b[name]) for name in known):
        raise ZooError("a paired comparison needs the same images in the same order in both tables")
    whole_a, whole_b = compute_metrics(counts_a, protocol), compute_metrics(counts_b, protocol)
    if metric not in whole_a:
        raise UsageError(f"the protocol {protocol} has no metric {metric!r}; choose one of {', '.join(whole_a)}")
    side = (1 - level) / 2
    for number in RESAMPLES if n is None else [n]:
        gaps = np.concatenate(
            [
                weighted_ratios(a, protocol, weights)[metric] - weighted_ratios(b, protocol, weights)[metric]
                for weights in _chunks(len(a["pixels"]), number, seed)
            ]
        )
        gaps = gaps[~np.isnan(gaps)]
        if whole_a[metric] is None or whole_b[metric] is None or len(gaps) == 0:
            return {"difference": None, "low": None, "high": None, "p": None}
        tail = int(min(np.count_nonzero(gaps <= 0), np.count_nonzero(gaps >= 0)))
        if abs(tail / len(gaps) - side) > luck(len(gaps), level):
            break
    low, high = _interval(gaps, level)
    return {
        "difference": whole_a[metric] - whole_b[metric],
        "low": low,
        "high": high,
        "p": min(1.0, 2 * (tail + 1) / (len(gaps) + 1)),
    }


def luck(n, level=0.95):
    """By how much the share of n resamples beyond an end of an interval may be off: three standard errors."""
    side = (1 - level) / 2
    return STANDARD_ERRORS * math.sqrt(side * (1 - side) / n)


def ratio_ci(numerators, denominators, *, n=1000, seed=0, level=0.95):
    """Percentile intervals of ratios of sums, such as Pd of the targets of one size.

    Arguments:
        numerators, denominators (np.ndarray): (N, K), by image and ratio.
        n: Number of resamples of the images, with replacement.
        seed: Of the generator.
        level: Coverage, between 0 and 1.

    Returns:
        list[tuple]: K (low, high), (None, None) where every resample has a denominator of 0; resamples that do are left out.
    """
    (weights,) = _chunks(len(numerators), n, seed, chunk=n)
    ratios = ratio(weights @ np.asarray(numerators, np.float64), weights @ np.asarray(denominators, np.float64))
    return [_interval(values, level) for values in ratios.T]


def _chunks(images, n, seed, chunk=CHUNK):
    """How often each image is drawn in n resamples, some at a time: (chunk, images) float64, whose rows add up to `images`."""
    generator = np.random.default_rng(seed)
    for start in range(0, n, chunk):
        number = min(chunk, n - start)
        if images == 0:
            yield np.zeros((number, 0))
            continue
        drawn = generator.integers(0, images, (number, images), dtype=np.int32)
        drawn += (np.arange(number, dtype=np.int32) * images)[:, None]
        yield np.bincount(drawn.ravel(), minlength=number * images).reshape(number, images).astype(np.float64)


def _interval(values, level):
    """Central percentile interval of the values that are not NaN."""
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
