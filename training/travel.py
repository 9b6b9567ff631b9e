"""Begun trainings and weights in a form small enough to be carried from machine to machine."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from irsam_zoo.results.files import write_atomic, write_json
from irsam_zoo.training.runner import read_state
from irsam_zoo.training.work_folder import last_state
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.reading import sha256_file

LARGEST = 16 << 20  # bytes of a file that is carried
NOTES = ("plan.json", "run.json", "losses.csv", "failed.txt")  # of a work folder, all but states and mmengine's logs
ROUNDED = ".bfloat16.pth"  # the end of a state's name in that form
PARTS = ".parts.json"  # the end of the name of the note beside a file that is carried


def pack_run(work_dir: str | Path, target: str | Path, largest: int = LARGEST) -> str | None:
    """Copy what a begun training needs to go on elsewhere: its plan, what it is, its losses, and its last state.

    A state that is too large is written with the optimiser's moments in bfloat16; one that is still too large is not copied.

    Arguments:
        work_dir (Path): The work folder.
        target (Path): Where the copy goes; made, and replaced where it is there.
        largest: Bytes that the state may have.

    Returns:
        str | None: Why the state was not copied, such as that there is none; then there is no copy.
    """
    work_dir, target = Path(work_dir), Path(target)
    shutil.rmtree(target, ignore_errors=True)
    state = last_state(work_dir)
    if state is None:
        return "nothing was saved yet"
    target.mkdir(parents=True)
    for name in NOTES:
        if (work_dir / name).is_file():
            shutil.copyfile(work_dir / name, target / name)
    if state.stat().st_size <= largest:
        shutil.copyfile(state, target / state.name)
        return None
    small = target / f"{state.stem}{ROUNDED}"
    whole = read_state(state)
    torch.save(whole | {"optimizer": _converted(whole["optimizer"], torch.float32, torch.bfloat16)}, small)
    if small.stat().st_size <= largest:
        return None
    size = small.stat().st_size
    shutil.rmtree(target)
    return f"its state has {size / 2**20:.1f} MiB, more than the {largest / 2**20:.1f} that are carried"


def unpack_run(source: str | Path, work_dir: str | Path) -> bool:
    """Put a copy of `pack_run` where training looks for it. A work folder that is as far or further is left as it is.

    Returns:
        bool: Whether the work folder was written.

    Raises:
        ZooError: The copy has no state that can be read.
    """
    source, work_dir = Path(source), Path(work_dir)
    states = list(source.glob("iter_*.pth"))
    if len(states) != 1 or not _steps(states[0]):
        raise ZooError(f"{source} is no begun training: it has {len(states)} states; carry the folder again, whole")
    here = last_state(work_dir)
    if here is not None and _steps(here) >= _steps(states[0]):
        return False
    state = read_state(states[0])
    work_dir.mkdir(parents=True, exist_ok=True)
    for name in NOTES:
        (work_dir / name).unlink(missing_ok=True)
        if (source / name).is_file():
            shutil.copyfile(source / name, work_dir / name)
    target = work_dir / f"iter_{_steps(states[0])}.pth"
    if states[0].name.endswith(ROUNDED):
        state["optimizer"] = _converted(state["optimizer"], torch.bfloat16, torch.float32)
        torch.save(state, target)
    else:
        shutil.copyfile(states[0], target)
    write_atomic(work_dir / "last_checkpoint", target.name)
    return True


def split_file(path: str | Path, folder: str | Path, largest: int = LARGEST) -> None:
    """Copy a file into a folder, in parts of at most `largest` bytes, and last a note of its name, size and SHA-256."""
    path, folder = Path(path), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    with path.open("rb") as file:
        while part := file.read(largest):
            names.append(f"{path.name}.{len(names) + 1:03}")
            write_atomic(folder / names[-1], part)
    write_json(folder / f"{path.name}{PARTS}", {"name": path.name, "sha256": sha256_file(path), "parts": names})


def join_files(folder: str | Path, target: str | Path) -> tuple[list[Path], list[str]]:
    """Put together what `split_file` left in a folder.

    Returns:
        tuple[list[Path], list[str]]: The whole files in the target folder, and what is wrong with the others.
    """
    joined, faults = [], []
    for note in sorted(Path(folder).glob(f"*{PARTS}")):
        try:
            joined.append(_joined(note, Path(target)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults.append(f"{note}: its file cannot be put together ({error}); carry it again")
    return joined, faults


def _joined(note: Path, target: Path) -> Path:
    about = json.loads(note.read_text(encoding="utf-8"))
    names = [about["name"], *about["parts"]]
    if any(Path(name).name != name for name in names):
        raise ValueError("it names files elsewhere")
    data = b"".join((note.parent / name).read_bytes() for name in about["parts"])
    path = target / about["name"]
    target.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(data)
    if sha256_file(partial) != about["sha256"]:
        partial.unlink()
        raise ValueError("its SHA-256 is another")
    return partial.replace(path)


def _steps(state: str | Path) -> int:
    """The steps behind a state, by its name."""
    digits = Path(state).name.partition(".")[0].removeprefix("iter_")
    return int(digits) if digits.isdecimal() else 0


def _converted(value: Any, old: torch.dtype, new: torch.dtype) -> Any:
    """Nested plain data whose tensors of one type, but for single numbers, are of another."""
    if isinstance(value, dict):
        return {key: _converted(entry, old, new) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_converted(entry, old, new) for entry in value)
    return value.to(new) if torch.is_tensor(value) and value.dtype == old and value.numel() > 1 else value
