"""One cell: score what is not scored yet, then make the row."""

from dataclasses import replace
from pathlib import Path

from datasets.fingerprint import combine
from datasets.splits import list_splits, read_split
from engine.cell import cell_dataset, cell_detector
from engine.code_version import code_version
from engine.executors import unordered
from engine.profiling import speed_of
from engine.rows import in_batches, make_row, recut_records
from engine.scoring import score_images
from engine.training.provenance import code_commit, overlap
from results.record import ImageFailure
from results.row import Status
from results.score_map import AboutScores, write_about
from zoo import ZooError
from zoo.checkpoints import sha256_file
from zoo.neural import NeuralDetector


def pixel_digests(dataset):
    """Digest of each readable image with its label, by id. An unreadable one is left to the scoring to report."""
    return {image_id: " ".join(look.digests) for image_id, look in dataset.looks().items() if look}


def cell_key(cell):
    """All that the stored records of a cell depend on, besides the pixels of each image."""
    detector = cell_detector(cell)
    options = {"type": cell.method_options["type"], **detector.parameters}  # those that a checkpoint brought among them
    files = {name: sha256_file(value) for name, value in options.items() if isinstance(value, str) and Path(value).is_file()}
    return {
        "method": options,
        "files": files,  # a checkpoint, an mmsegmentation configuration: their content besides their path
        "code": code_version(type(detector).__module__, score_images.__module__),
        "dataset": cell.dataset,
        "split": cell.split,
        "device": cell.device,
        "metric_size": cell.metric_size,
    }


def evaluate(cell, store, pool, digests, *, limit=None, fresh=False, allow_overlap=False, on_image=lambda: None):
    """Run one cell to its end, from wherever an earlier run left it.

    Arguments:
        cell (Cell): What to run.
        store (ResultStore): Where the journal and the row go.
        pool: Executor for classical methods. Networks run in this process, and on CUDA so does every method that batches.
        digests: `pixel_digests` of the data set.
        limit: Score only the first images of the split.
        fresh: Score again what is already in the journal.
        allow_overlap: Score weights on images that they were trained on; the row says so.
        on_image: Called once for each image that is done.

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
    seen = overlap(detector.weights.metadata, dataset) if isinstance(detector, NeuralDetector) and detector.weights else []
    if seen and not allow_overlap:
        raise ZooError(
            f"{len(seen)} of the {len(dataset)} test images, {seen[0]} among them, were in the training list of "
            f"{detector.weights.path}; train on this split, or say --allow-overlap"
        )

    key = cell_key(cell)
    journal = store.journal(cell.dataset, cell.split, cell.method)
    stored = {} if fresh else journal.read(key)
    # What is not asked for now stays in the journal, unless its image is another one now.
    good = {i: record for i, record in stored.items() if digests.get(i, record.pixels) == record.pixels}
    done = {i: good[i] for i in ids if i in good and i in digests and _saved(cell, good[i])}
    todo = [index for index, image_id in enumerate(ids) if image_id not in done]
    for _ in range(len(ids) - len(todo)):
        on_image()
    if cell.scores is not None:
        write_about(cell.score_folder, AboutScores(detector.score_kind, str(detector.threshold)))
    speed = _kept_speed(store.row(cell.dataset, cell.split, cell.method), key, fresh)
    if speed is None and ids:
        speed = speed_of(cell, len(ids)) if in_batches(cell, detector) else pool.alone(speed_of, cell, len(ids))
    errors = {}
    with journal.writer(key, good.values()) as append:
        for record in _score(cell, detector, todo, pool):
            on_image()
            if isinstance(record, ImageFailure):
                errors[record.id] = record.error
            else:
                append(record)
                done[record.id] = record

    records = [done[image_id] for image_id in ids if image_id in done]
    status, reason = Status.OK, None
    if errors:
        first = next(image_id for image_id in ids if image_id in errors)
        status, reason = Status.FAILED, f"{len(errors)} of {len(ids)} images, first {first}: {errors[first]}"
    key |= {"data": combine((record.id, record.pixels) for record in records)}
    if detector.threshold.oracle:  # the cut is known now
        records = recut_records(records, detector.threshold, detector.score_kind)
    row = make_row(cell, detector, records, n_split=len(dataset), status=status, reason=reason, speed=speed)
    row = replace(row, key=key, trained_on_test=len(seen), own_split=own_split(dataset), code=code_commit())
    row = replace(row, data_notes=tuple(dataset.notes))
    return store.write_row(row, records)


def _kept_speed(row, key, fresh):
    """The speed of an earlier row of the same method, device and data set, with the processor that it was measured on."""
    return row.speed if row is not None and row.journal_key == key and not fresh else None


def _score(cell, detector, indices, pool):
    """Records of the images at these positions, as they become ready."""
    if in_batches(cell, detector):
        for start in range(0, len(indices), detector.batch_size):
            yield from score_images(cell, indices[start : start + detector.batch_size])
        return
    for records in unordered(pool, score_images, ((cell, [index]) for index in indices)):
        yield from records


def _saved(cell, record):
    """Whether the mask and the score map that are asked for are there and were written with this record."""
    asked = []
    if cell.predictions is not None:
        asked.append((record.saved, cell.prediction_path(record.id)))
    if cell.scores is not None:
        asked.append((record.saved_scores, cell.score_path(record.id)))
    return all(saved == str(path) and path.is_file() for saved, path in asked)


def own_split(dataset):
    """Whether the images are neither those of a split that comes with the data set nor of the package's list of this name."""
    known = dataset.split in list_splits(dataset.name)
    listed = known and read_split(dataset.name, dataset.split, "test") == list(dataset.ids)
    return dataset.split not in dataset.offered and not listed


def _training_options(cell):
    """What a command that trains the cell's network has to say besides method and data set."""
    options = {"--split": cell.lists if cell.lists != "irsam" else None, "--data-root": cell.root}
    options["--plugin"] = " ".join(cell.plugins)
    return "".join(f" {name} {value}" for name, value in options.items() if value)
