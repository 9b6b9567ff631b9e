"""Files of a report that the page carries in itself: figures as data URIs, the audit as HTML."""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from markdown_it import MarkdownIt

from irsam_zoo.datasets.reader import open_picture
from irsam_zoo.zoo.errors import ZooError
from irsam_zoo.zoo.reading import MB, read_text

if TYPE_CHECKING:
    from PIL import Image

WEBP_QUALITY = 90
WHITE, MOST_OF_IT = 250, 0.4  # level and share of the ground that a figure is drawn on; matrices and images leave less of it
MOST_PIXELS, MOST_SIDE = 20_000_000, 16_383  # of a figure; the side is WebP's
MOST_LETTERS = 2_000  # of a caption
MOST_OF_A_TEXT = 4 * MB


def embedded_figures(folder: Path, budget: int, tell: Callable[[str], object]) -> list[dict[str, Any]]:
    """The figures of a folder in the order of their names, the smallest embedded first until the room is spent.

    Arguments:
        folder (pathlib.Path): With PNG files, or not there.
        budget: Characters that they may take.
        tell: Called with a line for each file that is left out: it is no PNG of up to 20 million pixels, or a link.

    Returns:
        list[dict]: ``title``; ``caption``, the description in the file, or empty; ``link``; ``source``, a data URI, or None
        where there was no room; and ``drawing``, whether it is drawn on white, and not made of images.
    """
    figures = []
    if folder.is_symlink() or folder.parent.is_symlink():
        tell(f"{folder} is behind a link; its figures are not in the page")
        return figures
    for path in sorted(folder.glob("*.png")):
        try:
            figures.append(_figure(path, f"{quote(folder.name)}/{quote(path.name)}"))
        except ZooError as error:
            tell(f"{error}; it is not in the page")
    for figure in sorted(figures, key=lambda figure: len(figure["source"])):
        budget -= len(figure["source"])
        if budget < 0:
            figure["source"] = None
    return figures


def _figure(path: Path, link: str) -> dict[str, Any]:
    if path.is_symlink():
        raise ZooError(f"{path} is a link")
    caption, picture = open_picture(path, _shown, formats=("PNG",), most=MOST_PIXELS)
    source = f"data:image/webp;base64,{base64.b64encode(_webp(picture)).decode()}"
    drawing = np.mean(np.asarray(picture.convert("L")) > WHITE) > MOST_OF_IT
    return {"title": path.stem.replace("_", " "), "caption": caption, "link": link, "source": source, "drawing": bool(drawing)}


def _shown(image: "Image.Image") -> "tuple[str, Image.Image]":
    """The description in a picture, and its pixels."""
    if max(image.size) > MOST_SIDE:
        raise ValueError(f"a side of more than {MOST_SIDE} px")
    return str(image.info.get("Description", ""))[:MOST_LETTERS], image.convert("RGB")


def _webp(picture: "Image.Image") -> bytes:
    """A third of the bytes of a PNG: without loss, or nearly so where that is smaller still, as with photographs."""
    forms = []
    for form in (dict(lossless=True), dict(quality=WEBP_QUALITY)):
        data = io.BytesIO()
        picture.save(data, "webp", **form)
        forms.append(data.getvalue())
    return min(forms, key=len)


def markdown_page(path: Path) -> str | None:
    """A Markdown file as HTML, its headings below the page's own, or None where there is no such file.

    HTML in the file is shown as text, and links to scripts are none.
    """
    if not path.is_file() or path.is_symlink():
        return None
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(read_text(path, MOST_OF_A_TEXT))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return markdown.renderer.render(tokens, markdown.options, {})
