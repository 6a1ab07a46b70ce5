"""How much of everything a run of ``training.make`` does: the bundled model's amounts, and a quick try."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from training.distillation import DistillSettings
from training.text_tower import TEXT_CFG
from training.train_image import Plan, Turn

HELD_OUT_CLASSES = (
    "ant", "brontosaurus", "cannon", "chandelier", "crayfish", "dalmatian", "emu", "gerenuk",
    "helicopter", "lobster", "metronome", "nautilus", "platypus", "revolver", "saxophone", "sea horse",
    "starfish", "stop sign", "strawberry", "trilobite",
)  # fmt: skip
"""Caltech classes that training never sees: drawn at random from those that are not everyday things."""

HELD_OUT_MESHES = (
    "acacia", "air mattress", "alpaca", "anglerfish", "ashtray", "bidet", "bootie", "bush",
    "butterfly fish", "candelabrum", "cannonball", "card game", "chalice", "chessboard", "chimney",
    "clothes basket", "coffee table", "copper beech", "cowfish", "cup cake", "cypress", "deck chair",
    "dinosaur", "diving board", "doll", "doll house", "double door", "dustbin", "escalator",
    "exterior door", "extinguisher", "flag", "flipper", "fork lift", "futon", "gift", "hammock",
    "houseplant", "kitchen sink", "lamppost", "lettuce", "moccasin", "night stand", "parchment", "pottery",
    "pouch", "recycling bin", "red snapper", "rock group", "round table", "sailing ship", "sandpit",
    "screen door", "shower stall", "sliding window", "sniper rifle", "spathiphyllum", "spider plant",
    "squeezer", "staircase", "stairs", "steak", "step ladder", "street lamp", "streetlight",
    "submachine gun", "suv", "swimming pool", "swordfish", "table tennis", "tuna", "turbot",
    "upright piano", "urinal", "wasp", "water cooler", "white lily", "window blind", "witch", "yucca",
)  # fmt: skip
"""Nouns of named meshes that training never sees, in no picture of any kind: 80 drawn at random (seed 7) from
the 101 that are nouns of WordNet or of CLIP's table and that no icon, photograph or solid is called."""

SECOND = Plan(
    steps=4268,
    batch=48,
    stages=((0.4, 72), (1.0, 96)),
    mix=(0.50, 0.21, 0.19, 0.07, 0.03),
    rate=8e-4,
    warm_up=80,
    buffer=4000,
    gentle=0.5,
    photo_power=0.65,
    scale=30.0,
    turns=(Turn(0.8, reuse=1.25),),
)
"""The image tower's second half, towards words and looks."""


@dataclass(frozen=True)
class TextPlan:
    """The stages of the text tower.

    Attributes
    ----------
    plain
        From nothing, towards the teacher.
    through_head
        On, towards the teacher as the image side's text head moves it, with the pictures' sentences.
    polish
        On, mostly on the pictures' own sentences.
    looks
        On, towards words and looks joined.
    cfg
        open_clip's ``text_cfg``.
    important
        How many pictures make a name important enough to be shown :attr:`again` times more in the last stage.
    again, others
        Those times, and how many texts other than the pictures' go into the last stage.
    limit
        Use only this many texts in the first two stages; ``None`` for all.
    lemmas
        Use only this many of ImageNet's lemmas in the last; ``None`` for all.
    """

    plain: DistillSettings = field(default_factory=lambda: DistillSettings(steps=1200, lr=2e-3))
    through_head: DistillSettings = field(default_factory=lambda: DistillSettings(steps=700, lr=1e-3))
    polish: DistillSettings = field(
        default_factory=lambda: DistillSettings(steps=200, lr=6e-4, relational=0.1)
    )
    looks: DistillSettings = field(
        default_factory=lambda: DistillSettings(steps=2900, lr=1.2e-3, relational=0.15)
    )
    cfg: dict[str, int] = field(default_factory=lambda: dict(TEXT_CFG))
    important: int = 8
    again: int = 3
    others: int = 60_000
    limit: int | None = None
    lemmas: int | None = None


@dataclass(frozen=True)
class Settings:
    """How much of everything; the defaults make the bundled model.

    ``plan`` and ``second`` are the image tower's two halves. ``most_nouns`` and ``most_pictures`` (of each
    noun) limit the photographs and the icons; ``None``: all.
    """

    plan: Plan = field(default_factory=Plan)
    second: Plan = SECOND
    text: TextPlan = field(default_factory=TextPlan)
    processes: int = 2
    trial_scenes: int = 400
    held_out: tuple[str, ...] = HELD_OUT_CLASSES
    solids: bool = True
    most_nouns: int | None = None
    most_pictures: int | None = None


def seeded(settings: Settings, seed: int) -> Settings:
    """Return the settings with every random choice drawn from ``seed``."""
    text = settings.text
    stages = {
        name: replace(getattr(text, name), seed=seed) for name in ("plain", "through_head", "polish", "looks")
    }
    plans = {name: replace(getattr(settings, name), seed=seed) for name in ("plan", "second")}
    return replace(settings, text=replace(text, **stages), **plans)


def quick(settings: Settings) -> Settings:
    """Return settings that go through every stage in a few minutes; what they make is good for nothing.

    Both towers have their full sizes, so that the files are those of the real thing.
    """
    few = {"batch": 256, "steps": 20}
    text = replace(
        settings.text,
        plain=replace(settings.text.plain, **few),
        through_head=replace(settings.text.through_head, **few),
        polish=replace(settings.text.polish, **few),
        looks=replace(settings.text.looks, **few),
        others=1000,
        limit=4000,
        lemmas=500,
    )
    less = {"steps": 60, "warm_up": 10, "buffer": 400, "candidates": 128}
    plan, second = replace(settings.plan, **less), replace(settings.second, **less)
    fewer = replace(settings, plan=plan, second=second, text=text)
    return replace(fewer, trial_scenes=60, most_nouns=150, most_pictures=20)
