"""The recordings that ship with the project, all simulated; ``recordings/make.py`` makes them again."""

from __future__ import annotations

from pathlib import Path

from neuroclip_live.errors import UserError

DEMO = "tour.aedat4"
"""What the program opens on when it is told nothing."""
DEMO_PROMPTS = "a car, a giraffe, an umbrella, a chair, a bicycle, glasses, a dog, a hand"
DIGIT_PROMPTS = ", ".join(f"the digit {digit}" for digit in range(10))
DEMO_WORDS = {
    "tour.aedat4": DEMO_PROMPTS,
    "dog.aedat4": DEMO_PROMPTS,
    "digits.aedat4": DIGIT_PROMPTS,
    "several.aedat4": "a car, a mug, an airplane, a bottle, scissors",
}
"""Words for each, among which are those of its things."""


def demo_recording(name: str | None = None) -> str:
    """Return the path of a recording that ships with the project; the first one by default.

    Raises
    ------
    UserError
        When there is none of that name.
    """
    here = Path(__file__).resolve()
    installed = here.parent / "demo_recordings"  # in a wheel; a checkout has the folder at its top
    folder = installed if installed.is_dir() else here.parents[2] / "recordings"
    files = sorted(folder.glob("*.aedat4")) if folder.is_dir() else []
    if not files:
        raise UserError(
            f"No demo recordings are in {folder}. Install the package again, or use --replay FILE."
        )
    chosen = files if name is None else [file for file in files if file.stem == name.removesuffix(".aedat4")]
    if not chosen:
        raise UserError(
            f"No demo recording is called {name!r}. Choose from: {', '.join(f.stem for f in files)}."
        )
    return str(chosen[0])
