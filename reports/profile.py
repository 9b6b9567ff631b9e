"""The speed of methods as a table."""

from collections.abc import Sequence
from typing import Any

from irsam_zoo.reports.markdown import markdown_table

HEAD = (
    "Method",
    "Size",
    "ms",
    "Quartiles",
    "FPS",
    "Network ms",
    "Best batch",
    "FPS",
    "Params (M)",
    "MACs (G)",
    "FLOPs (G)",
    "MiB",
)


def to_markdown(profiles: Sequence[Any], not_counted: str) -> str:
    """Markdown text of `engine.profile_table.Profile`s: how they were measured, and a line each.

    Arguments:
        profiles: In the order of the lines.
        not_counted: What FLOPs leave out.
    """
    lines: list[tuple[str, ...]] = [HEAD]
    told: list[str] = []
    for profile in profiles:
        lines.append(_line(profile))
        told += _remarks(profile)
    speeds = [profile.speed for profile in profiles if profile.speed]
    if speeds:
        first = speeds[0]
        threads = f", {first.threads} thread{'s' * (first.threads > 1)}" * (first.device == "cpu")
        told.append(
            f"{first.processor}{threads}, {first.dtype}. Milliseconds are the median and the quartiles of single images, from "
            "the grey image to the score map, after a warm-up; those of the network are without pre- and post-processing. A "
            f"MAC is two FLOPs; {not_counted} are not counted. MiB are what PyTorch had in use on the GPU at most."
        )
    return "\n".join([markdown_table(lines), *told]) + "\n"


def _line(profile: Any) -> tuple[str, ...]:
    speed, params = profile.speed, profile.num_parameters
    if speed is None:
        return (profile.method, str(profile.size), "failed", *[""] * (len(HEAD) - 3))
    return (
        profile.method,
        str(profile.size),
        _milliseconds(speed.seconds_an_image),
        f"{_milliseconds(speed.lower_quartile)} to {_milliseconds(speed.upper_quartile)}",
        f"{speed.fps:.3g}",
        _milliseconds(speed.network_seconds),
        str(profile.batch),
        f"{profile.batch_fps:.3g}",
        f"{params / 1e6:.2f}" if params else "",
        f"{speed.flops / 2e9:.2f}" if speed.flops else "",
        f"{speed.flops / 1e9:.2f}" if speed.flops else "",
        f"{speed.memory / 2**20:.0f}" if speed.memory else "",
    )


def _remarks(profile: Any) -> list[str]:
    """Sentences on what is odd about one of the lines."""
    if profile.speed is None:
        return [f"{profile.method} at {profile.size}: {profile.reason}.\n"]
    if not profile.speed.quiet:
        return [f"{profile.method} at {profile.size}: other programs had the processor for a part of the time.\n"]
    return []


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1e3 * seconds:.3g}"
