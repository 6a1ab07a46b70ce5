"""Films and webcams before a simulated sensor: what moves fires on its way, and is named as its picture."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes import wait_for

from neuroclip_drivers.film.frames import FilmFrames, WebcamFrames
from neuroclip_drivers.film.source import LONGEST_SIDE, FilmSource, open_webcam
from neuroclip_drivers.film.webcams import Webcam, list_webcams
from neuroclip_drivers.opening import SourceSpec, open_source
from neuroclip_drivers.simulator.show import load_show
from neuroclip_drivers.simulator.source import SimulatorSource
from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet, Resolution, join_packets

FPS = 30


def film(path: Path, images: list[np.ndarray], fps: float = FPS) -> Path:
    height, width = images[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
    for image in images:
        writer.write(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def bar(x: int, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    image = np.full(size, 60, np.uint8)
    image[:, x : x + 20] = 220
    return image


def moving(frames: int = 12, by: int = 4) -> list[np.ndarray]:
    return [bar(10 + by * k) for k in range(frames)]


def read(source: FilmSource) -> Packet:
    packets = list(source.packets())
    return join_packets([packet for packet in packets if len(packet)])


def disc(x: int) -> np.ndarray:
    image = np.full((120, 160), 60, np.uint8)
    return np.asarray(cv2.circle(image, (x, 60), 22, 220, -1, cv2.LINE_AA))


def test_edges_fire_on_their_way(tmp_path: Path) -> None:
    by, frames = 8, 11
    path = film(tmp_path / "disc.mp4", [disc(35 + by * k) for k in range(frames)])
    source = FilmSource(FilmFrames(path), realtime=False)
    assert source.resolution == Resolution(160, 120)
    assert "simulated" in source.name
    events = read(source)
    assert (np.diff(events["t"]) >= 0).all()
    assert events["t"][-1] < frames * 1e6 / FPS
    front = events[(events["p"] == 1) & (events["t"] > 2e6 / FPS) & (np.abs(events["y"] - 60) < 6)]
    behind = front["x"] - by * FPS / 1e6 * front["t"]
    # it is where it is at that time: faded from frame to frame, it would be anywhere within 8 pixels
    assert np.mean(np.abs(behind - np.median(behind)) <= 1.5) > 0.85


def test_larger_frames_are_reduced(tmp_path: Path) -> None:
    images = [np.full((480, 800), 100, np.uint8)] * 2
    assert FilmSource(FilmFrames(film(tmp_path / "a.mp4", images))).resolution == Resolution(
        LONGEST_SIDE, 192
    )


def test_it_loops_with_times_that_go_on_and_ends_where_it_is_told(tmp_path: Path) -> None:
    path = film(tmp_path / "bar.mp4", moving())
    source = FilmSource(FilmFrames(path, loop=True), realtime=False, end_s=1.5)
    events = read(source)
    assert (np.diff(events["t"]) >= 0).all()
    assert 1.4e6 < events["t"][-1] < 1.6e6
    assert source.status().state.value == "ended"


def test_a_gap_is_no_motion(tmp_path: Path) -> None:
    class Jumps(FilmFrames):
        def frames(self) -> Any:
            yield 0, bar(10)
            yield 33_000, bar(10)
            yield 2_000_000, bar(60)
            yield 2_033_000, bar(60)

    source = FilmSource(Jumps(film(tmp_path / "a.mp4", moving(2))), realtime=False)
    packets = [packet for packet in source.packets() if len(packet)]
    assert sum(map(len, packets)) < 50  # noise


@pytest.mark.parametrize("number", [0, 3, 8])
def test_what_is_filmed_is_named(tmp_path: Path, number: int) -> None:
    name, gray, opacity = load_show()[number]
    camera = SimulatorSource([np.stack([gray, opacity])], resolution=Resolution(320, 240), motion="orbit")
    path = film(tmp_path / "film.mp4", [camera.image_at(round(k * 1e6 / FPS)) for k in range(45)])
    out = tmp_path / "lines.jsonl"
    line = ["--simulate", str(path), "--headless", "--speed", "max", "--jsonl", str(out)]
    assert main([*line, "-p", "a mug, scissors, a car, a dog, a chair"]) == 0
    rows = [json.loads(row) for row in out.read_text().splitlines()]
    late = [row for row in rows if row["type"] == "prediction" and row["t_us"] > 500_000]
    assert np.mean([row["label"] == name for row in late]) >= 0.9


# ---- what --simulate is given


def test_a_folder_of_pictures_is_shown_in_turn(tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        cv2.imwrite(str(tmp_path / name), bar(10))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(SourceSpec("simulator", str(tmp_path), speed=None))
    assert isinstance(source, SimulatorSource)
    assert source.status().shows == "a.png"
    source.close()


@pytest.mark.parametrize("what", ["text", "empty", "none", "folder", "cut"])
def test_what_cannot_be_shown_is_one_line(
    tmp_path: Path, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{what}.mp4"
    if what == "text":
        path.write_text("this is no film" * 100)
    elif what == "empty":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what == "cut":
        path.write_bytes(film(tmp_path / "whole.mp4", moving()).read_bytes()[:300])
    assert main(["--simulate", str(path), "--headless", "--end", "1"]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("neuroclip-live")]
    assert len(lines) == 1
    assert path.name in lines[0]
    assert "; give " in lines[0]


# ---- webcams: a stand-in for OpenCV's


class Camera:
    """Gives a bar that moves, as fast as :attr:`go` lets it."""

    def __init__(self, opened: bool = True, frames: int | None = None) -> None:
        self.opened, self.left, self.released, self.go = opened, frames, False, threading.Semaphore(0)
        self.given = 0

    def __call__(self, number: int) -> Camera:
        return self

    def isOpened(self) -> bool:
        return self.opened

    def read(self) -> tuple[bool, Any]:
        self.go.acquire(timeout=30)
        if self.released or self.given == self.left:
            return False, None
        self.given += 1
        return True, cv2.cvtColor(bar(10 + 2 * self.given % 60), cv2.COLOR_GRAY2BGR)

    def release(self) -> None:
        self.released = True


def test_a_webcam_gives_events_and_is_given_back() -> None:
    camera = Camera()
    camera.go.release(3)
    source = FilmSource(WebcamFrames(0, camera))
    assert source.live
    assert source.name == "Webcam 0 (simulated events)"
    got: list[int] = []
    reader = threading.Thread(target=lambda: got.extend(len(packet) for packet in source.packets()))
    reader.start()
    wait_for(lambda: got.count(0) > 1)  # nothing new comes: empty packets, nobody is held up
    for _ in range(20):
        camera.go.release()
        before = camera.given
        wait_for(lambda before=before: camera.given > before)
    wait_for(lambda: sum(got) > 100)
    camera.released = True
    camera.go.release(5)
    source.close()
    reader.join(30)
    assert not reader.is_alive()
    assert camera.released


def test_webcams_are_listed_without_opening_any(tmp_path: Path) -> None:
    def device(number: int, name: str, index: int) -> Path:
        folder = tmp_path / f"sys/class/video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(f"{index}\n")
        node = tmp_path / "dev" / f"video{number}"
        node.parent.mkdir(exist_ok=True)
        node.touch()
        return node

    assert list_webcams(tmp_path / "sys", tmp_path / "dev") == []
    device(2, "Logitech", 0)
    device(0, "Integrated", 0)
    device(1, "Integrated", 1)  # what it says of its pictures
    device(10, "gone", 0).unlink()
    webcams = list_webcams(tmp_path / "sys", tmp_path / "dev")
    assert webcams == [Webcam(0, "Integrated", True), Webcam(2, "Logitech", True)]


def test_frames_that_nobody_fetches_are_passed_over_and_counted() -> None:
    camera = Camera()
    frames = WebcamFrames(0, camera)
    camera.go.release(5)
    wait_for(lambda: frames.passed_over == 4)
    newest = next(iter(frames.frames()))
    assert newest is not None
    np.testing.assert_array_equal(newest[1], bar(20))
    camera.go.release(5)
    frames.close()


def test_no_webcam_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(number: int, *webcams: Webcam) -> str:
        with pytest.raises(UserError) as caught:
            WebcamFrames(number, Camera(opened=False), lambda: list(webcams))
        return str(caught.value)

    first = Webcam(0, "Integrated", True)
    assert refused(2).startswith("there is no webcam 2, or another program uses it: plug it in")
    assert refused(2, first) == "there is no webcam 2: choose with --webcam N of 0: Integrated"
    assert refused(0, first) == "webcam 0: Integrated cannot be opened: close the program that uses it"
    assert "sudo usermod -aG video" in refused(0, Webcam(0, "Integrated", False))
    camera = Camera(frames=0)
    camera.go.release(5)
    with pytest.raises(UserError, match="Webcam 0 gives no pictures"):
        FilmSource(WebcamFrames(0, camera))
    for number in ("x", "-1", "9999", "1.5"):
        with pytest.raises(UserError, match="--webcam"):
            open_webcam(SourceSpec("webcam", number))
    assert main(["--webcam", "--simulate", "--headless"]) == 2
    assert "--webcam" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["film", "webcam"])
def test_neither_opencv_nor_ffmpeg_say_anything(tmp_path: Path, what: str) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(film(tmp_path / "whole.mp4", moving()).read_bytes()[:300])
    asked = {"film": ("--simulate", str(cut)), "webcam": ("--webcam", "987")}[what]
    # a process of its own: FFmpeg asks once how much it is to say
    command = [sys.executable, "-m", "neuroclip_live", *asked, "--headless"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"neuroclip-live: {asked[0]}: ")


def test_contrast_and_noise_are_set_while_it_runs(tmp_path: Path) -> None:
    path = film(tmp_path / "bar.mp4", moving())
    counts = []
    for threshold in (0.1, 0.8):
        source = FilmSource(FilmFrames(path), realtime=False)
        source.set_control("Contrast threshold", threshold)
        source.set_control("Noise", 0.0)
        assert [control.value for control in source.controls()] == [threshold, 0.0]
        counts.append(len(read(source)))
    assert counts[0] > 1.5 * counts[1]
