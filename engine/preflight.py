"""What a run was asked for, looked at before hours are spent: methods that build, and images that can be read."""

from collections.abc import Mapping

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.results.options import RunOptions
from irsam_zoo.results.store import check_name
from irsam_zoo.zoo import Threshold, UsageError, ZooError, build_method, build_threshold
from irsam_zoo.zoo.errors import FAILURES, BrokenMethodError, one_line
from irsam_zoo.zoo.specs import MethodSpec, read_method

MOST_NAMED = 10  # images that cannot be read, in a line


def read_methods(options: RunOptions, unloaded: Mapping[str, str]) -> tuple[dict[str, MethodSpec], dict[str, str]]:
    """The methods of a run. One that is there but broken leaves the others alone, unless there are no others.

    Arguments:
        options (RunOptions): The run.
        unloaded: Why plug-ins were not imported, by path: an unknown name may be of one of them.

    Returns:
        tuple[dict[str, MethodSpec], dict[str, str]]: The methods by what they were asked for by, and what is wrong with the
        broken ones of them.

    Raises:
        UsageError: A name is unknown, or masks are asked for where the cut is not known while they are written.
        ZooError: No method is whole.
    """
    methods, broken = {}, {}
    for method in options.methods:
        name = method.rpartition("/")[2].removesuffix(".py")
        try:
            methods[method] = read_method(method)
            check_name("method", methods[method].name)
            policy = _policy(methods[method], options.threshold)
        except BrokenMethodError as error:
            methods.setdefault(method, MethodSpec(name, {}))
            broken[method] = error
        except UsageError:
            if not unloaded:
                raise
            methods[method] = MethodSpec(name, {})
            broken[method] = ZooError("; ".join(unloaded.values()))
        else:
            if options.save_predictions and policy is not None and policy.oracle:
                raise UsageError(
                    f"{method}: an oracle's cut is not known while masks are written; leave out --save-predictions"
                )
        check_name("method", methods[method].name)
    if broken and len(broken) == len(methods):
        raise next(iter(broken.values()))
    return methods, {method: str(error) for method, error in broken.items()}


def unreadable(dataset: IRSTDDataset, digests: Mapping[str, str], strict: bool = False) -> list[str]:
    """What is to be told of the images of a test set that cannot be read, in lines.

    Arguments:
        dataset: An `IRSTDDataset`.
        digests: `engine.evaluate.pixel_digests` of it.
        strict: Whether one ends the run.

    Raises:
        ZooError: One cannot be read, and the run is strict.
    """
    missing = [image_id for image_id in dataset.ids if image_id not in digests]
    if not missing:
        return []
    reason = _why(dataset, missing[0])
    if strict:
        raise ZooError(f"{dataset.name}: {reason} (--strict)")
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return [f"{len(missing)} of {len(dataset)} images are left out: {', '.join(missing[:MOST_NAMED])}{more}; {reason}"]


def _why(dataset: IRSTDDataset, image_id: str) -> str:
    try:
        dataset.read(image_id)
    except FAILURES as error:
        return one_line(error)
    return f"{image_id} can be read now, and could not a moment ago"


def _policy(spec: MethodSpec, threshold: str | None) -> Threshold | None:
    """The policy of a method in this run. None where the method does not build, which its rows will tell."""
    try:
        detector = build_method(spec, weights=None)
    except UsageError:
        raise
    except FAILURES:
        return None
    return build_threshold(threshold) if threshold else detector.threshold
