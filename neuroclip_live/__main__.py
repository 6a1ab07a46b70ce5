"""``python -m neuroclip_live``."""

from __future__ import annotations

import sys

from neuroclip_live.cli import main

sys.exit(main())
