"""What the simulated camera shows when it is given no picture, and words for it: no more than names."""

from __future__ import annotations

SHOW = (
    "a mug", "headphones", "a chair", "scissors", "an umbrella", "a bottle", "a tree", "glasses", "a car",
    "an airplane", "a ladder", "a light bulb",
)  # fmt: skip
"""What is shown, in turn."""
SHOW_PROMPTS = ", ".join([*SHOW, "a dog", "a hand"])
"""Words for it, and two that never fit."""
