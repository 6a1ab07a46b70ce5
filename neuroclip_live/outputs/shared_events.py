"""``--serve-events``: what comes in is given to others, as it came, while it is recognized."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from neuroclip_drivers.aedat4.format import Compression
from neuroclip_drivers.awaited import AwaitedSource
from neuroclip_drivers.network.event_server import EventServer, Given, Listener
from neuroclip_drivers.network.listening import listen, parse_listening
from neuroclip_drivers.network.tls import Tls
from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError
from neuroclip_live.outputs.passing_trouble import PassingTrouble


class Tapped(Protocol):
    """What captures events: :class:`neuroclip_live.recognition.pipeline.Pipeline`."""

    def tap(self, tap: Callable[[EventSource], Listener]) -> None:
        """Let somebody listen from now on."""

    def untap(self, tap: Callable[[EventSource], Listener]) -> None:
        """Let somebody listen no more."""


@dataclass(frozen=True)
class SharingSettings:
    """Where events are given to others.

    Attributes
    ----------
    address : str
        ``[HOST:]PORT``; without a host only this machine can connect.
    ca, cert, key : str or None
        PEM files for TLS: who signs the certificates of readers, this side's own, and its key, which may be
        in the same file.
    """

    address: str
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class SharedEvents:
    """Gives events as they came, like the recorder's, to ``--connect`` and to dv-processing's readers.

    As they came, and not filtered or turned: who reads has ways of its own to do that, a size is told once,
    and a recording made there is the same as one made here.

    It gets no predictions; it is an output (:class:`neuroclip_live.outputs.output.Output`) because it is told
    of and ended as they are.

    Parameters
    ----------
    settings : SharingSettings

    Attributes
    ----------
    address : str
        ``HOST:PORT``, as a reader is to be told.

    Raises
    ------
    UserError
        When the address makes no sense or cannot be listened on, a certificate cannot be used, or others than
        this machine could read without showing one.
    """

    def __init__(self, settings: SharingSettings) -> None:
        address = parse_listening(settings.address)
        context = _context(settings)
        if context is None and not address.loopback:
            raise UserError(
                f"{settings.address}: others than this machine have to show who they are: give --serve-ca, "
                "--serve-cert and --serve-key, or connect through `ssh -L`"
            )
        listener, address = listen(address)
        self.address = address.called
        # what stays on the machine is not worth the processor's time that compressing takes
        compression = Compression.NONE if address.loopback else Compression.LZ4
        self._server = EventServer(listener, context, compression)
        self._pipeline: Tapped | None = None
        self._told = 0
        self._trouble = PassingTrouble()
        self._closed = False

    def follow(self, pipeline: Tapped) -> None:
        """Give what this pipeline captures, from now on and whatever it opens."""
        self._pipeline = pipeline
        pipeline.tap(self._begin)

    def status(self) -> Given:
        """Return how many read, and what was given and lost so far."""
        return self._server.status()

    def open(self, header: object) -> None:
        """Do nothing: what is read says so itself."""

    def write(self, prediction: object) -> None:
        """Do nothing."""

    def close(self, summary: object) -> None:
        """Let readers have what waits for them, and go; idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._pipeline is not None:
            self._pipeline.untap(self._begin)
        self._server.close()

    def trouble(self) -> str:
        """Return that a reader is too slow while it is; at the end how many events were lost."""
        given = self._server.status()
        lost = f"{self.address}: {given.lost:,} events lost by readers that are too slow"
        if self._closed:
            return lost if given.lost else ""
        if given.lost > self._told:
            self._told = given.lost
            self._trouble.note(
                f"{self.address}: a reader of events is too slow and loses some; others lose nothing"
            )
        return self._trouble.text()

    def _begin(self, source: EventSource) -> Listener:
        resolution = None if isinstance(source, AwaitedSource) else source.resolution
        return self._server.begin(resolution, source.name)


def _context(settings: SharingSettings) -> ssl.SSLContext | None:
    if settings.ca is None:
        return None
    return Tls(settings.ca, settings.cert, settings.key, option="--serve-").server_context()
