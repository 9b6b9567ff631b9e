"""The work folder of a training run: whose it is, what it saved, and whether it is done."""

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.results.files import write_atomic
from irsam_zoo.training.hooks import LossTableHook
from irsam_zoo.zoo import UsageError
from irsam_zoo.zoo.durable import written_whole
from irsam_zoo.zoo.specs import method_config
from irsam_zoo.zoo.weights.header import read_header

if TYPE_CHECKING:
    from irsam_zoo.training.train import TrainOptions


def last_state(work_dir: str | Path) -> Path | None:
    """The state that a run in this folder saved last, or None."""
    note = Path(work_dir) / "last_checkpoint"  # mmengine's
    if not note.is_file():
        return None
    # The note has the path that the folder had then; it may have been moved or copied since.
    named = Path(work_dir, Path(note.read_text(errors="replace").strip().replace("\0", "?")).name)
    if named.is_file():
        return named
    # A kill while the note was written, after the state: the state with the most iterations is the last.
    states = {
        int(path.stem.removeprefix("iter_")): path for path in Path(work_dir).glob("iter_*.pth") if path.stem[5:].isdigit()
    }
    return states[max(states)] if states else None


def work_folder(options: "TrainOptions", dataset: IRSTDDataset, seed: int | None = None) -> Path:
    """The work folder of a run of a method on a data set: that of the options, else one named after the run."""
    if options.out:
        return Path(options.out)
    name, _ = method_config(options.method)
    schedule = f"budget-{options.budget:.0f}s" if options.schedule == "budget" else options.schedule
    seed = options.seed or 0 if seed is None else seed
    return Path("work_dirs/train", f"{name}_{dataset.name}_{dataset.split}_{schedule}_{seed}")


def drop_states(work_dir: str | Path) -> None:
    """Delete what a run saved to resume from: of a large network, hundreds of megabytes."""
    for path in [*Path(work_dir).glob("*.pth"), Path(work_dir) / "last_checkpoint"]:
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder and those above it; UsageError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be made a folder ({error.strerror}); name another") from None


def finished_run(work_dir: Path, checkpoints: Path, metadata: dict[str, Any], *, copy: bool) -> Path | None:
    """The checkpoint that this very run left behind, or None.

    Arguments:
        work_dir (Path): The work folder.
        checkpoints (Path): Where checkpoints are wanted now; one that lies elsewhere is copied there, with its losses.
        metadata: Of the run, as `training.provenance.checkpoint_metadata` gives it.
        copy: Whether this process copies.
    """
    note = work_dir / "checkpoint"
    if not note.is_file():
        return None
    left = Path(os.fsdecode(note.read_bytes()))
    path = checkpoints / left.name
    for found in (path, left):
        if _comparable(read_header(found)) == _comparable(metadata):
            if found is left and copy:
                _copy(left, path)
                shutil.copyfile(work_dir / LossTableHook.name, path.with_suffix(".csv"))
            return path
    return None


def claim(work_dir: Path, metadata: dict[str, Any]) -> None:
    """Note whose the work folder is.

    Raises:
        UsageError: It holds a state of another run.
    """
    note, text = work_dir / "run.json", _comparable(metadata)
    if note.is_file() and note.read_bytes() != text.encode() and last_state(work_dir):
        try:
            difference = _difference(json.loads(note.read_bytes()), json.loads(text))
        except (ValueError, RecursionError):
            difference = f"{note} is damaged, and tells not which"
        raise UsageError(f"{work_dir} holds another run ({difference}); delete it, or name another folder by --out")
    write_atomic(note, text)


def _copy(source: Path, target: Path) -> None:
    """Copy a file so that the target is whole whenever it is there."""
    with written_whole(target) as (partial,):
        shutil.copyfile(source, partial)


def _comparable(metadata: dict[str, Any]) -> str:
    """Metadata as text, less the commit: a run may go on after a commit that leaves the method's code as it was."""
    return json.dumps({key: value for key, value in metadata.items() if key != "code"}, indent=1, sort_keys=True)


def _difference(old: Any, new: Any, name: str = "") -> str:
    """The first entry in which two runs differ, with its values where they are short."""
    if isinstance(old, dict) and isinstance(new, dict):
        key = min(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        return _difference(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))
    values = f"{json.dumps(old)} there, {json.dumps(new)} here"
    return f"{name}: {values}" if len(values) < 80 else f"another {name}"
