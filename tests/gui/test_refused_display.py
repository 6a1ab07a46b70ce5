"""A display that lets nobody in, or never says a word, and a platform without a screen: one line each.

Qt would abort the process there. The real program is started; the X server is a stand-in.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such displays")
REASON = b"Authorization required, but no authorization protocol specified\n"


def start(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program until it refuses; it is to be gone long before the time is up."""
    kept = {n: v for n, v in os.environ.items() if n not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(
        [sys.executable, "-m", "neuroclip_live", "--config", str(tmp_path / "w.json"), "--duration", "1"],
        env={**kept, "HOME": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def refusing() -> Iterator[str]:
    """A display that tells whoever comes that they may not; its name."""
    padded = REASON + b"\0" * (-len(REASON) % 4)
    refusal = struct.pack("<BBHHH", 0, len(REASON), 11, 0, len(padded) // 4) + padded
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                if client.recv(4096):  # one only looks whether somebody is there
                    client.sendall(refusal)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1] - 6000}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_a_display_that_lets_nobody_in_is_one_line(tmp_path: Path, refusing: str) -> None:
    ended = start(tmp_path, DISPLAY=refusing)
    if "apt-get install" in ended.stderr:
        pytest.skip("this system lacks what Qt needs for any X server")
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert "Authorization required" in line
    assert "XAUTHORITY" in line
    assert "--headless" in line


def test_a_platform_without_a_screen_is_one_line(tmp_path: Path) -> None:
    ended = start(tmp_path, QT_QPA_PLATFORM=f"linuxfb:fb={tmp_path / 'none'}")
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert "QT_QPA_PLATFORM=linuxfb" in line
    assert "--headless" in line
