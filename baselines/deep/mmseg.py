"""Any segmentor of mmsegmentation as a method of the table."""

import logging
import warnings
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from torch import nn

from irsam_zoo.zoo import METHODS, MethodCard, UsageError
from irsam_zoo.zoo._compat import import_mmseg
from irsam_zoo.zoo.config_files import read_config
from irsam_zoo.zoo.neural import IMAGENET_MEAN, IMAGENET_STD, NeuralDetector

HEADS = ("decode_head", "auxiliary_head")
# A quarter of the width of mmsegmentation's configs/_base_/models/fcn_unet_s5-d16.py, without its auxiliary head.
SMALL_FCN_UNET = {
    "type": "EncoderDecoder",
    "backbone": {"type": "UNet", "base_channels": 16, "norm_cfg": {"type": "BN"}},
    "decode_head": {
        "type": "FCNHead",
        "in_channels": 16,
        "in_index": 4,
        "channels": 16,
        "num_convs": 1,
        "concat_input": False,
        "num_classes": 2,
        "norm_cfg": {"type": "BN"},
        "loss_decode": {"type": "CrossEntropyLoss"},
    },
}


@METHODS.register_module("mmseg")
class MMSegmentation(NeuralDetector):
    """A segmentor built by mmsegmentation, its own losses included.

    The configuration may be written for any data set: its heads get two classes (background, target), synchronised batch
    norm becomes batch norm, and pretrained weights that it names are not fetched; `checkpoint` loads weights. Of a
    configuration file only ``model`` is used, and images go through it whole.

    Arguments:
        config: The path of a configuration file of mmsegmentation, or its ``model`` as a dict. None for a small FCN-UNet.
        kwargs: Options of `NeuralDetector`.

    Raises:
        UsageError: The configuration is missing, does not build, is of no encoder with a decoder, or takes more channels
            than it has means for.
        ZooError: mmsegmentation is not installed. In use: the model calls a compiled operator that mmcv-lite lacks.
    """

    card = MethodCard(
        title="MMSegmentation",
        authors="MMSegmentation contributors",
        year=2020,
        venue="software",
        url="https://github.com/open-mmlab/mmsegmentation",
        family="deep",
        fidelity="public-port",
        notes=("Network and losses are mmsegmentation's; no paper on small targets is behind it.",),
    )
    network: Any  # an EncoderDecoder, imported with the first one that is built
    divisor = 32  # the deepest stage of its backbones

    def __init__(self, *, config: str | Path | dict[str, Any] | None = None, **kwargs: Any):
        self.model_config = adapted(deepcopy(SMALL_FCN_UNET) if config is None else read_model(config))
        backbone, head = self.model_config["backbone"], self.model_config["decode_head"]
        self.in_channels = backbone.get("in_channels", 3)
        preprocessor = self.model_config.pop("data_preprocessor", None) or {}
        self.mean, self.std = (
            tuple(preprocessor.get(key) or default)[: self.in_channels]
            for key, default in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD))
        )
        super().__init__(**kwargs)
        head = head[-1] if isinstance(head, (list, tuple)) else head  # the last of a cascade
        self.card = replace(self.card, title=f"{head['type']}-{backbone['type']} (MMSegmentation)")

    def build_network(self) -> nn.Module:
        import_mmseg()
        from mmseg.models import EncoderDecoder
        from mmseg.registry import MODELS

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"mmseg\.")  # advice on its own thresholds and names
            try:
                network = MODELS.build(ConfigDict(_scope_="mmseg", **self.model_config))
            except (AssertionError, ImportError, KeyError, TypeError, ValueError) as error:
                raise UsageError(f"mmsegmentation does not build this model: {' '.join(str(error).split())}") from error
        if not isinstance(network, EncoderDecoder):
            raise UsageError(f"method mmseg takes an EncoderDecoder or a CascadeEncoderDecoder, not {type(network).__name__}")
        level = logging.root.manager.disable
        logging.disable(logging.INFO)  # else a line for every parameter
        try:
            network.init_weights()
        finally:
            logging.disable(level)
        return network

    def forward(self, inputs):
        """In evaluation the BxKxhxw map of the K = 1 or 2 classes; in training the inputs, which `loss` takes on.

        mmsegmentation computes a loss from images, so that a head may see the features and the masks together.
        """
        return inputs if self.network.training else self._class_maps(inputs)

    def logits(self, outputs: Any) -> torch.Tensor:
        maps = self._class_maps(outputs) if self.network.training else outputs
        return maps if maps.shape[1] == 1 else maps[:, 1:] - maps[:, :1]

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        from mmseg.structures import SegDataSample

        samples = [SegDataSample(gt_sem_seg=PixelData(data=mask)) for mask in (masks > 0.5).long()]
        total, _ = self.network.parse_losses(self.network(outputs, samples, mode="loss"))
        return {"loss": total}

    def _class_maps(self, inputs):
        size = tuple(inputs.shape[2:])
        return self.network.encode_decode(inputs, [{"img_shape": size, "pad_shape": size}] * len(inputs))


def read_model(config: str | Path | dict[str, Any]) -> dict[str, Any]:
    """The ``model`` of a configuration file of mmsegmentation, or of a dict, as a plain dict of its own."""
    if isinstance(config, (str, Path)):
        if not Path(config).is_file():
            raise UsageError(f"no mmsegmentation configuration {config}")
        path, config = config, read_config(config)
        if Path(path).suffix != ".py":
            _check_types(path, config.get("model", config))
    model = deepcopy(dict(config.get("model", config)))
    absent = [key for key in ("type", "backbone", "decode_head") if key not in model]
    if absent:
        raise UsageError(f"the mmsegmentation configuration has no model with {', '.join(absent)}")
    return model


def _check_types(path: str | Path, part: Any) -> None:
    """UsageError where data names a type that is not registered: mmengine imports and calls whatever it then names."""
    import_mmseg()
    from mmengine.registry import MODELS, TASK_UTILS, WEIGHT_INITIALIZERS
    from mmseg import registry

    registries = [MODELS, TASK_UTILS, WEIGHT_INITIALIZERS, registry.MODELS, registry.TASK_UTILS, registry.WEIGHT_INITIALIZERS]
    known = {name for kinds in registries for name in kinds.module_dict}
    waiting = [part]
    while waiting:
        part = waiting.pop()
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        if isinstance(part, dict) and "type" in part and str(part["type"]) not in known:
            raise UsageError(f"{path} names the type {str(part['type'])[:40]!r}, which mmsegmentation does not have registered")


def adapted(part: Any, inside_head: bool = False) -> Any:
    """A model configuration with two classes, plain batch norm and no weights to fetch."""
    if isinstance(part, (list, tuple)):
        return type(part)(adapted(item, inside_head) for item in part if not _fetches(item))
    if not isinstance(part, dict):
        return "BN" if part == "SyncBN" else part
    kept = {key: value for key, value in part.items() if key != "pretrained" and not _fetches(value)}
    part = {key: adapted(value, inside_head or key in HEADS) for key, value in kept.items()}
    if inside_head and part.get("num_classes", 2) != 2:
        part["num_classes"] = 2
        if part.get("out_channels", 1) != 1:
            part["out_channels"] = 2
    if inside_head and len(part.get("class_weight") or ()) != 2:
        part.pop("class_weight", None)  # weights of another data set's classes
    return part


def _fetches(part: Any) -> bool:
    """Whether a part of a configuration, of whatever scope, loads weights: mmengine unpickles them."""
    return isinstance(part, dict) and str(part.get("type")).rpartition(".")[2] in ("Pretrained", "PretrainedInit")
