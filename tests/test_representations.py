"""Representations: equal to a plain NumPy reference, chosen everywhere by one option, added by one file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tiny_model import make_tiny_model

from neuroclip_live.cli.main import main
from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.model.preprocess import Preprocess
from neuroclip_live.registry import Entry
from neuroclip_live.stream.frames import GRAY, event_frame
from neuroclip_live.stream.representations.registry import DEFAULT, REPRESENTATIONS, representation

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
SENSOR = Resolution(31, 17)
START, END = 1_000_000, 1_050_000


def some_events(count: int = 3000, seed: int = 0, beyond: int = 2) -> Packet:
    """Return events in order of time, many on the same pixels, a few outside the sensor."""
    rng = np.random.default_rng(seed)
    events = np.zeros(count, dtype=EVENT_DTYPE)
    events["t"] = np.sort(rng.integers(START, END, count))
    events["x"] = rng.integers(-beyond, SENSOR.width + beyond, count)
    events["y"] = rng.integers(-beyond, SENSOR.height + beyond, count)
    events["p"] = rng.integers(0, 2, count)
    return events


def pixels(events: Packet):
    """Yield every pixel with its events, the plain way."""
    for y in range(SENSOR.height):
        for x in range(SENSOR.width):
            yield y, x, events[(events["x"] == x) & (events["y"] == y)]


def plain_surface(events: Packet, threshold: int) -> npt.NDArray[np.uint8]:
    frame = np.full((SENSOR.height, SENSOR.width), GRAY, np.float64)
    for y, x, here in pixels(events):
        if len(here) > threshold:
            strength = np.rint(127 * np.exp(-(END - here["t"][-1]) / (0.5 * (END - START))))
            frame[y, x] += -strength if here["p"][-1] else strength
    return frame.astype(np.uint8)


def plain_voxels(events: Packet, threshold: int) -> npt.NDArray[np.uint8]:
    frame = np.full((SENSOR.height, SENSOR.width, 3), GRAY, np.float64)
    edges = START + np.arange(4) * (END - START) / 3
    for y, x, here in pixels(events):
        for part in range(3):
            voxel = here[(here["t"] >= edges[part]) & (here["t"] < edges[part + 1])]
            if len(voxel) > threshold:
                net = np.clip(np.count_nonzero(voxel["p"]) * 2 - len(voxel), -3, 3)
                frame[y, x, part] -= np.trunc(net * 127 / 3)
    return frame.astype(np.uint8)


@pytest.mark.parametrize("threshold", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 500, 3000])
@pytest.mark.parametrize(("name", "plain"), [("time-surface", plain_surface), ("voxel-count", plain_voxels)])
def test_equal_to_a_plain_reference(name: str, plain, count: int, threshold: int) -> None:
    events = some_events(count)
    made = representation(name)(events, SENSOR, threshold, START, END)
    wanted = plain(events, threshold)
    assert made.dtype == np.uint8
    assert made.shape == wanted.shape
    # the exponential of two libraries may differ in the last bit, and round to two neighbors
    assert np.abs(made.astype(int) - wanted).max(initial=0) <= (1 if name == "time-surface" else 0)


def test_the_default_is_the_event_frame() -> None:
    events = some_events()
    assert REPRESENTATIONS.entries()[0].name == DEFAULT
    made = representation(DEFAULT)(events, SENSOR, 1, START, END)
    assert (made == event_frame(events, SENSOR, 1)).all()


@pytest.mark.parametrize("name", REPRESENTATIONS.names())
def test_what_every_representation_keeps_to(name: str) -> None:
    make, events = representation(name), some_events(beyond=300)
    before = events.copy()
    frame = make(events, SENSOR, 0, START, END)
    assert (events == before).all()
    assert frame.shape[:2] == (SENSOR.height, SENSOR.width)
    assert frame.shape[2:] in ((), (3,))
    assert (make(events, SENSOR, 0, START, END) == frame).all()
    silent = make(events[:0], SENSOR, 0, START, START)
    assert (silent == GRAY).all()
    touched = np.zeros((SENSOR.height, SENSOR.width), bool)
    on = (
        (events["x"] >= 0) & (events["x"] < SENSOR.width) & (events["y"] >= 0) & (events["y"] < SENSOR.height)
    )
    touched[events["y"][on], events["x"][on]] = True
    assert not (frame != GRAY).reshape(*touched.shape, -1).any(axis=2)[~touched].any()


def test_three_channels_reach_the_encoder_as_they_are() -> None:
    prepare = Preprocess(size=24, fit="squash", focus=False)
    frames = np.zeros((1, 24, 24, 3), np.uint8)
    frames[..., 0], frames[..., 1], frames[..., 2] = 0, 127, 255
    batch = prepare(frames)
    assert batch.shape == (1, 3, 24, 24)
    assert [float(plane.mean()) for plane in batch[0]] == pytest.approx([-1, -1 / 255, 1], abs=1e-6)
    gray = np.full((1, 40, 30), 90, np.uint8)
    colored = np.repeat(gray[..., None], 3, axis=3)
    letterbox = Preprocess(size=24, focus=True)
    assert (letterbox(gray) == letterbox(colored)).all()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture
def recording() -> str:
    return str(RECORDINGS / "digits.aedat4")


def lines_of(tmp_path: Path, *options: str) -> list[dict]:
    out = tmp_path / "out.jsonl"
    common = ("--headless", "--speed", "max", "--end", "2", "--runtime", "torch", "-p", "a, b")
    assert main([*common, "--jsonl", str(out), *options]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def test_chosen_headless(tmp_path: Path, model: str, recording: str) -> None:
    scores = {}
    for name in REPRESENTATIONS.names():
        lines = lines_of(tmp_path, "--replay", recording, "--model", model, "--representation", name)
        assert lines[0]["representation"] == name
        scores[name] = [line["scores"] for line in lines if line["type"] == "prediction"]
        assert scores[name]
    plain = lines_of(tmp_path, "--replay", recording, "--model", model)
    assert plain[0]["representation"] == DEFAULT
    assert [line["scores"] for line in plain if line["type"] == "prediction"] == scores[DEFAULT]
    assert scores["time-surface"] != scores[DEFAULT] != scores["voxel-count"]


def test_a_model_says_what_it_wants(tmp_path: Path) -> None:
    model = str(make_tiny_model(tmp_path / "m", facts={"representation": "time-surface"}))
    info = load_backbone(model, runtime="torch", device="cpu").info
    assert info.representation == "time-surface"
    assert info.features != info.name
    other = load_backbone(model, runtime="torch", device="cpu", representation=DEFAULT)
    assert other.info.representation == DEFAULT
    with pytest.raises(UserError, match="no representation is called 'x'; choose event-frame"):
        load_backbone(model, runtime="torch", device="cpu", representation="x")


def test_what_was_taught_with_one_fits_no_other(
    tmp_path: Path, model: str, recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = str(tmp_path / "taught.safetensors")
    how = ("--runtime", "torch", "--model", model)
    show = ("--show", f"a={recording}", "--timesteps", "2", "--representation", "voxel-count")
    assert main(["teach", *show, "--out", taught, *how]) == 0
    run = ("--headless", "--speed", "max", "--end", "1", "--replay", recording, "-p", "a, b", *how)
    run = (*run, "--timesteps", "2")
    assert main([*run, "--taught", taught, "--representation", "voxel-count", "--jsonl", "-"]) == 0
    capsys.readouterr()
    assert main([*run, "--taught", taught]) == 2
    assert "voxel-count" in capsys.readouterr().err


def test_evaluate_and_train(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "samples"
    rng = np.random.default_rng(1)
    for label in ("one", "two"):
        (root / label).mkdir(parents=True)
        for number in range(4):
            times = np.sort(rng.integers(0, 300_000, 400))
            events = np.empty((400, 5), np.uint8)  # x, y, polarity and 23 bits of time
            events[:, :2] = rng.integers(0, 34, (400, 2))
            events[:, 2] = times >> 16 | rng.integers(0, 2, 400) << 7
            events[:, 3], events[:, 4] = times >> 8 & 255, times & 255
            (root / label / f"{number}.bin").write_bytes(events.tobytes())
    data = ("--dataset", "folder", "--root", str(root), "--runtime", "torch", "--model", model)
    data = (*data, "--timesteps", "2")
    tables = []
    for name in ("voxel-count", "time-surface"):
        out = tmp_path / f"{name}.csv"
        how = (
            "--representation",
            name,
            "--shots",
            "0,1",
            "--seeds",
            "1",
            "--methods",
            "zero-shot,prototypes",
        )
        assert main(["evaluate", *data, *how, "--out", str(out)]) == 0
        tables.append(out.read_text(encoding="utf-8"))
    assert tables[0] != tables[1]
    adapter = str(tmp_path / "a.safetensors")
    short = ("--shots", "1", "--epochs", "1", "--copies", "1", "--out", adapter)
    assert main(["train", *data, "--representation", "voxel-count", *short]) == 0
    run = ("--headless", "--speed", "max", "--end", "1", "--runtime", "torch", "--model", model)
    run = (*run, "--replay", str(RECORDINGS / "digits.aedat4"), "-p", "one, two", "--timesteps", "2")
    assert main([*run, "--adapter", adapter, "--representation", "voxel-count"]) == 0
    capsys.readouterr()
    assert main([*run, "--adapter", adapter]) == 2
    assert "voxel-count" in capsys.readouterr().err


class Floats:
    def __call__(self, events, resolution, threshold, start_us, end_us):
        return np.zeros((resolution.height, resolution.width))


class Black:
    def __call__(self, events, resolution, threshold, start_us, end_us):
        return np.zeros((resolution.height, resolution.width), np.uint8)


class Raising:
    def __call__(self, events, resolution, threshold, start_us, end_us):
        raise KeyError("t")


class RaisingAtEvents:
    def __call__(self, events, resolution, threshold, start_us, end_us):
        if len(events):
            raise ValueError("no room")
        return np.full((resolution.height, resolution.width), 127, np.uint8)


class Exchanged:
    def __call__(self, events, resolution, threshold, start_us, end_us):
        frame = np.full((resolution.height, resolution.width), 127, np.uint8)
        frame[events["x"], events["y"]] = 0
        return frame


class Greedy:
    def __init__(self, wants):
        pass


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Floats, r"it makes float64 \(8, 16\) of 16 x 8 pixels"),
        (Black, "where nothing happened its image is not 127"),
        (Raising, "KeyError: 't'"),
        (RaisingAtEvents, r"ValueError: no room \(test_representations.py, line \d+\)"),
        (Exchanged, "IndexError: index 15 is out of bounds"),
        (Greedy, "TypeError: .*'wants'"),
        (lambda: 5, "TypeError: 'int' object is not callable"),
    ],
)
def test_one_of_another_package_that_is_wrong_is_told_in_a_line(
    made, words: str, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(REPRESENTATIONS, "_added", (Entry("wrong", "", made),))
    representation.cache_clear()
    run = ("--headless", "--speed", "max", "--runtime", "torch", "--model", model)
    assert main([*run, "--representation", "wrong", "-p", "a, b"]) == 2
    told = capsys.readouterr().err
    assert "--representation: the representation wrong cannot be used" in " ".join(told.split())
    assert re.search(words, " ".join(told.split()))
    representation.cache_clear()


class RaisingAtMany:
    """Right as far as it is tried, wrong with every slice."""

    def __call__(
        self, events: Packet, resolution: Resolution, threshold: int, start_us: int, end_us: int
    ) -> npt.NDArray[np.uint8]:
        if len(events) > 2:
            raise ZeroDivisionError("too many")
        return np.full((resolution.height, resolution.width), GRAY, np.uint8)


@pytest.mark.parametrize("speed", ["max", "20"])
def test_one_of_another_package_that_fails_at_every_slice_is_told_in_a_line(
    speed: str, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(REPRESENTATIONS, "_added", (Entry("wrong", "", RaisingAtMany),))
    representation.cache_clear()
    run = ("--headless", "--speed", speed, "--runtime", "torch", "--model", model)
    assert main([*run, "--representation", "wrong", "-p", "a, b"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    place = r"\(test_representations\.py, line \d+\)"
    assert re.search(f"the representation wrong failed: ZeroDivisionError: too many {place}", told)
    assert "Traceback" not in told
    representation.cache_clear()
