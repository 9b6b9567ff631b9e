"""The report as one page that needs no other file and no network."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from irsam_zoo.reports.cell_texts import NOT_REAL
from irsam_zoo.reports.page.embedded import embedded_figures, markdown_page
from irsam_zoo.reports.page.images import image_browser
from irsam_zoo.reports.page.recut_tables import AS_RUN, page_cuts
from irsam_zoo.reports.page.tables import page_tables
from irsam_zoo.reports.report import beside_folders, counts_in
from irsam_zoo.reports.row_files import RowFiles
from irsam_zoo.reports.table_line import MARKS
from irsam_zoo.zoo.terminal import warn

if TYPE_CHECKING:
    from irsam_zoo.reports.report import ReportOptions
    from irsam_zoo.results.stored_rows import StoredRows

FOLDER = Path(__file__).parent
SCRIPTS = ("dom", "tip", "table", "details", "gallery", "viewer", "page")
# Characters that figures and pictures may take, so that a page can be sent around. Tables take some thousand a row besides, and
# some thousand more under each policy (`recut_tables.MOST`).
FIGURES, PICTURES = 5_000_000, 8_000_000


def page(stored: "StoredRows", options: "ReportOptions") -> dict[str, str]:
    """``index.html``. The figures and the audit that are in the report's folder become part of it.

    Arguments:
        stored (results.stored_rows.StoredRows): The rows. Where they are cut by a policy, the page opens with it.
        options (reports.report.ReportOptions): The page opens with its protocol and columns.

    Returns:
        dict: Its text by the name of its file.
    """
    store, policy = stored.store, stored.policy
    behind, folder, manifests = RowFiles(store, options.data_root), store.out / "report", store.manifests()
    cuts = page_cuts(stored, behind)
    named = [name for name in cuts if name != AS_RUN]
    beside = [page_cuts(other, RowFiles(other.store, options.data_root), named) for other in beside_folders(stored, options)]
    data, sections = page_tables(cuts, manifests, options, beside)
    data |= {
        "images": image_browser(sections, counts_in([each[AS_RUN] for each in (cuts, *beside)]), behind, PICTURES),
        "marks": MARKS,
        "notReal": NOT_REAL,
        "opensWith": {"protocol": options.protocol, "policy": str(policy) if policy else AS_RUN},
    }
    style, script = (FOLDER / "page.css").read_text(encoding="utf-8"), _script()
    text = (
        _environment()
        .get_template("page.html")
        .render(
            data=data,
            figures=embedded_figures(folder / "figures", FIGURES, warn),
            audit=markdown_page(folder / "audit.md"),
            manifests=manifests[::-1],
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )
    return {"index.html": text}


def _script() -> str:
    return "\n".join((FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def _hash(text: str) -> str:
    """What a content security policy names an inline script or style by: nothing else runs on the page."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["json.dumps_kwargs"] = dict(separators=(",", ":"), allow_nan=False)
    return environment
