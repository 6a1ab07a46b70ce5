"""Errors that are the user's to mend, told in one line."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right: a wrong path, a missing camera, an unknown model.

    The message is one line: what is wrong, with which file or device, and what to do next. The command line
    prints it and exits with status 2; the window shows it as a banner.
    """


class SourceAway(UserError):
    """A camera or a server that cannot be had now, and may come: the window waits for it.

    Parameters
    ----------
    message : str
        The line of the command line, which does not wait.
    name : str
        What is waited for: "a camera", "127.0.0.1:7777".
    advice : str
        How it can be had, for somebody who sits before the window; the message where that says all.
    """

    def __init__(self, message: str, name: str, advice: str = "") -> None:
        super().__init__(message)
        self.name = name
        self.advice = advice or message


def reason_of(error: Exception) -> str:
    """Return what an exception has to say in one line; of some only the kind tells anything."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a Git LFS pointer begins: what a clone holds in place of a large file, until it is pulled."""


def pointer_message(path: object, what: str) -> str:
    """Return what is to be done about a pointer that is found in place of ``what``."""
    return f"{path} is a Git LFS pointer, not {what}. Run 'git lfs pull' in its repository."
