"""Tables and figures made from stored results."""

import zoo  # noqa: F401 - before anything here imports mmengine: see zoo._yapf
