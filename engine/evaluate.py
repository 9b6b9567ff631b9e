"""One cell: score what is not scored yet, then make the row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from irsam_zoo.datasets import IRSTDDataset
from irsam_zoo.datasets.fingerprint import combine
from irsam_zoo.datasets.leaks import overlap
from irsam_zoo.datasets.remarks import cut_remarks
from irsam_zoo.datasets.splits import list_splits, read_split
from irsam_zoo.engine.cell import Cell, cell_dataset, cell_detector, network_of
from irsam_zoo.engine.profiling import speed_of
from irsam_zoo.engine.rows import make_row
from irsam_zoo.engine.scoring import score_images
from irsam_zoo.results.code_version import READING_AND_COUNTING, code_version, library_versions
from irsam_zoo.results.record import ImageFailure, ImageRecord
from irsam_zoo.results.recut import recut_records
from irsam_zoo.results.row import Row, Speed, Status
from irsam_zoo.results.score_map import AboutScores, write_about
from irsam_zoo.results.store import ResultStore
from irsam_zoo.runtime.commit import code_commit
from irsam_zoo.runtime.executors import ENDS_OF_WORKERS, Pool, unordered
from irsam_zoo.runtime.hardware import computing_threads
from irsam_zoo.zoo import ZooError
from irsam_zoo.zoo.detector import FLOAT32, Detector
from irsam_zoo.zoo.reading import sha256_file

MOST_LEFT_OUT = 100  # images that a row names
MOST_COSTLY = 3  # failures that took all of their time or a worker with them, before an image is scored


def pixel_digests(dataset: IRSTDDataset) -> dict[str, str]:
    """Digest of each readable image with its label, by id. An unreadable one is left to the scoring to report."""
    return {image_id: " ".join(look.digests) for image_id, look in dataset.looks().items() if look}


def cell_key(cell: Cell) -> dict[str, Any]:
    """All that the stored records of a cell depend on, besides the pixels of each image."""
    detector = cell_detector(cell)
    options = {"type": cell.method_options["type"], **detector.parameters}  # those that a checkpoint brought among them
    threads = {"threads": computing_threads()} if detector.scores_in_batches and cell.device == "cpu" else {}
    network = network_of(detector)
    tensors = {"tensors": network.tensors_digest()} if network else {}
    precision = {"precision": detector.precision} if detector.precision != FLOAT32 else {}
    files = {name: sha256_file(value) for name, value in options.items() if isinstance(value, str) and Path(value).is_file()}
    return {
        "method": options,
        "files": files,  # a checkpoint, an mmsegmentation configuration: their content besides their path
        "code": cell_code_version(detector),
        "dataset": cell.dataset,
        "split": cell.split,
        "device": cell.device,
        "metric_size": cell.metric_size,
        "libraries": library_versions(type(detector).__module__, network=network is not None),
        **tensors,
        **precision,
        **threads,  # sums of networks round by them; workers have one
    }


def cell_code_version(detector: Detector) -> str:
    """`code_version` of a detector and its threshold policy, with what reads and counts."""
    classes = [cls for cls in type(detector).__mro__ if cls is not object] + [type(detector.threshold)]
    return code_version(type(detector).__module__, *(cls.__module__ for cls in classes), *READING_AND_COUNTING)


def _untold(images: int = 1, stored: bool = False) -> None:
    """Tell nobody that images are done."""


def evaluate(
    cell: Cell,
    store: ResultStore,
    pool: Pool,
    digests: Mapping[str, str],
    *,
    limit: int | None = None,
    fresh: bool = False,
    allow_overlap: bool = False,
    on_image: Callable[..., None] = _untold,
) -> Row:
    """Run one cell to its end, from wherever an earlier run left it.

    Arguments:
        cell (Cell): What to run.
        store (ResultStore): Where the journal and the row go.
        pool: Executor for classical methods. Networks run in this process, and on CUDA so does every method that batches.
        digests: `pixel_digests` of the data set.
        limit: Score only the first images of the split.
        fresh: Score again what is already in the journal.
        allow_overlap: Score weights on images that they were trained on; the row says so.
        on_image: Called with a number of images that are done, of which ``stored=True`` says that they were before; by default
            with the next one.

    Returns:
        Row: Stored as JSON and CSV as well.
    """
    dataset, detector = cell_dataset(cell), cell_detector(cell)
    ids = dataset.ids[:limit]
    missing = detector.unavailable()
    if missing is not None:
        reason = missing.format(method=cell.spec, dataset=cell.source, options=_training_options(cell))
        row = make_row(cell, detector, [], n_split=len(dataset), status=Status.NO_CHECKPOINT, reason=reason)
        return store.write_row(row, [])
    weights = detector.weights
    seen = overlap(weights.metadata, dataset) if weights else []
    if weights and seen and not allow_overlap:
        raise ZooError(
            f"{len(seen)} of the {len(dataset)} test images, {seen[0]} among them, were in the training list of "
            f"{weights.path}; train on this split, or say --allow-overlap"
        )

    key = cell_key(cell)
    journal = store.journal(cell.dataset, cell.split, cell.method)
    begun = None if fresh else journal.read_anew(key)  # by a run with --fresh that was ended
    stored = journal.read_all(key) if begun is None else begun
    good = {record.id: record for record in stored if digests.get(record.id) == record.pixels}
    done = {i: good[i] for i in ids if not fresh and i in good and _saved(cell, good[i])}
    todo = [index for index, image_id in enumerate(ids) if image_id not in done]
    # What is not asked for now stays, be it of images that are others now. What is comes last, and so counts as the latest.
    again = {id(good[i]) for i in ids if i in good and (fresh or i in done)}
    kept = [*(record for record in stored if id(record) not in again), *done.values()]
    on_image(len(done), stored=True)
    if cell.scores is not None:
        write_about(cell.score_folder, AboutScores(detector.score_kind, str(detector.threshold)))
    speed = _kept_speed(store.row(cell.dataset, cell.split, cell.method), key, fresh)
    if speed is None and ids:
        speed = speed_of(cell, len(ids)) if detector.scores_in_batches else _speed_in(pool, cell, len(ids))
    errors, costly = {}, 0
    with journal.writer(key, kept, anew=fresh or begun is not None) as append:
        for record in _score(cell, detector, todo, pool):
            if isinstance(record, ImageFailure):
                errors[record.id] = record.error
                costly += record.costly
                if costly == MOST_COSTLY and not done:
                    if not detector.scores_in_batches:
                        pool.restart()  # others of its images are under way
                    raise ZooError(f"given up after {costly} images, the last of them {record.id}: {record.error}")
            else:
                append(record)
                done[record.id] = record
            on_image()

    records = [done[image_id] for image_id in ids if image_id in done]
    status, reason = Status.OK, None
    if errors:
        first = next(image_id for image_id in ids if image_id in errors)
        reason = f"{len(errors)} of {len(ids)} images{' left out' if records else ''}, first {first}: {errors[first]}"
        status = Status.INCOMPLETE if records else Status.FAILED
    key |= {"data": combine((record.id, record.pixels) for record in records)}
    if detector.threshold.oracle:  # the cut is known now
        records = recut_records(records, detector.threshold, detector.score_kind)
    row = make_row(cell, detector, records, n_split=len(dataset), status=status, reason=reason, speed=speed)
    row = replace(row, key=key, trained_on_test=len(seen), own_split=own_split(dataset), code=code_commit())
    left_out = {image_id: errors[image_id] for image_id in ids if image_id in errors}
    cut = cut_remarks([record.counts["predicted_pixels"] / record.counts["pixels"] for record in records])
    notes = (*dataset.notes, *(remark.text for remark in cut))
    row = replace(row, data_notes=notes, left_out=dict(islice(left_out.items(), MOST_LEFT_OUT)))
    return store.write_row(row, records)


def _kept_speed(row: Row | None, key: Mapping[str, Any], fresh: bool) -> Speed | None:
    """The speed of an earlier row of the same method, device and data set, with the processor that it was measured on."""
    return row.speed if row is not None and row.journal_key == key and not fresh else None


def _score(cell: Cell, detector: Detector, indices: Sequence[int], pool: Pool) -> Iterator[ImageRecord | ImageFailure]:
    """Records of the images at these positions, as they become ready."""
    if detector.scores_in_batches:
        for start in range(0, len(indices), detector.batch_size):
            yield from score_images(cell, indices[start : start + detector.batch_size])
        return
    ids = cell_dataset(cell).ids

    def on_death(task, how):
        return [ImageFailure(ids[index], how, costly=True) for index in task[1]]

    for records in unordered(pool, score_images, ((cell, [index]) for index in indices), on_death):
        yield from records


def _speed_in(pool: Pool, cell: Cell, number: int) -> Speed | None:
    """`speed_of` in a worker; None where the worker does not survive it, which the scoring will tell."""
    try:
        return pool.alone(speed_of, cell, number)
    except ENDS_OF_WORKERS:
        pool.restart()
        return None


def _saved(cell: Cell, record: ImageRecord) -> bool:
    """Whether the mask and the score map that are asked for are those that were written with this record."""
    asked = []
    if cell.predictions is not None:
        asked.append((record.saved_sha256, cell.prediction_path(record.id)))
    if cell.scores is not None:
        asked.append((record.saved_scores_sha256, cell.score_path(record.id)))
    return all(digest is not None and path.is_file() and sha256_file(path) == digest for digest, path in asked)


def own_split(dataset: IRSTDDataset) -> bool:
    """Whether the images are neither those of a split that comes with the data set nor of the package's list of this name."""
    known = dataset.split in list_splits(dataset.name)
    listed = known and read_split(dataset.name, dataset.split, "test") == list(dataset.ids)
    return dataset.split not in dataset.offered and not listed


def _training_options(cell: Cell) -> str:
    """What a command that trains the cell's network has to say besides method and data set."""
    options = {"--split": cell.lists if cell.lists != "irsam" else None, "--data-root": cell.root}
    options["--plugin"] = " ".join(cell.plugins)
    return "".join(f" {name} {value}" for name, value in options.items() if value)
