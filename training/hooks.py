"""What happens between the iterations of a run, beside mmengine's own hooks."""

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import CheckpointHook, Hook
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from irsam_zoo.zoo.errors import ZooError, visible

# What mmengine's checkpoint hook has to know after a resume.
KEPT_FACTS = ("best_ckpt", "best_score", "keep_ckpt_ids", "last_ckpt")
LINES = 10  # of progress where the output is no terminal


class StepSeedHook(Hook):
    """Seeds torch before each iteration from the run's seed, the iteration and the process.

    Dropout is then the same whether a run was interrupted or not, and no random state need be stored.
    """

    priority = "VERY_HIGH"

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        (state,) = np.random.SeedSequence((runner.seed, runner.iter, runner.rank)).generate_state(1, np.uint64)
        torch.manual_seed(int(state))


class PlainStateHook(Hook):
    """Leaves tensors and plain data alone in saved states, so that they load with ``weights_only=True``."""

    priority = "LOWEST"

    def before_save_checkpoint(self, runner, checkpoint):
        facts = checkpoint["message_hub"]["runtime_info"]
        kept = {key: _plain(facts[key]) for key in KEPT_FACTS if facts.get(key) is not None}
        checkpoint["message_hub"] = {"log_scalars": {}, "runtime_info": kept, "resumed_keys": dict.fromkeys(kept, True)}
        schedulers = checkpoint.get("param_schedulers", [])
        for states in schedulers.values() if isinstance(schedulers, dict) else [schedulers]:
            for state in states:  # a one-cycle schedule stores its functions, which a new one has anyway
                for key in [key for key, value in state.items() if callable(value)]:
                    del state[key]


class StateHook(CheckpointHook):
    """Saves states as mmengine's hook does, and once more when a run's time is over, which ends the run.

    Arguments:
        deadline: On the clock of `time.monotonic`; None for a run without a limit.
        kwargs: Those of `mmengine.hooks.CheckpointHook`.
    """

    def __init__(self, *, deadline: float | None, **kwargs: Any):
        super().__init__(**kwargs)
        self.deadline = deadline

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, torch.Tensor] | None = None
    ) -> None:
        over = self.deadline is not None and time.monotonic() > self.deadline
        if over and not (self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)):
            self._save_checkpoint(runner)
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        runner.train_loop.stop_training |= over


class WarmUpHook(Hook):
    """Tells a detector that has a `warm_up`, a share of the run, whether the run is in it."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        detector = runner.bare_model.detector
        if hasattr(detector, "warm_up"):
            detector.warming_up = runner.iter < round(detector.warm_up * runner.max_iters)


class FiniteLossHook(Hook):
    """Ends a run whose loss is NaN or infinite; looked at every few iterations, since a GPU has to be waited for."""

    interval = 10

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, torch.Tensor] | None = None
    ) -> None:
        if outputs is not None and self.every_n_train_iters(runner, self.interval) and not torch.isfinite(outputs["loss"]):
            raise ZooError(
                f"the loss is {outputs['loss'].item()} at step {runner.iter + 1}; the log is in {runner.log_dir}, "
                "and another --seed or a recipe with less learning rate may help"
            )


class LossTableHook(Hook):
    """Writes ``losses.csv`` into the work folder: step, wall and processor seconds spent so far, and each loss, the last step
    among them.

    A resumed run goes on with the table where its state was saved.

    Arguments:
        interval: Iterations from row to row.
    """

    name = "losses.csv"

    def __init__(self, interval: int):
        self.interval = interval

    def before_train(self, runner):
        self.path = Path(runner.work_dir) / self.name
        self.rows = []
        if self.path.is_file():
            with self.path.open(newline="") as table:
                self.rows = [row for row in csv.DictReader(table) if int(row["step"]) <= runner.iter]
        before = self.rows[-1] if self.rows else {}
        self.start = time.monotonic() - float(before.get("seconds", 0))
        self.start_cpu = time.process_time() - float(before.get("cpu_seconds", 0))

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, torch.Tensor] | None = None
    ) -> None:
        asked = self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)
        if runner.rank or outputs is None or not asked:
            return
        losses = {name: f"{value.item():.6g}" for name, value in outputs.items() if value.numel() == 1}
        spent = {"seconds": time.monotonic() - self.start, "cpu_seconds": time.process_time() - self.start_cpu}
        row = {"step": runner.iter + 1, **{name: round(value, 1) for name, value in spent.items()}, **losses}
        self.rows.append(row)
        with self.path.open("w", newline="") as table:
            writer = csv.DictWriter(table, row, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


class ProgressHook(Hook):
    """A bar with the loss and the time left on a terminal, and a line each tenth of the run anywhere else.

    Arguments:
        title: Begins the line.
        bar: False for lines on a terminal too, where several runs share it.
    """

    priority = "LOWEST"

    def __init__(self, title: str, bar: bool = True):
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        self.title = title
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (bar and console.is_terminal),
        )

    def before_train(self, runner):
        if runner.rank == 0:
            self.start, self.first = time.monotonic(), runner.iter
            self.bar.start()
            self.loss = "-"
            self.task = self.bar.add_task(self.title, total=runner.max_iters, completed=runner.iter, loss=self.loss)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, torch.Tensor] | None = None
    ) -> None:
        if runner.rank:
            return
        done, total = runner.iter + 1, runner.max_iters
        line = self.bar.disable and (done * LINES // total > runner.iter * LINES // total)
        if self.bar.disable and not line:
            return
        if outputs is not None:  # of the steps whose losses the loop shows
            self.loss = f"{outputs['loss'].item():.4g}"
        self.bar.update(self.task, completed=done, loss=self.loss)
        if line:
            left = (time.monotonic() - self.start) / (done - self.first) * (total - done)
            text = f"{self.title}: step {done} of {total}, loss {self.loss}, {left:.0f} s left"
            self.console.print(visible(text), markup=False)

    def close(self) -> None:
        """Take the bar away, whatever ended the run."""
        self.bar.stop()


def _plain(value):
    return value.item() if hasattr(value, "item") else value
