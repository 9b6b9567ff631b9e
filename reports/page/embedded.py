"""Files of a report that the page carries in itself: figures as data URIs, the audit as HTML."""

import base64
import io
from urllib.parse import quote

from markdown_it import MarkdownIt
from PIL import Image

WEBP_QUALITY = 90


def embedded_figures(folder, budget):
    """The figures of a folder in the order of their names, the smallest embedded first until the room is spent.

    Arguments:
        folder (pathlib.Path): With PNG files, or not there.
        budget: Characters that they may take.

    Returns:
        list[dict]: ``title``; ``caption``, the description in the file, or empty; ``link``; and ``source``, a data URI, or None
        where there was no room.
    """
    figures = [_figure(path, f"{quote(folder.name)}/{quote(path.name)}") for path in sorted(folder.glob("*.png"))]
    for figure in sorted(figures, key=lambda figure: len(figure["source"])):
        budget -= len(figure["source"])
        if budget < 0:
            figure["source"] = None
    return figures


def _figure(path, link):
    with Image.open(path) as image:
        caption, picture = image.info.get("Description", ""), image.convert("RGB")
    source = f"data:image/webp;base64,{base64.b64encode(_webp(picture)).decode()}"
    return {"title": path.stem.replace("_", " "), "caption": caption, "link": link, "source": source}


def _webp(picture):
    """A third of the bytes of a PNG: without loss, or nearly so where that is smaller still, as with photographs."""
    forms = []
    for form in (dict(lossless=True), dict(quality=WEBP_QUALITY)):
        data = io.BytesIO()
        picture.save(data, "webp", **form)
        forms.append(data.getvalue())
    return min(forms, key=len)


def markdown_page(path):
    """A Markdown file as HTML, its headings below the page's own, or None where there is no such file.

    HTML in the file is shown as text, and links to scripts are none.
    """
    if not path.is_file():
        return None
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return markdown.renderer.render(tokens, markdown.options, {})
