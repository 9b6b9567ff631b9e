"""One training run: from a method and a data set to a checkpoint."""

import itertools
import os
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, get_dist_info

from irsam_zoo import PROGRAM
from irsam_zoo.datasets import IRSTDDataset, build_dataset
from irsam_zoo.metrics.mm_metric import IRSTDMetric
from irsam_zoo.results.code_version import code_version
from irsam_zoo.results.files import locked
from irsam_zoo.runtime.executors import available_cores
from irsam_zoo.training.average import AverageHook
from irsam_zoo.training.budget import plan_steps
from irsam_zoo.training.capture import CudaGraphs
from irsam_zoo.training.data import (
    PhasedBatches,
    SeededBatches,
    TrainingSet,
    split_validation,
    training_loader,
    validation_loader,
)
from irsam_zoo.training.hooks import (
    FiniteLossHook,
    LossTableHook,
    PlainStateHook,
    ProgressHook,
    StateHook,
    StepSeedHook,
    WarmUpHook,
)
from irsam_zoo.training.loop import StepTrainLoop
from irsam_zoo.training.provenance import checkpoint_metadata
from irsam_zoo.training.recipe import Recipe, load_recipe
from irsam_zoo.training.runner import TrainingRunner, read_state, start_distributed
from irsam_zoo.training.squares import DeviceSquares, can_cut
from irsam_zoo.training.work_folder import claim, drop_states, finished_run, last_state, make_folder, work_folder
from irsam_zoo.zoo import UsageError, build_method
from irsam_zoo.zoo.neural import NeuralDetector
from irsam_zoo.zoo.specs import detector_class, method_config
from irsam_zoo.zoo.terminal import warn
from irsam_zoo.zoo.weights.known_weights import entry_named
from irsam_zoo.zoo.weights.loaded import Weights
from irsam_zoo.zoo.weights.own_files import halved, save_checkpoint

LOG_EVERY = 10  # iterations
MOST_WORKERS = 8
ONE_VALUE = "Expected more than 1 value per channel"  # torch, of batch norm in training
_runs = itertools.count()


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What to train and where to put it.

    Attributes:
        method: A method spec of `zoo.build_method`, of a deep method.
        dataset: A data set name or folder of `datasets.build_dataset`; its training list is used.
        schedule: One of `zoo.schedules.SCHEDULES`.
        budget: Processor seconds of a run by the schedule ``"budget"``; not read by others.
        time_limit: Wall seconds after which a run saves its state and ends, to be gone on with later; None for no limit.
        split: Split name or folder of lists.
        data_root: Folder of the data sets, or None for the default places.
        out: Work folder: log, and states to resume from. None for one named after the run.
        checkpoints: Folder for the trained weights.
        device: ``"cpu"`` or ``"cuda"``.
        seed: None for the recipe's, which is 0 unless it says otherwise.
        launcher: ``"none"``, ``"pytorch"`` or ``"slurm"``.
        amp: Half precision. On a GPU the recipe may ask for it too.
        half: Store the weights as float16.
        init: Checkpoint of the same method to start from, of IRSAM also one of MobileSAM, or None for random weights.
        recipe: Changes to the recipe, as `load_recipe` takes them.
        select: ``"last"``, ``"val"``, or None for the recipe's.
        sampler: What cuts the squares: ``"device"`` (`training.squares`), ``"loader"`` (processes beside this one), or
            ``"auto"``, the device on CUDA where it can.
        bar: A progress bar on a terminal, rather than a line each tenth of the run.
    """

    method: str
    dataset: str
    schedule: str = "short"
    budget: float = 7200.0
    time_limit: float | None = None
    split: str = "irsam"
    data_root: str | None = None
    out: str | None = None
    checkpoints: str = "checkpoints"
    device: str = "cpu"
    seed: int | None = None
    launcher: str = "none"
    amp: bool = False
    half: bool = False
    init: str | None = None
    recipe: dict[str, Any] | None = None
    select: str | None = None
    sampler: str = "auto"
    bar: bool = True


def train(options: TrainOptions) -> Path | None:
    """Train a method, or go on with a run that was interrupted in the same work folder.

    A run that is done keeps its log alone, and is not run again while its checkpoint is there.

    Returns:
        Path | None: The checkpoint; None where the time was over before, and in all processes of a distributed run but the
        first.

    Raises:
        UsageError: The method has no network, an option or a value of the recipe is unknown or does not fit, or a folder
            cannot be made.
        ZooError: The data cannot be read, the work folder holds another run or one writes to it now, or the loss was no longer
            finite.
    """
    warnings.filterwarnings("ignore", module=r"mmengine\.")  # advice on its own defaults
    name, method = method_config(options.method)
    if not issubclass(detector_class(method["type"]), NeuralDetector):
        raise UsageError(f"{name} has no network to train; see {PROGRAM} list for those of the family deep")
    known = entry_named(name)
    if known is not None:
        raise UsageError(f"{name} are published weights and need no training; to train the network say {known.method}")
    start_distributed(options.launcher, options.device)
    dataset = build_dataset(options.dataset, root=options.data_root, split=options.split, subset="train")
    choices: dict[str, Any] = dict(select=options.select, changes=options.recipe, seed=options.seed)
    # Weights are drawn when the network is built.
    recipe = load_recipe(options.method, options.schedule, **choices)
    torch.manual_seed(recipe.seed)
    method = {**(recipe.evaluation or {}), **method}
    detector = build_method(method, weights=None)
    assert isinstance(detector, NeuralDetector)  # as its class was seen to be
    start = None if options.init is None else detector.start_from(options.init)
    recipe = load_recipe(options.method, options.schedule, input_size=detector.input_size, **choices)
    if options.device == "cuda":
        recipe = recipe.on_gpu()
    # Whether half precision pays on a CPU depends on the processor: the schedule budget finds out, others leave it to the user.
    recipe = replace(recipe, amp=options.amp or (recipe.amp and (options.device == "cuda" or recipe.phases is not None)))
    folder = work_folder(options, dataset, recipe.seed)
    make_folder(folder)
    with locked(folder, "give another --out") if get_dist_info()[0] == 0 else nullcontext():
        return _Run(name, method, dataset, recipe, options, detector, start or detector.weights).train()


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Torch's error of a batch of one image in the words of a recipe."""
    try:
        yield
    except ValueError as error:
        if ONE_VALUE not in str(error):
            raise
        raise UsageError(f"{name} has a batch norm behind a global pooling, which needs two images a batch; "
                         "say --recipe batch_size=2, or more") from error  # fmt: skip


class _Run:
    """The parts of one run."""

    def __init__(
        self,
        name: str,
        method: dict[str, Any],
        dataset: IRSTDDataset,
        recipe: Recipe,
        options: TrainOptions,
        detector: NeuralDetector,
        start: Weights | None,
    ):
        self.deadline = None if options.time_limit is None else time.monotonic() + options.time_limit
        self.name, self.method, self.dataset, self.detector, self.start = name, method, dataset, detector, start
        self.recipe, self.seed, self.options = recipe, recipe.seed, options
        self.rank, self.world_size = get_dist_info()
        self.title = f"{name}_{dataset.name}_{recipe.schedule_name}"
        self.work_dir = work_folder(options, dataset, self.seed)
        self.checkpoints = Path(options.checkpoints)
        make_folder(self.checkpoints)
        self.train_ids, self.val_ids = list(dataset.ids), []
        if recipe.select == "val":
            self.train_ids, self.val_ids = split_validation(dataset.ids, self.seed, sequence=dataset.sequence)
        self.samples, self.plan = None, None
        if recipe.phases:
            if any("steps" not in phase for phase in recipe.phases):
                self._plan()
            phases = [(phase["steps"], phase["batch_size"]) for phase in self.recipe.phases or ()]
            self.batches = PhasedBatches(len(self.train_ids), phases, self.seed)
        else:
            assert recipe.batch_size is not None  # where there are no phases
            self.batches = SeededBatches(len(self.train_ids), recipe.batch_size, self.seed, self.rank, self.world_size)
        self.iterations = self.recipe.iterations(len(self.batches))

    def _plan(self) -> None:
        """Give the phases their steps."""
        if self.world_size > 1:
            raise UsageError("--schedule budget counts the time of one process; leave out --launcher")
        self.recipe, self.plan = plan_steps(
            self.recipe,
            self.detector,
            self._samples,
            budget=self.options.budget,
            device=self.options.device,
            identity=[self.method, self.dataset.name, self.dataset.split],
            places=(self.work_dir, self.checkpoints),
        )
        parts = ", ".join(f"{p['steps']} of {p['batch_size']} squares of {p['size']} px" for p in self.recipe.phases or ())
        precision = "bfloat16" if self.recipe.amp else "float32"
        warn(f"{self.name} on {self.dataset.title}: steps in {self.options.budget:g} s: {parts}; {precision}")

    def _samples(self, augmentations: Mapping[int, Sequence[dict[str, Any]]]) -> TrainingSet:
        """The training images, decoded once a run, under augmentations."""
        if self.samples is None:
            self.samples = TrainingSet(self.dataset, self.train_ids, augmentations, self.seed, self.detector.targets)
        self.samples.augment_by(augmentations)
        return self.samples

    def train(self) -> Path | None:
        if self.recipe.not_reproduced and self.rank == 0:
            lacking = ", ".join(f"{key}={value!r}" for key, value in self.recipe.not_reproduced.items())
            warn(f"{self.name}: of the author's script, this trainer does not reproduce {lacking}")
        notes = self.dataset.notes
        if self.rank == 0:
            for note in notes:
                warn(f"{self.dataset.name}: {note}")
        metadata = checkpoint_metadata(
            method=self.name,
            options=self.method,
            dataset=self.dataset,
            recipe=self.recipe,
            plan=self.plan,
            iterations=self.iterations,
            world_size=self.world_size,
            code_version=code_version(type(self.detector).__module__),
            half=self.options.half,
            start=self.start,
        )
        finished = finished_run(self.work_dir, self.checkpoints, metadata, copy=self.rank == 0)
        if finished is not None:
            return finished if self.rank == 0 else None
        if self.rank == 0:
            claim(self.work_dir, metadata)
        barrier()
        progress = ProgressHook(f"{self.name} on {self.dataset.title} ({self.recipe.schedule_name})", self.options.bar)
        runner = self._runner(progress)
        try:
            with _explained(self.name):
                runner.train()
            done = runner.iter >= self.iterations
            path = self._publish(runner, metadata) if done and self.rank == 0 else None
            if not done:
                where = f"step {runner.iter} of {self.iterations}"
                warn(f"{self.name}: the time is over at {where}; the same command goes on from there")
        finally:
            progress.close()
            runner.close()
        barrier()
        return path

    def _runner(self, progress: ProgressHook) -> TrainingRunner:
        recipe, options = self.recipe, self.options
        on_gpu = options.device == "cuda"
        state = last_state(self.work_dir)
        interval = max(1, -(-self.iterations // recipe.saves))
        checkpoints = dict(interval=interval, by_epoch=False, max_keep_ckpts=2)
        validation = {}
        if recipe.select == "val":
            checkpoints |= dict(save_best="irstd/IoU", rule="greater")
            validation = dict(
                val_dataloader=validation_loader(self.dataset, self.val_ids),
                val_cfg=dict(type="ValLoop"),
                val_evaluator=[IRSTDMetric()],
            )
        hooks = [StepSeedHook(), WarmUpHook(), PlainStateHook(), progress, FiniteLossHook(), LossTableHook(LOG_EVERY)]
        if recipe.ema:
            hooks.append(AverageHook(update_buffers=True, **recipe.ema))
        return TrainingRunner(
            device=options.device,
            model=recipe.training_model(self.detector),
            work_dir=str(self.work_dir),
            train_dataloader=self._loader(),
            train_cfg=dict(
                type=StepTrainLoop,
                max_iters=self.iterations,
                val_interval=interval,
                losses_every=LOG_EVERY if on_gpu else 1,
                graphs=CudaGraphs() if on_gpu and self.world_size == 1 else None,
            ),
            optim_wrapper=recipe.optim_wrapper(options.device),
            param_scheduler=recipe.scheduler(len(self.batches)),
            default_hooks=dict(
                logger=dict(type="LoggerHook", interval=LOG_EVERY, log_metric_by_epoch=False),
                sampler_seed=None,
                checkpoint=StateHook(deadline=self.deadline, **checkpoints),
            ),
            custom_hooks=hooks,
            log_processor=dict(by_epoch=False),
            launcher=options.launcher,
            randomness=dict(seed=self.seed),
            load_from=state and str(state),  # of this work folder alone, wherever it was before
            resume=state is not None,
            experiment_name=f"{self.title}_{os.getpid()}_{next(_runs)}",
            cfg=dict(recipe=asdict(recipe)),
            **validation,
        )

    def _loader(self) -> Any:
        """Batches of this run, cut on the device where its augmentation allows it and the options do."""
        recipe, device = self.recipe, self.options.device
        samples = self._samples(recipe.augmentations())
        can = can_cut(samples)
        if self.options.sampler == "device" and not can:
            raise UsageError(f"--sampler device cuts, zooms and mirrors; {self.name} is trained with more than that")
        if can and self.options.sampler != "loader" and (device == "cuda" or self.options.sampler == "device"):
            return DeviceSquares(samples, self.batches, device)
        workers = min(MOST_WORKERS, available_cores() // self.world_size) if device == "cuda" else 0
        return training_loader(samples, self.batches, workers)

    def _publish(self, runner: TrainingRunner, metadata: dict[str, Any]) -> Path:
        """Write the weights that the recipe selects: of the last saved state, or of the best on the validation part."""
        best = self.recipe.select == "val"
        saved = self.work_dir / Path(runner.message_hub.get_info("best_ckpt")).name if best else last_state(self.work_dir)
        assert saved is not None  # by the run that has just ended
        runner.bare_model.load_state_dict(read_state(saved)["state_dict"])
        written = self.checkpoints / f".{self.title}-{os.urandom(8).hex()}.safetensors"
        state = self.detector.network.state_dict()
        if self.options.half:
            state = {key: halved(value) for key, value in state.items()}
        digest = save_checkpoint(written, state, metadata)
        path = written.replace(self.checkpoints / f"{self.title}-{digest[:8]}.safetensors")
        shutil.copyfile(self.work_dir / LossTableHook.name, path.with_suffix(".csv"))
        (self.work_dir / "checkpoint").write_bytes(os.fsencode(path.resolve()))
        drop_states(self.work_dir)
        return path
