"""Print the first shell block after a heading of the README, so that what is documented is what is run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

heading = sys.argv[1]
text = Path("README.md").read_text(encoding="utf-8")
found = re.search(rf"^#+ {re.escape(heading)}$.*?^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
if not found:
    sys.exit(f"README.md has no shell block under {heading!r}")
sys.stdout.write(found[1])
