"""Lists of words that real recordings are asked with: written down before anything was measured with them."""

from __future__ import annotations

NINE = ("phone", "person", "box", "computer mouse", "pencil", "mug", "hand", "scissors", "box cutter")
"""A realistic list: what the nine recordings at hand show."""

OTHERS = {
    "desk": (
        "keyboard", "notebook", "stapler", "pen", "ruler", "eraser", "lamp", "calculator", "headphones",
        "monitor", "tape dispenser", "paper clip", "glue stick", "marker", "envelope", "folder", "charger",
        "webcam", "speaker",
    ),
    "kitchen": (
        "bowl", "plate", "fork", "spoon", "knife", "bottle", "glass", "teapot", "kettle", "pan",
        "can opener", "apple", "banana", "toaster", "jar", "corkscrew", "whisk", "cutting board",
        "salt shaker",
    ),
    "tools": (
        "hammer", "screwdriver", "pliers", "wrench", "drill", "saw", "tape measure", "flashlight", "nail",
        "screw", "paintbrush", "axe", "shovel", "ladder", "bucket", "rope", "chisel", "file",
        "spirit level",
    ),
    "outdoors": (
        "dog", "cat", "bird", "fish", "horse", "tree", "flower", "car", "bicycle", "bus", "truck",
        "airplane", "boat", "house", "chair", "table", "umbrella", "ball", "bee",
    ),
    "personal": (
        "watch", "glasses", "wallet", "keys", "backpack", "shoe", "hat", "glove", "comb", "toothbrush",
        "umbrella", "book", "coin", "lipstick", "camera", "remote control", "headphones", "ring", "belt",
    ),
}  # fmt: skip
"""Five lists of 19 near and everyday words; the right one is the twentieth."""

REAL_DEV = ("mug", "phone", "hand")
"""Real recordings that choices may be made by; the others are for the one measurement at the end."""
