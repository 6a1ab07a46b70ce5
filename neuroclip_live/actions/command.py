"""Run a program: an argument list that no shell reads, with a time limit, and an end of all it started."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from neuroclip_live.actions.effect import Beside, Given, filled
from neuroclip_live.actions.triggers import Firing
from neuroclip_live.errors import UserError

GRACE_S = 1.0
"""So long a program may go on when the run ends."""
_LOOK_S = 0.05


class Command:
    """A program and its arguments; blanks are filled in, and each stays one argument, whatever is in it."""

    key = "run"

    def __init__(self, value: Any, given: Given) -> None:
        whole = isinstance(value, list) and value and all(isinstance(v, str) and "\0" not in v for v in value)
        if not whole or not value[0].strip():
            raise UserError('give a list of strings, as in ["notify-send", "{label}"]; no shell reads it')
        self._arguments, self._given = tuple(value), given

    def plan(self, firing: Firing) -> str:
        """Return the command with the blanks filled in."""
        return f"run {self._filled(firing)}"

    def trouble(self) -> str:
        """Say so where there is no such program."""
        program = self._arguments[0]
        if "{" in program or shutil.which(_from(self._given.folder, program)):
            return ""
        return f"{program} is no program that can be run here"

    def carry_out(self, firing: Firing, beside: Beside) -> str:
        """Run it, and wait for its end, the time limit, or the end of the run."""
        arguments = self._filled(firing)
        run_program(arguments, self._given.folder, self._given.timeout_s, beside)
        return f"ran {arguments[0]}"

    def _filled(self, firing: Firing) -> list[str]:
        return [filled(part, firing) for part in self._arguments]


def run_program(arguments: Sequence[str], folder: Path, limit_s: float, beside: Beside) -> None:
    """Run a program in a folder and wait for it.

    Raises
    ------
    UserError
        When it cannot be run, fails, takes longer than ``limit_s`` or than the run.
    """
    program = arguments[0]
    try:
        # a group of its own, so that what it started ends with it
        process = subprocess.Popen(
            [_from(folder, program), *arguments[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{program} cannot be run: {getattr(error, 'strerror', None) or error}") from None
    end, why = monotonic() + limit_s, f"took longer than {limit_s:g} s"
    stopping = False
    while True:
        try:
            status = process.wait(_LOOK_S)
            break
        except subprocess.TimeoutExpired:
            if beside.stop.is_set() and not stopping:
                stopping = True
                if monotonic() + GRACE_S < end:
                    end, why = monotonic() + GRACE_S, "was still at work when the run ended"
            if monotonic() > end:
                _end(process)
                raise UserError(f"{program} {why} and was ended") from None
    if status:
        raise UserError(f"{program} ended with status {status}")


def _from(folder: Path, program: str) -> str:
    """Return a program's path: one with a slash is meant from the folder, another is looked up as usual."""
    return str((folder / program).resolve()) if "/" in program else program


def _end(process: subprocess.Popen[bytes]) -> None:
    for each in _started_by(process.pid):  # looked up before: what has lost its parent is found no more
        with contextlib.suppress(OSError):
            os.kill(each, signal.SIGKILL)
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _started_by(process: int) -> list[int]:
    """Return what a process started, and what that did, also in groups of their own; Linux tells."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for listed in Path(f"/proc/{process}/task").glob("*/children"):
            for child in map(int, listed.read_text().split()):
                found += [*_started_by(child), child]
    return found
