"""Comparison of a network with the stored outputs of its reference."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import torch

GOLDEN = Path(__file__).resolve().parent / "golden"
TOLERANCE = 1e-4  # of the standard deviation of an output; the stored float32 runs are within 8e-5 of their float64 runs


def _fill():
    spec = importlib.util.spec_from_file_location("golden_fill", GOLDEN / "deep" / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fill = _fill()


def golden_path(name, suffix):
    """The file ``<name><suffix>`` in any folder of the golden files."""
    return next(GOLDEN.glob(f"*/{name}{suffix}"))


def reference_state(name):
    """``(meta, state dict)`` of a reference under its own keys: the weights that its stored outputs were made with."""
    meta, state = fill.load_reference(golden_path(name, ".json"))
    assert fill.state_crc32(state) == meta["fill"]["state_crc32"], "the weight generator gives other values here"
    for pattern, value in meta.get("overrides", {}).get("rules", []):
        state |= {key: torch.full_like(state[key], value) for key in state if re.fullmatch(pattern, key)}
    return meta, state


def check_network(name, network, rename=None, *, drop=(), inputs=("input",), select=None, dtype=torch.float64):
    """Assert that a network returns what its reference returned.

    The network gets the reference's weights and runs on one thread. In float64 only the rounding of the stored float32
    outputs counts.

    Arguments:
        name: Stem of the golden files, such as ``"dnanet_3ch"``.
        network: Takes the tensors that the reference takes. It is changed to `dtype` and evaluation mode.
        rename: Function from the reference's state dict to the network's; without it the keys are equal.
        drop: Prefixes of reference keys that the network leaves out.
        inputs: Stems of the stored arrays that make up one call, such as ``("input", "grad")``.
        dtype: float32 saves time where the rounding that the golden file reports is far below the tolerance.
        select: Function from what the network returned to the stored part of it, such as every fourth channel.

    Raises:
        AssertionError: A parameter is missing or left over, or an output differs by more than 1e-4 of its standard deviation.
    """
    meta, state = reference_state(name)
    state = {key: value for key, value in state.items() if not key.startswith(tuple(drop))}
    network.load_state_dict(rename(state) if rename else state)
    network.to(dtype).eval()
    arrays = np.load(golden_path(name, ".npz"))
    for call in range(sum(key.startswith(f"{inputs[0]}") for key in meta["inputs"])):
        tensors = [torch.from_numpy(_array(f"{stem}{call}", arrays, meta)).to(dtype) for stem in inputs]
        outputs = _run(network, tensors)
        if select is not None:
            outputs = select(outputs)
        outputs = [outputs] if torch.is_tensor(outputs) else outputs
        wanted = [key for key in meta["outputs"] if key.split("_")[0] == f"output{call}"]
        assert len(outputs) == len(wanted), f"{name}: {len(outputs)} outputs, the reference has {len(wanted)}"
        for key, output in zip(wanted, outputs, strict=True):
            want = arrays[key].astype(np.float64)
            # The one scalar among the outputs has no standard deviation; its own size stands in.
            scale = want.std() if want.ndim else abs(want)
            assert tuple(output.shape) == want.shape, f"{name} {key}: shape {tuple(output.shape)}, not {want.shape}"
            worst = np.abs(output.numpy() - want).max() / scale
            assert worst < TOLERANCE, f"{name} {key}: off by {worst:.2e} of the standard deviation"


def _array(key, arrays, meta):
    return arrays[key] if key in arrays else fill.make_input(meta["inputs"][key])


def _run(network, tensors):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            return network(*tensors)
    finally:
        torch.set_num_threads(threads)
