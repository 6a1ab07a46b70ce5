"""Predictions for Foxglove: live over its WebSocket protocol, or into an MCAP file."""

from __future__ import annotations

import os
from typing import IO

import foxglove
from foxglove.mcap import MCAPWriteOptions

from neuroclip_drivers.network.host_port import parse_host_port
from neuroclip_live.bounded import home_expanded
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.foxglove_messages import FoxgloveTopics
from neuroclip_live.recognition.prediction import Prediction
from neuroclip_live.recognition.run_facts import Header, Summary

HOST, PORT = "127.0.0.1", 8765
BACKLOG = 64
"""Messages kept for each viewer that reads too slowly; beyond it Foxglove's server drops the oldest."""


class FoxgloveOutput:
    """Serves Foxglove viewers on this machine; none of them can change anything.

    Parameters
    ----------
    argument : str
        The port; 8765, which Foxglove asks for by itself, where nothing is given.

    Raises
    ------
    UserError
        When that is no port, or it cannot be listened at.
    """

    def __init__(self, argument: str) -> None:
        hint = "foxglove takes a port: write --output foxglove, or foxglove:8765"
        everywhere = argument.startswith(":")
        told = argument.removeprefix(":") or str(PORT)
        host, port = parse_host_port(told, hint, port_alone=True, any_port=True)
        if everywhere or (host and host not in (HOST, "localhost")):  # its server asks nobody who they are
            raise UserError(
                "foxglove serves this machine only: from another one, connect through "
                f"`ssh -L {PORT}:{HOST}:{port} HOST`"
            )
        context = foxglove.Context()
        self._topics = FoxgloveTopics(context)
        try:
            self._server = foxglove.start_server(
                name="neuroclip-live",
                host=HOST,
                port=port,
                context=context,
                message_backlog_size=BACKLOG,
            )
        except RuntimeError as error:
            why = str(error).removeprefix("FoxgloveError: ")
            raise UserError(
                f"cannot listen on {HOST}:{port}: {why}; choose another --output foxglove:PORT"
            ) from None
        self.port: int = self._server.port

    def open(self, header: Header) -> None:
        """Take in what holds from now on."""
        self._topics.begin(header)

    def write(self, prediction: Prediction) -> None:
        """Hand a prediction to whoever watches."""
        self._topics.log(prediction)

    def close(self, summary: Summary | None) -> None:
        """Say what was counted, and end."""
        if summary is not None:
            self._topics.end(summary)
        self._server.stop()


class McapOutput:
    """Writes an MCAP file, which Foxglove and others play; compressed, and never over another file.

    Parameters
    ----------
    argument : str
        The file.

    Raises
    ------
    UserError
        When it cannot be written; from :meth:`write` when it no longer can.
    """

    def __init__(self, argument: str) -> None:
        if not argument:
            raise UserError("mcap needs a file: write --output mcap:FILE.mcap")
        self._file = _NewFile(argument)
        context = foxglove.Context()
        options = MCAPWriteOptions(compression_threads=0)  # the other cores are for recognition
        self._writer = foxglove.open_mcap(self._file, context=context, writer_options=options)
        self._topics = FoxgloveTopics(context)
        self._closed = False

    def open(self, header: Header) -> None:
        """Take in what holds from now on."""
        self._topics.begin(header)

    def write(self, prediction: Prediction) -> None:
        """Write a prediction."""
        self._topics.log(prediction)
        self._file.check()

    def close(self, summary: Summary | None) -> None:
        """Write what was counted and the file's index. What a full disk has no room for was told before."""
        if self._closed:
            return
        self._closed = True
        told_before = self._file.failure is not None
        if summary is not None:
            self._topics.end(summary)
        self._writer.close()
        self._file.close()
        if not told_before:
            self._file.check()


class _NewFile:
    """A file that takes everything: the writer would log a full disk, which :meth:`check` raises instead.

    The writer goes back to fill in sizes and looks where it is, so places are kept of all it wrote.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.failure: OSError | None = None
        self._at = self._end = 0
        try:
            self._file: IO[bytes] = home_expanded(name).open("xb", buffering=0)
        except FileExistsError:
            raise UserError(f"{name} is there already: choose another --output mcap:FILE") from None
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError(f"cannot write {name}: {reason}; choose another --output mcap:FILE") from None

    def write(self, data: bytes) -> int:
        """Write, or note why not; after a failure nothing more is written."""
        written = len(data)
        if self.failure is None:
            try:
                written = self._file.write(data)
            except OSError as error:
                self.failure = error
        self._at += written
        self._end = max(self._end, self._at)
        return written

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go elsewhere."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        if self.failure is None:
            try:
                self._file.seek(self._at)
            except OSError as error:  # a pipe
                self.failure = error
        return self._at

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def check(self) -> None:
        """Raise UserError where something could not be written."""
        if self.failure is not None:
            why = self.failure.strerror or self.failure
            raise UserError(f"writing {self._name} failed: {why}; what came before is kept")

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error
