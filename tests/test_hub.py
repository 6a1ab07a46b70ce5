"""Downloads from a hub on loopback: pinned by revision, compared with the announced digest."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from tiny_model import make_tiny_model

from neuroclip_live.errors import UserError
from neuroclip_live.model import converted_cache, hub
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.model.download_verification import announced, digest_like
from neuroclip_live.model.model_names import parse_model

FIRST, SECOND = "a" * 40, "b" * 40
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


class Hub:
    """Serves files by revision as the real one does: their digest announced first, then their bytes."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.sent_instead: dict[str, bytes] = {}
        self.breaks_off: dict[str, int] = {}
        """Bytes of a file after which the connection ends; -1: before any answer."""
        self.branches = {"main": FIRST}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def add(self, revision: str, folder: Path) -> None:
        for name in (CONFIG, WEIGHTS):
            self.files[revision, name] = (folder / name).read_bytes()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def _answer(self, with_body: bool) -> None:
                found = re.fullmatch(r"/org/tiny/resolve/([^/]+)/([^/?]+)", self.path)
                if found is None:
                    self._refuse("RepoNotFound")
                    return
                revision = hub.branches.get(found[1], found[1])
                hub.asked.append(f"{self.command} {revision} {found[2]}")
                if revision not in {each for each, _ in hub.files}:
                    self._refuse("RevisionNotFound")
                    return
                data = hub.files.get((revision, found[2]))
                if data is None:
                    self._refuse("EntryNotFound", revision)
                    return
                share = hub.breaks_off.get(found[2], len(data))
                self.close_connection = True
                if share < 0:
                    return
                large = found[2].endswith(".safetensors")
                git = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
                self.send_response(200)
                self.send_header("X-Repo-Commit", revision)
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest() if large else git}"')
                body = hub.sent_instead.get(found[2], data)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body[:share] if share < len(data) else body)

            def _refuse(self, code: str, revision: str = "") -> None:
                self.send_response(404)
                self.send_header("X-Error-Code", code)
                if revision:
                    self.send_header("X-Repo-Commit", revision)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        return Handler


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    download = huggingface_hub.hf_hub_download

    def from_loopback(repository: str, name: str, **options: Any) -> str:
        options = {"etag_timeout": 300, "cache_dir": tmp_path / "hub", **options}
        return str(download(repository, name, endpoint=server.address, **options))

    for proxy in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", from_loopback)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 300)
    monkeypatch.setattr(hub, "_probe", lambda repository: None)
    monkeypatch.setattr(converted_cache, "cache_folder", lambda: tmp_path / "kept")
    yield server
    server.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return make_tiny_model(folder / "one"), make_tiny_model(folder / "two", facts={"description": "newer"})


def fetch(name: str = WEIGHTS, revision: str | None = None) -> Path:
    return hub.fetch("org/tiny", [name], lambda message, share: None, revision)


def test_what_arrives_is_what_was_announced(server: Hub, models: tuple[Path, Path]) -> None:
    server.add(FIRST, models[0])
    for name in (WEIGHTS, CONFIG):  # SHA-256 for the one, git's SHA-1 for the other
        path = fetch(name)
        expected = announced(path)
        assert expected is not None
        assert digest_like(path, expected) == expected
        assert path.read_bytes() == (models[0] / name).read_bytes()
    assert len(announced(fetch(WEIGHTS)) or "") == 64
    assert len(announced(fetch(CONFIG)) or "") == 40


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_other_bytes_of_the_same_length_are_deleted(
    server: Hub, models: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    server.add(FIRST, models[0])
    good = server.files[FIRST, name]
    server.sent_instead[name] = bytes([good[0] ^ 1]) + good[1:]
    with pytest.raises(UserError, match="not what the hub announced") as caught:
        fetch(name)
    assert "\n" not in str(caught.value)
    left = [path for path in (tmp_path / "hub").rglob("*") if path.is_file() and "blobs" in path.parts]
    assert not left
    del server.sent_instead[name]
    assert fetch(name).read_bytes() == good  # and the next try is a fresh one


def test_a_download_cut_short_is_no_model(server: Hub, models: tuple[Path, Path]) -> None:
    server.add(FIRST, models[0])
    server.sent_instead[WEIGHTS] = server.files[FIRST, WEIGHTS][:-1000]
    with pytest.raises(UserError):
        fetch()


@pytest.mark.parametrize("after", [-1, 1000], ids=["no answer", "halfway"])
def test_a_connection_that_breaks_is_one_line_and_can_be_tried_again(
    server: Hub, models: tuple[Path, Path], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)  # it tries five times
    server.add(FIRST, models[0])
    server.breaks_off[WEIGHTS] = after
    with pytest.raises(UserError, match=r"the download of org/tiny broke off \(.+\); try again") as told:
        load_backbone("hf-hub:org/tiny", runtime="torch", device="cpu")
    assert "\n" not in str(told.value)
    server.breaks_off.clear()
    assert load_backbone("hf-hub:org/tiny", runtime="torch", device="cpu").info.embed_dim


def test_the_first_download_stays_and_a_revision_is_for_good(
    server: Hub, models: tuple[Path, Path], tmp_path: Path
) -> None:
    server.add(FIRST, models[0])
    server.add(SECOND, models[1])
    options: dict[str, Any] = {"device": "cpu", "runtime": "torch"}
    newest = load_backbone("hf-hub:org/tiny", **options)
    assert newest.info.name == "hf-hub:org/tiny"
    assert newest.info.description != "newer"
    server.branches["main"] = SECOND
    asked = len(server.asked)
    assert load_backbone("hf-hub:org/tiny", **options).info.description != "newer"
    assert len(server.asked) == asked  # from the cache: nobody was asked, so nothing could change
    pinned = load_backbone(f"hf-hub:org/tiny@{SECOND}", **options)
    assert pinned.info.description == "newer"
    assert pinned.info.name == f"hf-hub:org/tiny@{SECOND}"
    # a revision that was fetched is loaded without the hub
    server.files.clear()
    assert load_backbone(f"hf-hub:org/tiny@{SECOND}", **options).info.description == "newer"
    assert load_backbone(f"hf-hub:org/tiny@{FIRST}", **options).info.description != "newer"


def test_a_hub_that_changes_between_two_files(server: Hub, models: tuple[Path, Path]) -> None:
    server.add(FIRST, models[0])
    server.add(SECOND, models[1])
    fetch(CONFIG)
    server.branches["main"] = SECOND
    with pytest.raises(UserError, match="changed on the hub between two downloads"):
        load_backbone("hf-hub:org/tiny", device="cpu", runtime="torch")


def test_a_configuration_that_asks_for_code_is_not_even_downloaded_for(
    server: Hub, models: tuple[Path, Path]
) -> None:
    server.add(FIRST, models[0])
    config = json.loads(server.files[FIRST, CONFIG])
    config["model_cfg"]["text_cfg"]["tokenizer_kwargs"] = {"trust_remote_code": True}
    server.files[FIRST, CONFIG] = json.dumps(config).encode()
    with pytest.raises(UserError, match="could run code"):
        load_backbone("hf-hub:org/tiny", device="cpu", runtime="torch")
    assert not [each for each in server.asked if WEIGHTS in each]


def test_what_the_hub_does_not_have(server: Hub, models: tuple[Path, Path]) -> None:
    server.add(FIRST, models[0])
    with pytest.raises(UserError, match="no revision v9"):
        fetch(revision="v9")
    with pytest.raises(UserError, match=r"has none of other\.bin"):
        fetch("other.bin")


@pytest.mark.parametrize(
    "name", ["hf-hub:a", "hf-hub:a/b/c", "hf-hub:../b", "hf-hub:a/..", "hf-hub:a/b@", "hf-hub:a/b@-x"]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UserError, match="hf-hub:ORGANISATION/NAME"):
        parse_model(name)


def test_names_with_a_revision() -> None:
    spec = parse_model("hf-hub:org/tiny@refs/pr/1")
    assert (spec.arch, spec.revision, spec.name) == ("org/tiny", "refs/pr/1", "hf-hub:org/tiny@refs/pr/1")
    assert parse_model("hf-hub:org/tiny").revision is None
