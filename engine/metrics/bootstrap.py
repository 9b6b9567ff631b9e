"""Confidence intervals by resampling images."""

import numpy as np

from engine.metrics.compute import compute_metrics, count_columns, protocol_rule, ratio, weighted_ratios
from zoo.errors import UsageError, ZooError


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
    weights = _resamples(len(columns["pixels"]), n, seed)
    return {name: _interval(values, level) for name, values in weighted_ratios(columns, protocol, weights).items()}


def paired_bootstrap(counts_a, counts_b, protocol="exact", metric="IoU", *, n=1000, seed=0, level=0.95):
    """Compare two methods on the same images: both are resampled with the same images each time.

    Arguments:
        counts_a, counts_b (Sequence[dict] or pandas.DataFrame): Rows of the same images in the same order.
        protocol: Name of the protocol.
        metric: A key of `compute_metrics`.
        n: Number of resamples.
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
    weights = _resamples(len(a["pixels"]), n, seed)
    gaps = weighted_ratios(a, protocol, weights)[metric] - weighted_ratios(b, protocol, weights)[metric]
    gaps = gaps[~np.isnan(gaps)]
    if whole_a[metric] is None or whole_b[metric] is None or len(gaps) == 0:
        return {"difference": None, "low": None, "high": None, "p": None}
    low, high = _interval(gaps, level)
    tail = int(min(np.count_nonzero(gaps <= 0), np.count_nonzero(gaps >= 0)))
    return {
        "difference": whole_a[metric] - whole_b[metric],
        "low": low,
        "high": high,
        "p": min(1.0, 2 * (tail + 1) / (len(gaps) + 1)),
    }


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
    weights = _resamples(len(numerators), n, seed)
    ratios = ratio(weights @ np.asarray(numerators, np.float64), weights @ np.asarray(denominators, np.float64))
    return [_interval(values, level) for values in ratios.T]


def _resamples(images, n, seed):
    """How often each image is drawn: (n, images) float64, every row adds up to the number of images."""
    if images == 0:
        return np.zeros((n, 0))
    drawn = np.random.default_rng(seed).integers(0, images, (n, images), dtype=np.int32)
    drawn += (np.arange(n, dtype=np.int32) * images)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * images).reshape(n, images).astype(np.float64)


def _interval(values, level):
    """Central percentile interval of the values that are not NaN."""
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
