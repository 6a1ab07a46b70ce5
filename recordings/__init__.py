"""Small recordings that ship with the project, all simulated; ``make.py`` makes them again."""

from __future__ import annotations

DEMO = "tour.aedat4"
"""What the program opens on when it is told nothing."""
DEMO_PROMPTS = "a dog, a bicycle, scissors, a guitar, a coffee cup, a cat, an airplane, a person"
