"""TLS for streams, as dv-processing's servers speak it: both sides show a certificate.

A server of dv-processing asks every client for a certificate that its authority signed. Its own client asks
the server for nothing and believes whoever answers there. Here the server has to prove who it is, too.
"""

from __future__ import annotations

import errno
import selectors
import socket
import ssl
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from neuroclip_drivers.source import MAX_WAIT_S
from neuroclip_live.errors import UserError


@dataclass(frozen=True)
class Tls:
    """Which files and which name a connection uses; all are PEM files.

    Attributes
    ----------
    authority : str or None
        Certificates of those whose word about the other side is taken; None takes the system's.
    certificate, key : str or None
        What this side shows, and its private key, which may be in the same file.
    name : str or None
        The name in the server's certificate, where it is not the host of the address.
    option : str
        How what names the files begins, in messages: ``--tls-ca`` and so on.
    """

    authority: str | None = None
    certificate: str | None = None
    key: str | None = None
    name: str | None = None
    option: str = "--tls-"

    def context(self) -> ssl.SSLContext:
        """Read the files; nothing older than TLS 1.2 is spoken.

        Raises
        ------
        UserError
            When a file is missing, is no PEM file, is locked by a password, or key and certificate differ.
        """
        self._look_at_files()
        authority = None if self.authority is None else str(Path(self.authority).expanduser())
        try:
            context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority)
        except (OSError, ValueError) as error:
            raise self._no_authority(error) from None
        self._harden(context)
        if self.certificate is not None:
            self._show(context, self.certificate)
        return context

    def server_context(self) -> ssl.SSLContext:
        """Read the files for a server: it shows its certificate, and asks every client for one.

        Raises
        ------
        UserError
            As :meth:`context`, and where certificate or authority is not given.
        """
        self._look_at_files()
        if self.certificate is None or self.authority is None:
            raise UserError(
                f"give this server's certificate with {self.option}cert, and the authority that signs those "
                f"of its clients with {self.option}ca"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(Path(self.authority).expanduser())
        except (OSError, ValueError) as error:
            raise self._no_authority(error) from None
        self._harden(context)
        self._show(context, self.certificate)
        return context

    def _harden(self, context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 refuses certificates without every extension of the standard; those that two lines of
        # openssl make, as on most cameras' computers, have not all of them.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT

    def _no_authority(self, error: Exception) -> UserError:
        return UserError(f"{self.option}ca {self.authority} holds no certificate in PEM: {_short(error)}")

    def _look_at_files(self) -> None:
        if self.key is not None and self.certificate is None:
            raise UserError(
                f"{self.option}key {self.key} belongs to a certificate: give that with {self.option}cert"
            )
        for option, path in (
            ("ca", self.authority),
            ("cert", self.certificate),
            ("key", self.key),
        ):
            if path is not None and not Path(path).expanduser().is_file():
                raise UserError(f"{self.option}{option} {path}: there is no such file; give a PEM file")

    def _show(self, context: ssl.SSLContext, certificate: str) -> None:
        asked = False

        def password() -> str:  # without this OpenSSL would wait at the terminal for somebody to type
            nonlocal asked
            asked = True
            return ""

        key = None if self.key is None else Path(self.key).expanduser()
        try:
            context.load_cert_chain(Path(certificate).expanduser(), key, password)
        except (OSError, ValueError) as error:
            where = self.key or certificate
            if asked:
                raise UserError(
                    f"the key in {where} is locked with a password: write one without (openssl pkey -in …), "
                    "readable by you alone"
                ) from None
            if "MISMATCH" in str(error):
                raise UserError(
                    f"{self.option}key {where} is not the key of {self.option}cert {certificate}: "
                    "give the pair"
                ) from None
            raise UserError(
                f"{self.option}cert {certificate} with its key in {where} cannot be used: {_short(error)}"
            ) from None


def wrap(
    connection: socket.socket, context: ssl.SSLContext, name: str, answer_s: float
) -> Generator[None, None, ssl.SSLSocket]:
    """Begin TLS on a connected socket; yields every ``MAX_WAIT_S``.

    Parameters
    ----------
    connection : socket
        Given up: the returned socket takes its place, also where this fails.
    context : ssl.SSLContext
    name : str
        What the server's certificate must be for.
    answer_s : float

    Raises
    ------
    OSError
        Also ssl.SSLError, when either side does not accept the other.
    """
    connection.setblocking(False)
    secured = context.wrap_socket(connection, server_hostname=name, do_handshake_on_connect=False)
    until = time.monotonic() + answer_s
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(secured, selectors.EVENT_READ)
            while True:
                try:
                    secured.do_handshake()
                    return secured
                except ssl.SSLWantReadError:
                    selector.modify(secured, selectors.EVENT_READ)
                except ssl.SSLWantWriteError:
                    selector.modify(secured, selectors.EVENT_WRITE)
                if not selector.select(MAX_WAIT_S):
                    if time.monotonic() >= until:
                        raise TimeoutError(errno.ETIMEDOUT, "no answer to the greeting of TLS")
                    yield
    except BaseException:
        secured.close()
        raise


def refusal(address: str, error: ssl.SSLError) -> str:
    """Return in words why TLS did not come about, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{address} does not prove who it is: {error.verify_message or _short(error)}. Give the "
            "certificate of its authority with --tls-ca, or the name in its own with --tls-name."
        )
    reason = (error.reason or "").replace("_", " ").lower()
    if "alert" in reason:
        return (
            f"{address} refuses this side's certificate ({reason}). Give one that its authority signed with "
            "--tls-cert and --tls-key."
        )
    why = reason or _short(error)
    return f"{address} does not speak TLS ({why}). Check the port, or leave the --tls options out."


def _short(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return " ".join(text.split())[:200]
