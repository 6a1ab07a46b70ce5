"""The documentation site: ``sphinx-build -W --keep-going -n docs site``.

The same Markdown files are read on a code host, so links between them are plain relative paths. MyST turns
them into links of the site; with ``-W`` a link to a page or a heading that is not there stops the build.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "drivers"), str(ROOT / "gui")]

project = "neuroclip-live"
author = "The neuroclip-live developers"
copyright = "2026, the neuroclip-live developers. Apache-2.0"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["notebooks"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "neuroclip-live"
html_static_path: list[str] = []
