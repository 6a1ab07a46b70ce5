"""Where commands are found: menus, tool bar, and the list of prompts. A name with * is a sub-menu."""

from __future__ import annotations

SEPARATOR = ""
MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "&File",
        ("open", "*recent", "*demo", "camera", "network", SEPARATOR, "snapshot", "copy", SEPARATOR, "quit"),
    ),
    (
        "&Play",
        (
            "play",
            "step_back",
            "step_on",
            "skip_back",
            "skip_on",
            "restart",
            SEPARATOR,
            "slower",
            "faster",
            "loop",
            SEPARATOR,
            "mark_in",
            "mark_out",
            "mark_clear",
        ),
    ),
    (
        "P&rompts",
        (
            "add",
            "rename",
            "remove",
            "negative",
            "enabled",
            "move_up",
            "move_down",
            "remove_all",
            SEPARATOR,
            "templates",
            "*smoothing",
            SEPARATOR,
            "import",
            "export",
        ),
    ),
    (
        "&View",
        (
            "*accumulate",
            "*event_colours",
            "*theme",
            SEPARATOR,
            "freeze",
            "fit",
            "frames",
            SEPARATOR,
            "*panels",
            "desk",
            "full",
            "reset_layout",
        ),
    ),
    ("&Help", ("shortcuts", "reset", "about")),
)
TOOL_BAR = (
    "open",
    "*demo",
    "camera",
    "network",
    "|",
    "freeze",
    "snapshot",
    "fit",
    ">",
    "*accumulate",
    "*event_colours",
    "|",
    "next_theme",
    "desk",
    "shortcuts",
)
IN_LIST = ("rename", "negative", "enabled", "move_up", "move_down", "remove")
