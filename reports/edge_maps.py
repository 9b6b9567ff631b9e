"""Two figures about IRSAM's wavelet Perona-Malik block: edge maps of several operators, and how the block is built.

python -m reports.edge_maps docs/figures
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from skimage.filters import sobel

from irsam_zoo.datasets import build_dataset
from irsam_zoo.zoo.irsam.haar import haar_details
from irsam_zoo.zoo.irsam.wpmd import WaveletDiffusion

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

CANNY_THRESHOLDS = (100, 200)  # those of `zoo.irsam.loss.canny_edges`
# Both diffusions run alike; a contrast of 11.5 grey levels is that of an untrained WPMD (0.2 after normalisation).
CONTRAST = 11.5
STEP = 0.25
ITERATIONS = 4
SCENE = "syn166"
DPI = 130


def perona_malik(
    image: "npt.ArrayLike", *, contrast: float = CONTRAST, step: float = STEP, iterations: int = ITERATIONS
) -> "npt.NDArray[np.float64]":
    """Perona-Malik diffusion on the four nearest neighbours (Perona and Malik, PAMI 1990, eq. 8), no flow through the border.

    Arguments:
        image (np.ndarray): HxW grey levels.
        contrast: k of ``g(d) = 1 / (1 + d^2 / k^2)``, in grey levels.
        step: At most 0.25, the stability bound.
        iterations: Number of steps.

    Returns:
        np.ndarray: HxW float64.
    """
    u = np.asarray(image, np.float64).copy()
    for _ in range(iterations):
        change = np.zeros_like(u)
        for axis in (0, 1):
            difference = np.diff(u, axis=axis)
            flow = difference / (1 + (difference / contrast) ** 2)
            change += np.diff(flow, axis=axis, prepend=0, append=0)
        u += step * change
    return u


def edge_maps(image: "npt.ArrayLike") -> dict[str, np.ndarray]:
    """Edge maps of one image.

    Arguments:
        image (np.ndarray): HxW uint8.

    Returns:
        dict[str, np.ndarray]: HxW maps, higher = more of an edge, under the names Sobel, Canny, Perona-Malik and WPMD. The last
        two are the magnitude of the Haar details after each diffusion; WPMD's is untrained.
    """
    image = np.asarray(image)
    block = WaveletDiffusion(channels=1, contrast=CONTRAST, step=STEP, iterations=ITERATIONS)
    with torch.inference_mode():
        diffused = block(torch.from_numpy(image.astype(np.float32))[None, None])
    return {
        "Sobel": sobel(image.astype(np.float64)),
        "Canny": cv2.Canny(np.ascontiguousarray(image, np.uint8), *CANNY_THRESHOLDS).astype(np.float64),
        "Perona-Malik": _slope(torch.from_numpy(perona_malik(image))[None, None]),
        "WPMD": _slope(diffused),
    }


def draw_edge_maps(image: "npt.ArrayLike", path: str | Path) -> None:
    """Draw an image beside its edge maps and write a PNG.

    Maps are drawn as their square roots, so that weak edges and noise show beside strong edges.

    Arguments:
        image (np.ndarray): HxW uint8.
        path: PNG file; its folder must exist.
    """
    maps = {title: np.sqrt(values) for title, values in edge_maps(image).items()}
    panels = {"Image": np.asarray(image, np.float64), **maps}
    figure = Figure(figsize=(2.2 * len(panels), 2.5), layout="constrained")
    for axes, (title, values) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(values, cmap="gray", vmin=values.min(), vmax=max(np.quantile(values, 0.998), values.min() + 1e-9))
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.savefig(path, dpi=DPI)


def draw_wpmd_block(path: str | Path) -> None:
    """Draw how the block is built and where it enters the encoder, and write a PNG."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 100), ylim=(0, 46))
    axes.set_axis_off()
    axes.add_patch(FancyBboxPatch((12.5, 28), 61, 15.5, boxstyle="round,pad=0.4", fc="#f4f6fa", ec="#8a94a6", ls="--"))
    axes.text(13.5, 41.6, "diffusion: 4 iterations, shared weights", fontsize=8.5, color="#4a5568")

    _box(axes, 5, 35, 8, "image\n$u$")
    _box(axes, 21, 35, 11, "Haar details\n$u_{LH},\\ u_{HL}$")
    _box(axes, 38, 35, 17, "$g(s)=\\dfrac{1}{1+s^2/k^2}$\n$s^2=u_{LH}^2+u_{HL}^2$", height=8)
    _box(axes, 57, 35, 14, "$F_{LH},\\ F_{HL}$\n2x2 depthwise")
    _box(axes, 69, 35, 3.5, "+", height=4)
    for start, end in ((9.3, 15.2), (26.8, 29.2), (46.8, 49.7), (64.3, 67)):
        _arrow(axes, (start, 35), (end, 35))
    axes.plot([11.5, 11.5, 69], [35, 29.3, 29.3], color="#2d3748", lw=1)
    _arrow(axes, (69, 29.3), (69, 32.8))

    stages = [("64", "1/4"), ("128", "1/8"), ("160", "1/16"), ("320", "1/16")]
    centres = [21, 41, 61, 81]
    axes.plot([71, 77.5, 77.5, 5, 5], [35, 35, 25.5, 25.5, 19], color="#2d3748", lw=1)
    _arrow(axes, (5, 19), (13.2, 19))
    axes.text(41, 26.3, "diffused image, at half of the encoder's scale", fontsize=8, color="#4a5568", ha="center")
    _box(axes, 5, 4, 8, "image", fill="#fdf3e3")
    _arrow(axes, (9.3, 4), (13.2, 4))
    for index, ((width, scale), x) in enumerate(zip(stages, centres, strict=True)):
        _box(axes, x, 19, 15, f"structure {index + 1}\n2 conv 3x3, {width} ch, {scale}")
        _box(axes, x, 11.5, 10, f"gate {index + 1} (starts at 0)", height=3, fill="#ffffff", size=7)
        before = "patch embed\n+ " if index == 0 else ""
        _box(axes, x, 4, 15, f"{before}TinyViT stage {index + 1}", fill="#fdf3e3")
        _arrow(axes, (x, 15.7), (x, 13.3))
        _arrow(axes, (x, 9.7), (x, 7.3))
        if index < 3:
            _arrow(axes, (x + 7.8, 19), (x + 12.2, 19))
            _arrow(axes, (x + 7.8, 4), (x + 12.2, 4))
    _arrow(axes, (88.8, 4), (93, 4))
    axes.text(93.5, 4, "neck,\ndecoder", fontsize=8, va="center")
    figure.savefig(path, dpi=DPI)


def _slope(x: torch.Tensor) -> np.ndarray:
    """Magnitude of the Haar details of 1x1xHxW, one value a pixel: that of the corner to its lower right."""
    return torch.hypot(*haar_details(x))[0, 0, 1:, 1:].numpy()


def _box(
    axes: "Axes", x: float, y: float, width: float, text: str, *, height: float = 6, fill: str = "#e6eefb", size: float = 8.5
) -> None:
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.3", fc=fill, ec="#2d3748", lw=0.9))
    axes.text(x, y, text, ha="center", va="center", fontsize=size)


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#2d3748", "lw": 1, "shrinkA": 0, "shrinkB": 0})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    draw_edge_maps(build_dataset("synthetic", subset="all").read(SCENE)["image"], folder / "irsam_edge_maps.png")
    draw_wpmd_block(folder / "irsam_wpmd_block.png")
