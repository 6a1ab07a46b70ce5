"""Whoever holds connections of the web server without a word keeps nobody out, and no file of the run's."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import urllib.request
from collections.abc import Iterator

import pytest
from fakes import PROMPTS, SETTINGS, FakeBackbone, ScriptedSource, packets, wait_for
from websockets.sync.client import connect

from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.server.door import MOST_STRANGERS, Door
from neuroclip_live.server.live_run import LiveRun
from neuroclip_live.server.web_server import ServerSettings, WebServer

TOKEN = "secret-word"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def server() -> Iterator[WebServer]:
    pipeline = Pipeline(ScriptedSource(packets(20)), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)
    one = WebServer(LiveRun(lambda: pipeline), ServerSettings("0", token=TOKEN))
    pipeline.start()
    one.start()
    wait_for(lambda: pipeline.prediction() is not None)
    yield one
    assert one.stop()
    pipeline.stop()


def ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_silent_strangers_make_room_and_keep_nobody_out(server: WebServer) -> None:
    url = server.url.partition("?")[0]
    place = ("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
    with (
        connect(url.replace("http", "ws", 1) + "api/v1/frames", additional_headers=SHOWN) as frames,
        contextlib.ExitStack() as flood,
    ):
        frames.recv(30)
        silent = [
            flood.enter_context(contextlib.closing(socket.create_connection(place, timeout=30)))
            for _ in range(MOST_STRANGERS + 60)
        ]
        wait_for(lambda: all(ended(connection) for connection in silent[:60]))
        assert not any(ended(connection) for connection in silent[-60:])
        with urllib.request.urlopen(urllib.request.Request(url + "api/v1/status", headers=SHOWN)) as answer:
            assert json.load(answer)["state"] in ("running", "ended")
        frames.recv(30)  # who showed the token stays


def test_without_files_nobody_is_let_in_and_that_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(self: socket.socket) -> tuple[int, object]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with contextlib.closing(Door(socket.create_server(("127.0.0.1", 0)))) as door:
        monkeypatch.setattr(socket.socket, "_accept", none)
        for _ in range(3):
            with pytest.raises(BlockingIOError):
                door.accept()
    assert [record.getMessage() for record in caplog.records] == ["nobody can connect: Too many open files"]
