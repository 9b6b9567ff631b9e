"""The contract of a deep method: a network, the way into it and the way back to the image's size."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from irsam_zoo import PROGRAM
from irsam_zoo.zoo.detector import FLOAT32, Detector
from irsam_zoo.zoo.errors import UsageError, ZooError
from irsam_zoo.zoo.reading import sha256_file
from irsam_zoo.zoo.weights.checkpoints import load_checkpoint, load_weights
from irsam_zoo.zoo.weights.find import check_named_digest
from irsam_zoo.zoo.weights.header import read_header
from irsam_zoo.zoo.weights.known_weights import entry_named, recognise, recognise_file
from irsam_zoo.zoo.weights.loaded import Weights
from irsam_zoo.zoo.weights.state_dicts import Rules

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
# Probabilities become logits; closer to 0 or 1 than this they are cut, in float32 well clear of infinity.
SMALLEST_PROBABILITY = 1e-6
HALF = {"cuda": torch.float16, "cpu": torch.bfloat16}
PADDINGS = ("reflect", "zero", "zero_always")


class NeuralDetector(Detector, ABC):
    """A detector whose score is the logit of a network. A method defines `build_network` and `loss`.

    A subclass sets what `build_network` needs before it calls ``super().__init__(**kwargs)``.

    Arguments:
        checkpoint: File with weights, ours or the reference's own; without one the weights are random, which the first
            prediction tells unless they were trained or loaded since.
        input_size: Side in px of the square that images are resized to, ``"native"`` for the image's own size padded to a
            multiple of `divisor`, None for the class's `default_input_size`.
        batch_size: Largest number of images of one size that go through the network together; None for the class's
            `default_batch_size`.
        amp: Half precision by autocast: float16 on CUDA, and bfloat16 on a CPU, which is faster where the processor computes
            in it (AVX-512 BF16 or AMX) and slower elsewhere.
        compile: Run the network through ``torch.compile``.
        mean, std: Normalisation of each channel, in grey levels 0..255, instead of the class's.
        padding: What continues native-size inputs at the bottom and right: ``"reflect"``, the image itself; ``"zero"``, zeros
            in the normalised input (BasicIRSTD, utils.py, PadImg); ``"zero_always"``, those, and a whole `divisor` of them
            where a side is a multiple of it already (LESPS).
        divisor: A multiple of the class's, to be taken instead.

    Attributes:
        network (nn.Module): Takes the tensors that the reference takes and returns what the reference returns.
        weights (Weights | None): The loaded checkpoint.
        device (torch.device): Where the network is.
        in_channels: Channels that the network takes; a grey image is repeated.
        mean, std: The normalisation in use.
        divisor: Native-size inputs are padded at the bottom and right to a multiple of this.
        smallest_input: Least side of an input in px; native-size inputs are padded to it.
        default_batch_size: Smaller where a network needs much memory for an image.
        default_input_size: An int where the author's test code resizes to a square, else None.
        convert_rules: ``(regex, replacement)`` pairs that turn the keys of reference checkpoints into ours, applied in turn.
        parts: Names of submodules of the network that a recipe may train in turn (`part_loss`), in the order of their updates.
        memory_format: Of the weights: channels last, but where a network is faster without.
        targets: What the loss needs of a training mask beside itself: a function of HxW uint8, 0 or 1, that returns arrays by
            name, which `loss` takes as keyword arguments, a batch of each; they are made with the sample. None for most.
        evaluation_options: Options that weights of our trainer may bring along, since they were trained with them.
        warn_of_random_weights: Whether a prediction with the weights that `build_network` drew tells so.
    """

    score_kind = "logit"
    default_threshold = "fixed(0)"
    network: nn.Module
    device: torch.device
    in_channels = 3
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    divisor = 16
    smallest_input = 16
    default_input_size: int | None = None
    default_batch_size = 8
    convert_rules: Rules = ()
    parts: tuple[str, ...] = ()
    memory_format = torch.channels_last
    targets: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
    evaluation_options: tuple[str, ...] = ("input_size",)
    warn_of_random_weights = True

    def __init__(
        self,
        *,
        checkpoint: str | Path | None = None,
        input_size: int | str | None = None,
        batch_size: int | None = None,
        amp: bool = False,
        compile: bool = False,
        mean: Iterable[float] | None = None,
        std: Iterable[float] | None = None,
        padding: str = "reflect",
        divisor: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if input_size is None:
            input_size = self.default_input_size
        elif input_size == "native":
            input_size = None
        elif not isinstance(input_size, int) or input_size < self.smallest_input or input_size % self.divisor:
            wanted = f"a multiple of {self.divisor} from {self.smallest_input} up"
            raise UsageError(f"input_size {input_size!r} is neither 'native' nor {wanted}")
        if padding not in PADDINGS:
            raise UsageError(f"padding {padding!r} is not one of {', '.join(PADDINGS)}")
        if divisor is not None and (not isinstance(divisor, int) or divisor < 1 or divisor % self.divisor):
            raise UsageError(f"divisor {divisor!r} is no multiple of {self.divisor}")
        batch_size = self.default_batch_size if batch_size is None else batch_size
        if not isinstance(batch_size, int) or batch_size < 1:
            raise UsageError(f"batch_size must be at least 1, not {batch_size!r}")
        self.mean = self.mean if mean is None else tuple(mean)
        self.std = self.std if std is None else tuple(std)
        if not len(self.mean) == len(self.std) == self.in_channels:
            raise UsageError(f"mean {self.mean} and std {self.std} need one number for each of {self.in_channels} channels")
        self._brought: dict[tuple[Any, ...], tuple[torch.Tensor, ...]] = {}
        self.input_size = input_size
        self.padding = padding
        self.divisor = divisor or self.divisor
        self.batch_size = batch_size
        self.amp = amp
        self.device = torch.device("cpu")
        self.weights = None
        self.network = self.build_network().to(memory_format=self.memory_format).eval()  # pyright: ignore[reportCallIssue]
        self._drawn = self._changes()
        if checkpoint is not None:
            self.load(checkpoint)
        if compile:
            self.network.compile()

    @classmethod
    def completed(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Options with those that the checkpoint was trained with, where the caller does not name them."""
        if not options.get("checkpoint"):
            return options
        known = recognise_file(options["checkpoint"])
        if known is not None:
            return known.completed(options)
        brought = read_header(options["checkpoint"]).get("evaluation")
        brought = brought if isinstance(brought, dict) else {}
        return {name: brought[name] for name in cls.evaluation_options if name in brought} | options

    @abstractmethod
    def build_network(self) -> nn.Module:
        """The network with fresh weights."""

    def loss(self, outputs: Any, masks: torch.Tensor) -> dict[str, torch.Tensor]:
        """The authors' training loss.

        Arguments:
            outputs: What `forward` returned.
            masks (torch.Tensor): Bx1xhxw float, 0 or 1, of the size of the network's input.

        Returns:
            dict[str, torch.Tensor]: Scalars; a trainer minimises their sum.
        """
        raise TypeError(f"{type(self).__name__} does not define loss(outputs, masks)")

    def part_loss(self, part: str, learner: nn.Module, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor | None:
        """The loss by which one of `parts` learns while the others are fixed.

        Arguments:
            part: Its name.
            learner (nn.Module): The part, to be called where it learns.
            images: BxCxhxw normalised input.
            masks: Bx1xhxw float, 0 or 1.

        Returns:
            torch.Tensor | None: A scalar, or None where squares of this size have nothing for the part.
        """
        raise TypeError(f"{type(self).__name__} does not define part_loss(part, learner, images, masks)")

    def forward(self, inputs: torch.Tensor) -> Any:
        """Run the network on a BxCxhxw normalised input. Methods with a second, computed input add it here."""
        return self.network(inputs)

    def logits(self, outputs: Any) -> torch.Tensor:
        """The Bx1xhxw logits among the outputs of `forward`."""
        return outputs

    def supervised(self, outputs: Any) -> Sequence[torch.Tensor]:
        """The Bx1xhxw logits among the outputs of `forward` that a loss by name compares with the mask: side outputs too."""
        return [self.logits(outputs)]

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """Bx1xhxw grey levels 0..255, or BxCxhxw of them, to the BxCxhxw normalised input."""
        mean, std = self._constants(images.dtype, images.device)
        return (images.expand(-1, self.in_channels, -1, -1) - mean) / std

    def _constants(self, *where: Any) -> tuple[torch.Tensor, ...]:
        """`mean` and `std` as 1xCx1x1 tensors, brought to a device once: a step that is captured may bring nothing there."""
        if where not in self._brought:
            values = (torch.tensor(value, dtype=where[0], device=where[1]) for value in (self.mean, self.std))
            self._brought[where] = tuple(value.view(1, -1, 1, 1) for value in values)
        return self._brought[where]

    def preprocess(self, images: torch.Tensor) -> torch.Tensor:
        """Bx1xHxW or BxCxHxW grey levels 0..255 to the BxCxhxw input of the network: resized or padded, and normalised."""
        if self.input_size is not None:
            return self.normalize(self._resize(images))
        right, bottom = (self._padded(side) - side for side in (images.shape[-1], images.shape[-2]))
        if self.padding != "reflect":
            return F.pad(self.normalize(images), (0, right, 0, bottom))
        reflects = right < images.shape[-1] and bottom < images.shape[-2]
        return self.normalize(F.pad(images, (0, right, 0, bottom), mode="reflect" if reflects else "replicate"))

    def load(self, checkpoint: str | Path) -> Weights:
        """Load the weights of a file; see `zoo.weights.checkpoints.load_checkpoint` for the forms that are read.

        Returns:
            Weights: What was loaded.

        Raises:
            ZooError: The file is no checkpoint, is not the one that its name says, says that it is of another method, or its
                tensors do not fit the network.
        """
        path = Path(checkpoint)
        state_dict, metadata = load_checkpoint(path, self.network.state_dict(), self.convert_rules)
        digest = sha256_file(path)
        check_named_digest(path, digest)
        self._refuse_others(metadata, path)
        load_weights(self.network, state_dict, source=path)
        known = recognise(digest, metadata)
        self.weights = Weights(path, digest, metadata | known.provenance if known else metadata)
        return self.weights

    def start_from(self, checkpoint: str | Path) -> Weights:
        """Take the weights of a file to train on from; a method may know others than its own that serve.

        Returns:
            Weights: What was taken.

        Raises:
            ZooError: As of `load`.
        """
        return self.load(checkpoint)

    def _refuse_others(self, metadata: Mapping[str, Any], path: Path) -> None:
        """ZooError where our trainer made weights for another class: equal names and shapes may mean other things."""
        from irsam_zoo.zoo.registry import METHODS  # which imports the methods

        options = metadata.get("options")
        kind = options.get("type") if isinstance(options, dict) else None
        cls = METHODS.module_dict.get(kind) if isinstance(kind, str) else None
        if cls is not None and not isinstance(self, cls):
            raise ZooError(f"{path} holds weights of {kind}; run that method with them, or name other weights for {self.name}")

    def tensors_digest(self) -> str:
        """SHA-256 (hex) of the network's tensors, by which stored results know them whatever file they came from."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    @property
    def precision(self) -> str:
        """The numbers that the network computes in, in words."""
        if not self.amp or self.device.type not in HALF:
            return FLOAT32
        return f"{str(HALF[self.device.type]).removeprefix('torch.')} by autocast"

    def autocast(self) -> torch.autocast:
        """The context in which the network computes as `precision` says, in whatever context it is called."""
        device = self.device.type if self.device.type in HALF else "cpu"
        return torch.autocast(device, dtype=HALF[device], enabled=self.precision != FLOAT32)

    @property
    def num_parameters(self) -> int:
        """Number of learnable values of the network."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def unavailable(self) -> str | None:
        if self.weights is not None:
            return None
        known = entry_named(self.name)
        if known is not None:
            return f"its file is not in the folder of weights (--checkpoints); get it from {known.url}"
        return f"no weights; train them with: {PROGRAM} train {{method}} --dataset {{dataset}}{{options}}"

    def to(self, device: str | torch.device) -> Self:
        self.device = torch.device(device)
        self.network.to(self.device)
        return self

    def at_input_size(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.input_size is None:
            return image, label
        return self._resize_file(image), np.array(Image.fromarray(label).resize(self._square, Image.Resampling.NEAREST))

    @property
    def _square(self) -> tuple[int, int]:
        """Height and width of the network's input, where images are resized to it."""
        assert self.input_size is not None
        return self.input_size, self.input_size

    def _resize_file(self, image: np.ndarray) -> np.ndarray:
        """A uint8 image, as the authors' test code resizes the file: in whole grey levels."""
        return np.array(Image.fromarray(image).resize(self._square, Image.Resampling.BILINEAR))

    def score(self, image: np.ndarray) -> np.ndarray:
        return self._score_batch(image[None])[0]

    def _score_batch(self, images: np.ndarray) -> np.ndarray:
        if self.warn_of_random_weights and self._drawn == self._changes():
            self._tell_random_weights()
        return self.logit_maps(torch.from_numpy(images).unsqueeze(1)).numpy()

    def _changes(self) -> list[int]:
        """How often each parameter was written to: an optimiser and `load_state_dict` count, a move or a cast does not."""
        return [parameter._version for parameter in self.network.parameters()]

    def _tell_random_weights(self) -> None:
        self.warn_of_random_weights = False
        reason = self.unavailable()
        if reason is not None:
            reason = reason.format(method=self.name or "METHOD", dataset="sirst3", options="")
            self.note(f"its weights are random, and its scores mean nothing: {reason}; or name some by weights=")

    @torch.inference_mode()
    def logit_maps(self, images: torch.Tensor) -> torch.Tensor:
        """Bx1xHxW grey levels 0..255, or BxCxHxW of them, to BxHxW float32 logits on the CPU."""
        if self.network.training:
            self.network.eval()
        images = images.to(self.device, torch.float32)
        inputs = self.preprocess(images).contiguous(memory_format=self.memory_format)
        with self.autocast():
            logits = self.logits(self.forward(inputs))
        return self._restore(logits.float(), images.shape[-2:]).squeeze(1).cpu()

    def _resize(self, images: torch.Tensor) -> torch.Tensor:
        # With antialiasing the resize is Pillow's, which the authors' test codes use.
        return F.interpolate(images, self._square, mode="bilinear", align_corners=False, antialias=True)

    def _padded(self, side: int) -> int:
        side = max(side, self.smallest_input) + (self.padding == "zero_always")
        return -(-side // self.divisor) * self.divisor

    def _restore(self, logits: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
        if self.input_size is not None:
            return F.interpolate(logits, size, mode="bilinear", align_corners=False)
        return logits[..., : size[0], : size[1]]


def probability_to_logit(probability: torch.Tensor) -> torch.Tensor:
    """Inverse sigmoid; 0 and 1 become -13.8 and 13.8, so that a score map stays finite."""
    if probability.dtype != torch.float64:  # half precision cannot hold the smallest probability
        probability = probability.float()
    return torch.logit(probability, eps=SMALLEST_PROBABILITY)
