"""The web server by HTTP and WebSocket over the loopback address, beside a running pipeline."""

from __future__ import annotations

import json
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import PROMPTS, SENSOR, SETTINGS, FakeBackbone, ScriptedSource, packets, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from neuroclip_drivers.network.listening import parse_listening
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.server.broadcast import QUEUE, Broadcast
from neuroclip_live.server.live_run import LiveRun
from neuroclip_live.server.web_server import ServerSettings, WebServer


class Served:
    """A pipeline that has predicted and waits, and a server beside it."""

    def __init__(self, **settings: Any) -> None:
        self.more = threading.Event()
        script = [*packets(20), self.more, *packets(20, first=20), threading.Event()]
        self.pipeline = Pipeline(ScriptedSource(script), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)
        self.server = WebServer(LiveRun(lambda: self.pipeline), ServerSettings("0", **settings))
        self.pipeline.start()
        self.server.start()
        self.url = self.server.url.partition("?")[0]
        wait_for(lambda: self.pipeline.prediction() is not None)

    def ask(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Return the status, what the JSON holds (or the bytes), and the headers."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content_Type", "application/json")
        request = urllib.request.Request(
            self.url + path, data, {k.replace("_", "-"): v for k, v in headers.items()}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                content, status, got = answer.read(), answer.status, dict(answer.headers)
        except urllib.error.HTTPError as error:
            content, status, got = error.read(), error.code, dict(error.headers)
        return status, json.loads(content) if "json" in got.get("content-type", "") else content, got

    def socket(self, path: str, **more: Any) -> Any:
        return connect(self.url.replace("http", "ws", 1) + path, open_timeout=30, **more)

    def close(self) -> None:
        assert self.server.stop()
        self.pipeline.stop()


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.close()


def test_the_header_comes_first_and_then_every_prediction(served: Served) -> None:
    with served.socket("api/v1/live") as live:
        header = json.loads(live.recv(30))
        assert header["type"] == "header"
        assert header["prompts"] == list(PROMPTS.labels)
        assert header["resolution"] == list(SENSOR)
        served.more.set()
        line = json.loads(live.recv(30))
        made = next(p for p in served.pipeline.predictions() if p.number == line["number"])
        assert line == json.loads(json.dumps(made.to_dict()))


def test_words_are_read_and_changed(served: Served) -> None:
    assert served.ask("api/v1/prompts")[:2] == (200, list(PROMPTS.labels))
    wanted = ["a mug", "-a hand", "salt, pepper"]
    assert served.ask("api/v1/prompts", "PUT", wanted)[:2] == (200, wanted)
    assert served.ask("api/v1/prompts")[:2] == (200, wanted)
    served.more.set()
    wait_for(lambda: set(served.pipeline.prediction().scores) == {"a mug", "salt, pepper"})  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (["-a hand"], "no prompts"),
        ([], "no prompts"),
        (["x" * 301], "at most 300"),
        ([1], "list of strings"),
        ({"a": 1}, "list of strings"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        ([f"word {i}" for i in range(1001)], "too many"),
    ],
)
def test_words_that_cannot_be_used_change_nothing(served: Served, body: Any, said: str) -> None:
    status, answer, _ = served.ask("api/v1/prompts", "PUT", body)
    assert status == 400
    assert said in answer["error"]
    assert served.ask("api/v1/prompts")[1] == list(PROMPTS.labels)


def test_a_label_is_taught(served: Served) -> None:
    wait_for(lambda: served.pipeline.teacher is not None)
    status, answer, _ = served.ask("api/v1/teach", "POST", {"label": "my mug"})
    assert status == 200, answer
    assert answer["windows"] > 0
    assert "my mug" in served.ask("api/v1/prompts")[1]
    for wrong in (
        {"label": ""},
        {"label": "x", "seconds": 0},
        {"label": "x", "seconds": 1e9},
        {"label": "x", "seconds": 10**400},
        {"label": "x", "seconds": -(10**400)},
        {},
        [],
        {"label": 3},
    ):
        assert served.ask("api/v1/teach", "POST", wrong)[0] == 400


def test_the_status_says_what_is_counted(served: Served) -> None:
    _, status, _ = served.ask("api/v1/status")
    assert status["state"] == "running"
    assert status["windows"] == status["predictions"] + status["skipped_windows"]
    assert status["resolution"] == list(SENSOR)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_pictures_show_the_events_of_now(served: Served, form: str) -> None:
    with served.socket(f"api/v1/frames?fps=60&format={form}") as frames:
        image = cv2.imdecode(np.frombuffer(frames.recv(30), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image.shape == (SENSOR.height, SENSOR.width)
    assert image.min() < 60 < 200 < image.max()  # ON and OFF on gray


def test_motion_jpeg_for_whoever_has_no_websocket(served: Served) -> None:
    with urllib.request.urlopen(served.url + "api/v1/frames?fps=60", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("multipart/x-mixed-replace")
        data = answer.read(2000)
    assert b"Content-Type: image/jpeg" in data
    assert b"\xff\xd8\xff" in data


@pytest.mark.parametrize("query", ["fps=0", "fps=nan", "fps=1e9", "fps=x", "format=gif", "format=../x"])
def test_pictures_that_cannot_be_had(served: Served, query: str) -> None:
    with pytest.raises(InvalidStatus):
        served.socket(f"api/v1/frames?{query}")


def test_the_page_brings_everything_with_it(served: Served) -> None:
    page = {"": "text/html", "app.js": "text/javascript", "style.css": "text/css", "api": "text/html"}
    for path, kind in page.items():
        status, content, headers = served.ask(path)
        assert status == 200
        assert headers["content-type"].startswith(kind)
        assert "default-src 'self'" in headers["content-security-policy"]
        assert not re.search(rb"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", content)  # nothing from elsewhere
    spec = served.ask("api/openapi.json")[1]
    assert set(spec["paths"]) == {
        f"/api/v1/{name}" for name in ("live", "prompts", "teach", "status", "frames")
    }


def test_other_web_pages_are_refused(served: Served) -> None:
    other = {"Origin": "http://evil.example"}
    assert served.ask("api/v1/prompts", "PUT", ["x"], **other)[0] == 403
    assert served.ask("api/v1/status", **other)[0] == 403
    with pytest.raises(InvalidStatus):
        served.socket("api/v1/live", additional_headers=other)
    assert served.ask("api/v1/status", Host="evil.example")[0] == 421  # a name that was pointed here
    as_forms_do = served.ask("api/v1/prompts", "PUT", b'["x"]', Content_Type="text/plain")
    assert as_forms_do[0] == 415
    assert served.ask("api/v1/status", Origin=served.url.rstrip("/"))[0] == 200
    assert served.ask("api/v1/prompts")[1] == list(PROMPTS.labels)


def test_paths_open_no_files(served: Served) -> None:
    for path in (
        "../app.py",
        "..%2f..%2fapp.py",
        "page/index.html",
        "static/app.js",
        "%00",
        "api/v1/../../x",
    ):
        assert served.ask(path)[0] in (400, 404)


def test_what_is_too_large_or_too_often_is_refused(served: Served) -> None:
    assert served.ask("api/v1/prompts", "PUT", b" " * 300_000)[0] == 413
    told: list[int] = []

    def ask() -> None:
        told.append(served.ask("api/v1/prompts", "PUT", ["a mug"])[0])

    asked = [threading.Thread(target=ask) for _ in range(60)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()
    assert set(told) == {200, 429}


def test_a_token_is_asked_of_everybody() -> None:
    served = Served(token="secret-word")
    try:
        assert served.server.url.endswith("?token=secret-word")
        for path in ("", "app.js", "api/v1/status", "api/v1/status?token=secret", "api/v1/frames"):
            assert served.ask(path)[0] == 401
        with pytest.raises(InvalidStatus):
            served.socket("api/v1/live")
        bearer = {"Authorization": "Bearer secret-word"}
        assert served.ask("api/v1/status", **bearer)[0] == 200
        with served.socket("api/v1/live", additional_headers=bearer) as live:
            assert json.loads(live.recv(30))["type"] == "header"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opened = browser.open(served.server.url, timeout=30)
        assert opened.url == served.url  # the token left the address bar
        assert b"neuroclip-live" in opened.read()
    finally:
        served.close()


def test_a_wrong_token_takes_nothing_from_who_showed_the_right_one() -> None:
    served = Served(token="a+b&c%20")
    try:
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert b'id="picture"' in browser.open(served.server.url, timeout=30).read()
        assert b'id="picture"' in browser.open(served.url + "?token=wrong", timeout=30).read()
        for address in ("", "?token=wrong"):  # people are asked for it, programs told
            status, asking, _ = served.ask(address, Accept="text/html,*/*")
            assert (status, b'name="token"' in asking) == (401, True)
            assert "token is needed" in served.ask(address)[1]["error"]
    finally:
        served.close()


@pytest.mark.parametrize("token", ["", "two words", "schlüssel", 'a"b', "a;b", "a\nb"])
def test_tokens_that_cannot_be_carried(token: str) -> None:
    with pytest.raises(UserError, match=r"^--serve-token: give letters"):
        WebServer(LiveRun(lambda: None), ServerSettings("0", token=token))


def test_off_this_machine_there_is_always_a_token() -> None:
    server = WebServer(LiveRun(lambda: None), ServerSettings("0.0.0.0:0"))
    assert "?token=" in server.url
    assert len(server.url.partition("?token=")[2]) >= 16
    server.stop()


@pytest.mark.parametrize("text", ["", "x", "host:", ":80", "host:99999", "1.5", "-1", "host:port", "٣"])
def test_addresses_that_make_no_sense(text: str) -> None:
    with pytest.raises(UserError, match="give a port such as"):
        parse_listening(text)


def test_an_address_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}"):
            WebServer(LiveRun(lambda: None), ServerSettings(str(port)))


def test_a_certificate_that_is_none_is_one_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "no.pem").write_text("nothing")
    for path in (tmp_path / "no.pem", tmp_path / "missing.pem"):
        with pytest.raises(UserError, match="--serve-cert"):
            WebServer(LiveRun(lambda: None), ServerSettings("0", cert=str(path)))


def test_before_there_is_anything_to_serve() -> None:
    server = WebServer(LiveRun(lambda: None), ServerSettings("0"))
    server.start()
    try:
        with urllib.request.urlopen(server.url + "api/v1/status", timeout=30) as answer:
            assert json.load(answer)["state"] == "loading"
        with (
            connect(server.url.replace("http", "ws", 1) + "api/v1/live") as live,
            pytest.raises(TimeoutError),
        ):
            live.recv(0.3)
    finally:
        assert server.stop()


def test_clients_are_let_go_at_the_end(served: Served) -> None:
    with served.socket("api/v1/live") as live, served.socket("api/v1/frames") as frames:
        live.recv(30)
        frames.recv(30)
        assert served.server.stop()
        with pytest.raises(ConnectionClosed):
            list(iter(lambda: live.recv(30), None))


class Counting:
    """A run that has made so many predictions."""

    def __init__(self) -> None:
        self.head: dict[str, Any] | None = None
        self.made: list[dict[str, Any]] = []

    def wake(self, wake: Callable[[], None] | None) -> None:
        """Do nothing: each test asks for itself."""

    def header(self) -> dict[str, Any] | None:
        return self.head

    def lines_after(self, number: int) -> tuple[int, list[dict[str, Any]]]:
        return len(self.made), self.made[number:]


def received(client: Any) -> list[Any]:
    return [json.loads(client.queue.get_nowait()) for _ in range(client.queue.qsize())]


def test_one_that_reads_too_slowly_loses_the_oldest_and_holds_up_nobody() -> None:
    run = Counting()
    everybody = Broadcast(run, limit=2)
    run.head = {"type": "header"}
    with everybody.client() as slow, everybody.client() as quick, everybody.client() as third:
        assert third is None
        seen = []
        for n in range(200):
            run.made.append({"n": n})
            everybody.step()
            seen += received(quick)
        assert seen == [{"type": "header"}, *({"n": n} for n in range(200))]
        assert received(slow) == [{"n": n} for n in range(200 - QUEUE, 200)]
        assert everybody.lost_now() == 201 - QUEUE
    assert everybody.lost_now() == 201 - QUEUE  # those that left are counted still


def test_another_source_has_another_header_and_counts_anew() -> None:
    run = Counting()
    everybody = Broadcast(run, limit=2)
    run.head, run.made = {"source": 1}, [{"n": n} for n in range(5)]
    everybody.step()
    with everybody.client() as client:
        run.head, run.made = {"source": 2}, [{"m": 0}]
        everybody.step()
        assert received(client) == [{"source": 1}, {"source": 2}, {"m": 0}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--serve", "nowhere:"], "--serve"),
        (["--serve", "0", "--speed", "max"], "leave out --speed max"),
        (["--serve-token", "x"], "--serve-token is for a server"),
        (["--serve", "0", "--serve-key", "key.pem"], "--serve-key belongs to a certificate"),
    ],
)
def test_options_that_make_no_sense(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--headless", "--end", "1", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_run_says_where_it_serves_and_ends(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert main(["--headless", "--end", "1", "--serve", "0", "--jsonl", str(out)]) == 0
    assert re.search(r"^serving http://127\.0\.0\.1:\d+/$", capsys.readouterr().err, re.MULTILINE)
    assert json.loads(out.read_text().splitlines()[-1])["type"] == "summary"
