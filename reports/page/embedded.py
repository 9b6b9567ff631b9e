"""Files of a report that the page carries in itself: figures as data URIs, the audit as HTML."""

import base64
from urllib.parse import quote

from markdown_it import MarkdownIt
from PIL import Image

TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


def embedded_figures(folder, budget):
    """The figures of a folder in the order of their names, the smallest embedded first until the room is spent.

    Arguments:
        folder (pathlib.Path): With PNG and SVG files, or not there. Of a figure in both formats the smaller file is taken.
        budget: Characters that they may take.

    Returns:
        list[dict]: ``title``; ``caption``, the description in the file, or empty; ``link``; and ``source``, a data URI, or None
        where there was no room.
    """
    smallest = {}
    for path in sorted(folder.glob("*"), key=lambda path: path.stat().st_size):
        if path.suffix in TYPES:
            smallest.setdefault(path.stem, path)
    figures = {}
    for stem, path in smallest.items():
        source = f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
        budget -= len(source)
        link = f"{quote(folder.name)}/{quote(path.name)}"
        figures[stem] = {
            "title": stem.replace("_", " "),
            "caption": _caption(path),
            "link": link,
            "source": source if budget >= 0 else None,
        }
    return [figures[stem] for stem in sorted(figures)]


def _caption(path):
    if path.suffix != ".png":
        return ""
    with Image.open(path) as image:
        return image.info.get("Description", "")


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
