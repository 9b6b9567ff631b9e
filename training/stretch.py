"""A stretch of a queue on another machine: its folder is packed here, run there, and what it leaves is collected here.

The folder holds this project's code, the training images of the entries that wait, what was begun, and the queue.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from irsam_zoo import PROGRAM, ROOT
from irsam_zoo.datasets import FolderDataset, IRSTDDataset, build_dataset
from irsam_zoo.results.files import write_atomic, write_json
from irsam_zoo.runtime.commit import COMMIT, code_commit
from irsam_zoo.training.queue import WORK, Entry, job_folder, read_queue, run_queue, waiting
from irsam_zoo.training.train import TrainOptions
from irsam_zoo.training.travel import LARGEST, join_files, pack_run, split_file, unpack_run
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.terminal import say

MOST = 64 << 20  # bytes of a packed folder
QUEUE, OPTIONS, DATA, STATES, WEIGHTS = "queue.txt", "options.json", "data", "states", "weights"
CARRIED = ("split", "select", "amp", "half", "recipe")  # of the options, what holds on any machine
NO_CODE = {"tests", "docs", "checkpoints"}
NO_ROOM = {Path("reports", name) for name in ("results", "times", "studies", "report")}  # rows, not code


def pack(
    folder: str | Path,
    queue: str | Path,
    options: TrainOptions,
    *,
    with_data: bool = True,
    most: int = MOST,
    report: Callable[[str], None] = say,
) -> None:
    """Write a folder from which a stretch runs on another machine that has the dependencies alone.

    Arguments:
        folder: A new one.
        queue: Queue file.
        options (TrainOptions): As `training.queue.run_queue` has them here; those in `CARRIED` go along.
        with_data: Whether the training images go along; else the other machine needs a root of data sets.
        most: Bytes that the folder may have; data sets beyond that go into folders beside it, ``folder-2`` and so on, which are
            brought beside it on the other machine too.
        report: Called with a line of text.

    Raises:
        UsageError: The folder is there already, no entry waits, or one cannot go along.
        ZooError: A data set alone would be too large, or it cannot be carried as it is.
    """
    folder = Path(folder)
    if folder.exists():
        raise UsageError(f"{folder} is there already; name a new folder, or delete it")
    todo, failures = waiting(read_queue(queue), options)
    for entry, error in failures.items():
        report(f"{entry}: left out, {error}")
    if not todo:
        raise UsageError(f"{queue} has no entry to train: all others are done")
    partial = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _pack_code(partial)
        write_atomic(partial / QUEUE, "".join(f"{entry}\n" for entry in todo))
        write_json(partial / OPTIONS, {name: getattr(options, name) for name in CARRIED})
        for entry, (job, _) in todo.items():
            work = job_folder(job)
            reason = pack_run(work, partial / STATES / work.name)
            if reason and work.is_dir():
                report(f"{entry}: begun here, and does not go along: {reason}")
        if with_data:
            for dataset in {dataset.name: dataset for _, dataset in todo.values()}.values():
                _pack_images(dataset, partial / DATA)
        folders = _spread(partial, folder, most)
        for place, made in folders.items():
            made.replace(place)
    finally:
        for made in (partial, *partial.parent.glob(f"{partial.name}-*")):
            shutil.rmtree(made, ignore_errors=True)
    report(f"{len(todo)} entries in {', '.join(f'{place} ({_size(place) / 2**20:.1f} MiB)' for place in folders)}")


def _spread(partial: Path, folder: Path, most: int) -> dict[Path, Path]:
    """Move data sets that are too much for one folder into others beside it, as large as may be brought at once.

    Returns:
        dict[Path, Path]: Each folder's name, and where it lies so far.

    Raises:
        ZooError: A data set, or what is no data, is too much alone.
    """
    folders, room = {folder: partial}, most - _size(partial) + _size(partial / DATA)
    sets = sorted((partial / DATA).glob("*"), key=_size, reverse=True)
    large = next((place for place in sets if _size(place) > most), partial if room < 0 else None)
    if large is not None:
        name, sizes = large.name if large in sets else folder, (_size(large) / 2**20, most / 2**20)
        raise ZooError(
            f"{name} alone has {sizes[0]:.1f} MiB, more than {sizes[1]:.0f}; "
            "put the data sets on the other machine and say --without-data, or take a queue of fewer entries"
        )
    for place in sets:
        size = _size(place)
        if size > room:
            further = folder.with_name(f"{folder.name}-{len(folders) + 1}")
            if further.exists():
                raise UsageError(f"{further} is there already; name a new folder, or delete it")
            folders[further] = partial.with_name(f"{partial.name}-{len(folders) + 1}")
            room = most
        *_, last = folders.values()
        if last != partial:
            (last / DATA).mkdir(parents=True, exist_ok=True)
            place.rename(last / DATA / place.name)
        room -= size
    return folders


def run_stretch(
    folder: str | Path,
    out: str | Path,
    *,
    device: str,
    time_limit: float | None,
    data_root: str | None = None,
    report: Callable[[str], None] = say,
) -> dict[Entry, str]:
    """Train the queue of a packed folder, and leave in another one, after each entry, what is to be carried home.

    Arguments:
        folder: The packed folder. Its own work folders and weights are made in it.
        out: Folder for weights, in parts of at most `training.travel.LARGEST` bytes, and for begun trainings.
        device: ``"cpu"`` or ``"cuda"``.
        time_limit: Seconds of the stretch, or None.
        data_root: Root of the data sets, where the packed one has none or others are wanted.
        report: Called with a line of text.

    Returns:
        dict[Entry, str]: What went wrong.
    """
    folder, out = Path(folder), Path(out)
    try:
        carried = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
        entries = read_queue(folder / QUEUE)
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} is no packed folder ({error}); make one with: {PROGRAM} stretch pack") from None
    for place in sorted(folder.parent.glob(f"{folder.name}-*/{DATA}/*")):  # of a folder that was too much to be brought at once
        if not (folder / DATA / place.name).exists():
            (folder / DATA).mkdir(exist_ok=True)
            place.rename(folder / DATA / place.name)
    work = folder / WORK
    for state in sorted((folder / STATES).glob("*")):
        unpack_run(state, work / state.name)
    root = data_root or (str(folder / DATA) if (folder / DATA).is_dir() else None)
    places = dict(out=str(work), checkpoints=str(folder / "checkpoints"), data_root=root)
    first = entries[0]
    options = TrainOptions(
        method=first.network, dataset=first.dataset, device=device, time_limit=time_limit, **places, **carried
    )

    def bring_home(job: TrainOptions, weights: Path | None) -> None:
        work = job_folder(job)
        name = work.name
        if weights is None:
            reason = pack_run(work, out / STATES / name)
            if reason:
                report(f"{name}: cannot be gone on with elsewhere: {reason}")
            return
        for path in (weights, weights.with_suffix(".csv")):
            split_file(path, out / WEIGHTS)
        shutil.rmtree(out / STATES / name, ignore_errors=True)

    return run_queue(entries, options, report=report, largest_state=LARGEST, after=bring_home)


def collect(
    out: str | Path, *, checkpoints: str | Path, work: str | Path | None = None, report: Callable[[str], None] = say
) -> list[str]:
    """Put what `run_stretch` left where training on this machine finds it.

    Arguments:
        out: The folder that the stretch wrote to.
        checkpoints: Folder for the weights.
        work: Folder of work folders (default: `training.queue.WORK`).
        report: Called with a line of text.

    Returns:
        list[str]: What could not be taken over.

    Raises:
        UsageError: The folder holds nothing of a stretch.
    """
    out = Path(out)
    if not any((out / kind).is_dir() for kind in (WEIGHTS, STATES)):
        raise UsageError(f"{out} holds neither {WEIGHTS}/ nor {STATES}/ of a stretch; name the folder that it wrote to")
    joined, faults = join_files(out / WEIGHTS, checkpoints)
    for path in joined:
        report(str(path))
    for state in sorted((out / STATES).glob("*")):
        target = Path(work or WORK, state.name)
        try:
            report(f"{target}{'' if unpack_run(state, target) else ' is as far already, and stays'}")
        except ZooError as error:
            faults.append(str(error))
    return faults


def _pack_code(target: Path) -> None:
    """Copy this project's code and configurations, with its commit."""
    for place in sorted(ROOT.iterdir()):
        if place.suffix == ".py" and place.is_file():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, target / place.name)
        elif place.name not in NO_CODE and ((place / "__init__.py").is_file() or place.name == "configs"):
            shutil.copytree(place, target / place.name, ignore=_no_code)
    write_atomic(target / COMMIT, code_commit() or "")


def _no_code(folder: str, names: list[str]) -> list[str]:
    inside = Path(folder).relative_to(ROOT)
    return [name for name in names if name == "__pycache__" or inside / name in NO_ROOM]


def _pack_images(dataset: IRSTDDataset, root: Path) -> None:
    """Copy the training images and masks of a data set, smaller where they stay the same to the pixel and in every note."""
    members = getattr(dataset, "members", {dataset.name: dataset})
    files = [member for member in members.values() if isinstance(member, FolderDataset)]
    if any(member.own for member in files):
        raise UsageError(f"{dataset.name} is a folder of your own; only data sets with a name are packed: say --without-data")
    for shrink in (True, False):
        for member in files:
            for kind, path_of in ("images", member.image_path), ("masks", member.mask_path):
                for id in member.ids:
                    source = path_of(id)
                    path = root / member.location.folder.name / kind / source.relative_to(getattr(member.location, kind))
                    if shrink and path.is_file():  # of a union that holds the set
                        continue
                    path.parent.mkdir(parents=True, exist_ok=True)
                    data = source.read_bytes()
                    path.write_bytes((shrink and _smaller(data)) or data)
        packed = build_dataset(dataset.name, root=str(root) if files else None, split=dataset.split, subset="train")
        if (packed.fingerprint(), packed.notes) == (dataset.fingerprint(), dataset.notes):
            return
    raise ZooError(f"the training images of {dataset.name} are read otherwise without its other files; say --without-data")


def _smaller(data: bytes) -> bytes | None:
    """The bytes of a PNG with the same 8-bit grey levels, if there is one that is smaller; else None."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8:
        return None
    if pixels.ndim == 3:
        if pixels.shape[2] != 3 or (pixels != pixels[..., :1]).any():
            return None
        pixels = np.ascontiguousarray(pixels[..., 0])
    strategies = cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY, cv2.IMWRITE_PNG_STRATEGY_RLE  # of noise, smallest and fast
    options = [(cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, strategy) for strategy in strategies]
    best = min((cv2.imencode(".png", pixels, option)[1].tobytes() for option in options), key=len)
    return best if len(best) < len(data) else None


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in [place, *place.rglob("*")] if path.is_file())
