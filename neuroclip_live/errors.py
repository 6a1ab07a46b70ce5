"""Errors that are the user's to mend, told in one line."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right: a wrong path, a missing camera, an unknown model.

    The message is one line: what is wrong, with which file or device, and what to do next. The command line
    prints it and exits with status 2; the window shows it as a banner.
    """


def reason_of(error: Exception) -> str:
    """Return what an exception has to say in one line; of some only the kind tells anything."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
