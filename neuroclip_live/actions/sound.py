"""Play a sound by whatever player the system has.

Rejected: a library for audio. Those that bring everything with them are megabytes for one beep, the others
need the same system packages as the players, which every desktop has.
"""

from __future__ import annotations

import shutil
from typing import Any

from neuroclip_live.actions.command import run_program
from neuroclip_live.actions.effect import Beside, Given
from neuroclip_live.actions.triggers import Firing
from neuroclip_live.bounded import home_expanded
from neuroclip_live.errors import UserError

PLAYERS = (
    ("pw-play",),
    ("paplay",),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"),
    ("aplay", "-q"),
)
"""The first that is installed is used."""


class Sound:
    """A file with a sound."""

    key = "sound"

    def __init__(self, value: Any, given: Given) -> None:
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise UserError('give a file, as in "ding.wav"')
        try:
            self._path = (given.folder / home_expanded(value)).resolve()
            there = self._path.is_file()
        except OSError as error:
            raise UserError(f"{value}: {error.strerror}") from None
        if not there:
            raise UserError(f"there is no file {self._path}; give one from the folder of the actions' file")
        self._given = given

    def plan(self, firing: Firing) -> str:
        """Return which sound."""
        return f"play {self._path.name}"

    def trouble(self) -> str:
        """Say so where there is no player."""
        if any(shutil.which(player[0]) for player in PLAYERS):
            return ""
        return f"nothing here plays sounds: install one of {', '.join(player[0] for player in PLAYERS)}"

    def carry_out(self, firing: Firing, beside: Beside) -> str:
        """Play it to its end, or the time limit."""
        player = next((player for player in PLAYERS if shutil.which(player[0])), None)
        if player is None:
            raise UserError(self.trouble())
        run_program([*player, str(self._path)], self._given.folder, self._given.timeout_s, beside)
        return f"played {self._path.name}"
