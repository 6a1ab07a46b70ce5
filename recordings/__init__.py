"""Small recordings that ship with the project, all simulated; ``make.py`` makes them again."""

from __future__ import annotations

DEMO = "tour.aedat4"
"""What the program opens on when it is told nothing."""
DEMO_PROMPTS = "a car, a giraffe, an umbrella, a chair, a bicycle, glasses, a dog, a hand"
