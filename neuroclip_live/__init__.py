"""neuroclip-live: type any words and see live which of them an event camera sees."""

from __future__ import annotations

__version__ = "0.1.0"
