"""Errors that are the user's to mend, told in one line."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right: a wrong path, a missing camera, an unknown model.

    The message is one line: what is wrong, with which file or device, and what to do next. The command line
    prints it and exits with status 2; the window shows it as a banner.
    """
