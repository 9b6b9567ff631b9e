"""Steps that are captured once as a CUDA graph and replayed: the host launches one thing instead of thousands."""

from collections.abc import Callable
from typing import Any, Self

import torch

# A kind of step is taken this often as it is, so that optimisers have their state and libraries their workspace.
BEFORE_CAPTURE = 3


class CudaGraphs:
    """torch's graphs, on a stream of their own: work that a graph waits for may not come from the default stream."""

    def __init__(self):
        self.stream = torch.cuda.Stream()

    def __enter__(self) -> Self:
        self.stream.wait_stream(torch.cuda.current_stream())
        self.context = torch.cuda.stream(self.stream)
        self.context.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.context.__exit__(*error)
        torch.cuda.current_stream().wait_stream(self.stream)

    def capture(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """Record what a function asks of the device, without doing it.

        Returns:
            tuple: A function that does it, and what ``function`` returned, whose tensors each call fills.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            outputs = function()
        return graph.replay, outputs


class CapturedSteps:
    """Takes steps of several kinds: a few of each as they are, the others by replaying a graph of one.

    Arguments:
        step: Function of a batch of tensors by name that changes weights in place and returns scalar tensors by name.
        graphs: With a ``capture`` as that of `CudaGraphs`.
        clean: Called after a capture that failed, before the step is taken as it is.
        tell: Called with a line of text.
    """

    def __init__(
        self,
        step: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]],
        graphs: CudaGraphs,
        *,
        clean: Callable[[], None],
        tell: Callable[[str], None],
    ):
        self.step, self.graphs, self.clean, self.tell = step, graphs, clean, tell
        self.kind, self.taken = None, 0
        self.batch: dict[str, torch.Tensor] = {}
        self.outputs: dict[str, torch.Tensor] = {}
        self.replay: Callable[[], None] | None = None
        self.fault: Exception | None = None

    def __call__(self, batch: dict[str, torch.Tensor], kind: Any) -> dict[str, torch.Tensor]:
        """Take a step.

        Arguments:
            batch: Tensors by name, on the device.
            kind: Whatever decides what the step does, beside values of tensors; shapes are looked at anyway.

        Returns:
            dict[str, torch.Tensor]: The step's scalars; the next step overwrites them.
        """
        kind = (kind, tuple((name, tensor.shape, tensor.dtype) for name, tensor in batch.items()))
        if kind != self.kind:  # kinds follow each other and none comes again: the old graph's memory is for the new one
            self.kind, self.taken = kind, 0
            self.batch, self.replay, self.outputs = {}, None, {}
        self.taken += 1
        if self.fault is None and self.replay is None and self.taken > BEFORE_CAPTURE:
            self._capture(batch)
        if self.replay is None:
            return self.step(batch)
        for name, tensor in batch.items():
            self.batch[name].copy_(tensor, non_blocking=True)
        self.replay()
        return self.outputs

    def _capture(self, batch: dict[str, torch.Tensor]) -> None:
        own = {name: tensor.clone() for name, tensor in batch.items()}
        try:
            self.replay, self.outputs = self.graphs.capture(lambda: self.step(own))
            self.batch = own
        except Exception as error:
            self.fault = error
            self.clean()
            reason = " ".join(str(error).split())[:200]
            self.tell(f"the step cannot be captured ({type(error).__name__}: {reason}); it goes on operation by operation")
