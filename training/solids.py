"""A catalog of everyday things as solids of random proportions, each under its names.

Why it exists: icons show things from the front, but a real phone, mouse or cutter turning on a desk is
mostly seen edge-on and foreshortened. Which *kinds* of things are here (handheld, on a desk, in a kitchen or
a toolbox) was chosen after looking at real desk recordings; no shape, size or pose was measured from them.
"""

from __future__ import annotations

from training import (
    solids_desk,
    solids_home,
    solids_kitchen,
    solids_moving,
    solids_small,
    solids_tools,
    solids_worn,
)
from training.solid_parts import CATALOG

__all__ = ["CATALOG", "MODULES"]

MODULES = (solids_kitchen, solids_desk, solids_tools, solids_small, solids_home, solids_worn, solids_moving)
"""Importing them fills the catalog."""
