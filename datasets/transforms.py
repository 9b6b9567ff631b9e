"""Augmentations of an image and its mask together, and their registry.

A transform is called with an HxW uint8 image, an HxW uint8 mask (255 on targets, 0 elsewhere) and the
`numpy.random.Generator` that all its chances come from, and returns both, of one size. It keeps no state, so a sample
depends on its generator's seed alone, whichever process makes it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from mmengine.registry import Registry

from irsam_zoo.zoo.errors import UsageError
from irsam_zoo.zoo.lookup import registered, unknown

TARGET = 255
Pair = tuple[np.ndarray, np.ndarray]  # image and mask


def _build(cfg: Mapping[str, Any], registry: Registry) -> Any:
    """Build a registered transform from ``dict(type=name, ...)``."""
    options = dict(cfg)
    name = options.pop("type", None)
    cls = registered(registry, name)
    if cls is None:
        raise UsageError(unknown("transform", name, sorted(registry.module_dict)))
    try:
        return cls(**options)
    except TypeError as error:
        raise UsageError(f"transform {name}: {error}") from None


TRANSFORMS = Registry("transform", scope="irsam_zoo", build_func=_build)


class Compose:
    """Transforms one after the other.

    Arguments:
        configs: A ``dict(type=name, ...)`` each.

    Raises:
        UsageError: A name or an option is unknown.
    """

    def __init__(self, configs: Iterable[dict[str, Any]]):
        self.transforms = [TRANSFORMS.build(config) for config in configs]

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        """HxW uint8 image and mask to hxw uint8 image and mask, both contiguous."""
        for transform in self.transforms:
            image, mask = transform(image, mask, rng)
        return np.ascontiguousarray(image), np.ascontiguousarray(mask)


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirror an image.

    Arguments:
        prob: Chance of a flip.
        direction: ``"horizontal"`` or ``"vertical"``.
    """

    def __init__(self, *, prob: float = 0.5, direction: str = "horizontal"):
        if direction not in ("horizontal", "vertical"):
            raise UsageError(f"direction {direction!r} of RandomFlip is neither 'horizontal' nor 'vertical'")
        self.prob = prob
        self.axis = 1 if direction == "horizontal" else 0

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        return (np.flip(image, self.axis), np.flip(mask, self.axis)) if self.draw(rng) else (image, mask)

    def draw(self, rng: np.random.Generator) -> bool:
        """Whether this image is mirrored."""
        return rng.random() < self.prob


@TRANSFORMS.register_module()
class RandomTranspose:
    """Swap rows and columns.

    Arguments:
        prob: Chance of a swap.
    """

    def __init__(self, *, prob: float = 0.5):
        self.prob = prob

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        return (image.T, mask.T) if self.draw(rng) else (image, mask)

    def draw(self, rng: np.random.Generator) -> bool:
        """Whether rows and columns of this image are swapped."""
        return rng.random() < self.prob


@TRANSFORMS.register_module()
class Resize:
    """Resize to a square, whatever the aspect, as the authors' test programs do.

    Arguments:
        size: Side in px.
    """

    def __init__(self, *, size: int):
        self.size = size

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        return resized(image, mask, self.size, self.size)


@TRANSFORMS.register_module()
class RandomScale:
    """Resize so that the longer side gets a random length; the aspect stays.

    Source: the loaders of open-acm, open-alcnet, DNANet and ISNet.

    Arguments:
        base: Length in px at scale 1.
        scale: Least and greatest factor.
    """

    def __init__(self, *, base: int, scale: tuple[float, float] = (0.5, 2.0)):
        self.base = base
        self.scale = scale

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        least, most = (int(self.base * factor) for factor in self.scale)
        factor = int(rng.integers(least, most, endpoint=True)) / max(image.shape)
        return resized(image, mask, *(max(1, round(side * factor)) for side in image.shape))


@TRANSFORMS.register_module()
class Pad:
    """Pad at the bottom and the right to a least size.

    Arguments:
        size: Least height and width in px.
        pad_value: Grey level of the padding, which holds no target.
    """

    def __init__(self, *, size: int, pad_value: int = 0):
        self.size = size
        self.pad_value = pad_value

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        return padded(image, mask, self.size, self.pad_value)


@TRANSFORMS.register_module()
class RandomCrop:
    """Cut a square out of an image; a smaller image is first padded with zeros at the bottom and the right.

    Arguments:
        size: Side of the square in px.
        on_target: Chance that the square is drawn from those that hold a random target pixel, where there is one.
    """

    def __init__(self, *, size: int, on_target: float = 0.0):
        self.size = size
        self.on_target = on_target

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        # 20 times as fast on booleans
        top, left, side = self.draw(mask.shape, lambda: np.flatnonzero(mask != 0), rng)
        window = (slice(top, top + side), slice(left, left + side))
        image, mask = padded(image, mask, side, 0)
        return resized(image[window], mask[window], self.size, self.size)

    def draw(self, shape: tuple[int, ...], targets: Callable[[], np.ndarray], rng: np.random.Generator) -> tuple[int, int, int]:
        """Choose a square.

        Arguments:
            shape: Height and width of the image.
            targets: Function that gives the positions of the target's pixels in the flattened image, in ascending order.
            rng: Where the chances come from.

        Returns:
            tuple[int, int, int]: Top, left and side in px; a part beyond the bottom or the right is zeros.
        """
        side = self.side(rng)
        last = [max(0, length - side) for length in shape]
        low, high = (0, 0), last
        if self.on_target and rng.random() < self.on_target:
            pixels = targets()
            if len(pixels):
                pixel = divmod(int(pixels[rng.integers(len(pixels))]), shape[1])
                low = tuple(max(0, place - side + 1) for place in pixel)
                high = tuple(min(place, end) for place, end in zip(pixel, last, strict=True))
        top, left = (int(rng.integers(a, b, endpoint=True)) for a, b in zip(low, high, strict=True))
        return top, left, side

    def side(self, rng: np.random.Generator) -> int:
        """Side of the square in px, before it is resized to `size`."""
        return self.size


@TRANSFORMS.register_module()
class RandomZoomedCrop(RandomCrop):
    """Cut a square of a random side out of an image, as `RandomCrop` does, and resize it: a zoom of the part that is used.

    Arguments:
        size: Side in px of the result.
        on_target: As of `RandomCrop`.
        prob: Chance of a zoom.
        scale: Its least and greatest factor, drawn evenly on a logarithmic scale.
    """

    def __init__(self, *, size: int, on_target: float = 0.0, prob: float = 0.5, scale: tuple[float, float] = (0.8, 1.25)):
        super().__init__(size=size, on_target=on_target)
        self.prob = prob
        self.scale = scale

    def side(self, rng: np.random.Generator) -> int:
        factor = np.exp(rng.uniform(*np.log(self.scale))) if rng.random() < self.prob else 1.0
        return max(1, round(self.size / factor))


@TRANSFORMS.register_module()
class GaussianBlur:
    """Blur the image; the mask stays.

    Arguments:
        prob: Chance of a blur.
        sigma: Least and greatest standard deviation in px.
    """

    def __init__(self, *, prob: float = 0.5, sigma: tuple[float, float] = (0.0, 1.0)):
        self.prob = prob
        self.sigma = sigma

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        if rng.random() < self.prob:
            sigma = rng.uniform(*self.sigma)
            if sigma > 0:
                image = cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), sigma)
        return image, mask


@TRANSFORMS.register_module()
class LargeScaleJitter:
    """Scale by a random factor, then cut a random window or pad at the bottom and the right, to one size.

    Source: Ghiasi et al., "Simple Copy-Paste", CVPR 2021, as IPIC-Lab/IRSAM takes it over from HQ-SAM.

    Arguments:
        scale: Least and greatest factor.
        size: Side in px of the result, and of the scaled image at factor 1.
        pad_value: Grey level of the padding, which holds no target.
    """

    def __init__(self, *, scale: tuple[float, float], size: int, pad_value: int = 128):
        self.scale = scale
        self.size = size
        self.pad_value = pad_value
        self.crop = RandomCrop(size=size)

    def __call__(self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> Pair:
        side = max(1, round(self.size * rng.uniform(*self.scale)))
        image, mask = padded(*resized(image, mask, side, side), self.size, self.pad_value)
        return self.crop(image, mask, rng)


def resized(image: np.ndarray, mask: np.ndarray, height: int, width: int) -> Pair:
    """Both at another size: the image bilinearly, by area where it shrinks; the mask by nearest neighbour.

    Pixel centres of both agree (OpenCV's plain nearest neighbour would be off by up to half a pixel).
    """
    if image.shape == (height, width):
        return image, mask
    shrinks = height < image.shape[0] or width < image.shape[1]
    image = cv2.resize(
        np.ascontiguousarray(image), (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return image, cv2.resize(np.ascontiguousarray(mask), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def padded(image: np.ndarray, mask: np.ndarray, size: int, value: int) -> Pair:
    """Both with rows and columns added at the bottom and the right up to a least size; the mask's are zero."""
    extra = [(0, max(0, size - side)) for side in image.shape]
    if not any(after for _, after in extra):
        return image, mask
    return np.pad(image, extra, constant_values=value), np.pad(mask, extra)
