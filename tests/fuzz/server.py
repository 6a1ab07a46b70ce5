"""A server that sends given bytes once and hangs up."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def sending(data: bytes, path: Path) -> Iterator[str]:
    """Listen at a UNIX socket; send ``data`` to the first who comes."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    listener.settimeout(20)

    def serve() -> None:
        with contextlib.suppress(OSError):  # the client may hang up at the first bytes
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20)
                connection.sendall(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield str(path)
    finally:
        listener.close()
        thread.join(20)
