"""``python -m neuroclip_live``."""

from __future__ import annotations

from neuroclip_live.start import program

program()
