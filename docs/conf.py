"""The documentation site: ``sphinx-build -W --keep-going -n docs site``.

The same Markdown files are read on a code host, so links between them are plain relative paths. MyST turns
them into links of the site; with ``-W`` a link to a page or a heading that is not there stops the build,
and so does a notebook with a cell that fails: each is executed anew, from the checkout.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [str(ROOT), str(ROOT / "drivers"), str(ROOT / "gui")]
sys.path[:0] = PACKAGES
os.environ["PYTHONPATH"] = os.pathsep.join(PACKAGES)  # for the notebooks, which run in processes of their own

project = "neuroclip-live"
author = "The neuroclip-live developers"
copyright = "2026, the neuroclip-live developers. Apache-2.0"

extensions = ["myst_nb"]  # MyST's parser, and notebooks, which it executes
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
myst_heading_anchors = 4

html_theme = "furo"
html_title = "neuroclip-live"
html_static_path: list[str] = []
