"""mmengine's runner with safe loading and quiet output."""

import logging
import os
import pickle
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.dist import init_dist, is_distributed
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, MMDistributedDataParallel, MMSeparateDistributedDataParallel
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing

from irsam_zoo.zoo.errors import UsageError, ZooError


def start_distributed(launcher: str, device: str) -> None:
    """Join the processes that a launcher started.

    Arguments:
        launcher: ``"pytorch"`` (torchrun) or ``"slurm"`` (GPUs alone); ``"none"`` does nothing.
        device: ``"cpu"`` (Gloo) or ``"cuda"`` (NCCL).

    Raises:
        UsageError: Slurm without GPUs.
        ZooError: The launcher did not start this process.
    """
    if launcher == "none" or is_distributed():
        return
    if launcher == "slurm" and device == "cpu":
        raise UsageError("--launcher slurm counts GPUs; on CPUs use --launcher pytorch")
    set_multi_processing(distributed=True)
    try:
        if launcher == "pytorch" and device == "cpu":  # mmengine's own start needs CUDA
            torch.distributed.init_process_group("gloo")
        else:
            init_dist(launcher, backend="nccl")
    except (KeyError, ValueError, RuntimeError, AssertionError) as error:
        hint = "torchrun --nproc-per-node 2 run_benchmark.py train ..." if launcher == "pytorch" else "srun"
        raise ZooError(f"--launcher {launcher}: {' '.join(str(error).split())}; start it with: {hint}") from error


def read_state(path: str | Path) -> dict[str, Any]:
    """A state that a run saved: a dict of tensors and plain data.

    mmengine leaves it to torch's default whether a file may run code. Here it may not.

    Raises:
        ZooError: The file is missing or damaged, or holds anything else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise ZooError(f"{path} cannot be resumed from; delete its folder to start anew") from error


class TrainingRunner(Runner):
    """mmengine's runner.

    Arguments:
        device: ``"cpu"`` or ``"cuda"``; mmengine itself would take a GPU wherever there is one.
        kwargs: Those of `mmengine.runner.Runner`.
    """

    def __init__(self, *, device: str, **kwargs: Any):
        self.device = device
        super().__init__(**kwargs)

    def wrap_model(self, model_wrapper_cfg, model):
        model = model.to(self.device)
        if not self.distributed:
            return model
        wrapper = MMDistributedDataParallel if hasattr(model, "network") else MMSeparateDistributedDataParallel
        # Some published networks hold layers that they never call.
        return wrapper(
            module=model,
            device_ids=[int(os.environ["LOCAL_RANK"])] if self.device == "cuda" else None,
            broadcast_buffers=False,
            find_unused_parameters=True,
        )

    def build_logger(self, log_level="INFO", log_file=None, **kwargs) -> MMLogger:
        logger = super().build_logger(log_level, log_file, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.CRITICAL)  # the terminal has a progress line; all else is in the file
        return logger

    def load_checkpoint(self, filename, map_location="cpu", strict=True, revise_keys=()):
        """Resume from a state that an earlier run in the same work folder saved; nothing else is ever loaded here."""
        checkpoint = read_state(filename)
        self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
        self.bare_model.load_state_dict(checkpoint["state_dict"], strict=strict)
        self._has_loaded = True
        return checkpoint

    @property
    def bare_model(self) -> BaseModel:
        """The model without the wrapper of a distributed run."""
        return cast(BaseModel, self.model.module if self.distributed else self.model)

    def close(self):
        """Let go of the log file."""
        while self.logger.handlers:
            self.logger.handlers.pop().close()
