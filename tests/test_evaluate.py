"""Tables, trained adapters and their caches, on tiny data sets and a stand-in for the model."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from test_datasets import write_atis

from neuroclip_drivers.aedat4.writer import Aedat4Writer
from neuroclip_live.cli.main import main
from neuroclip_live.datasets.recordings import find_recordings, read_windows
from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.evaluate import EvaluateSettings, run, train
from neuroclip_live.events import EVENT_DTYPE, Packet, Resolution
from neuroclip_live.learning import feature_store
from neuroclip_live.learning.adapter import load_adapter
from neuroclip_live.learning.augment import augment
from neuroclip_live.learning.shots import open_shots
from neuroclip_live.learning.train_settings import TrainSettings
from neuroclip_live.model.scoring import normalized
from neuroclip_live.recognition.recognizer import RecognizerSettings
from neuroclip_live.stream.slicing import SliceBy

C = 64
QUICK = EvaluateSettings(
    shots=(0, 1, 2), seeds=2, copies=2, train=TrainSettings(epochs=10), templates=("a {}",)
)


class FakeModel:
    """Sees where in the frame the events are; its words mean nothing."""

    def __init__(self, name: str = "fake", flavour: int = 0) -> None:
        self.info = SimpleNamespace(
            name=name,
            embed_dim=C,
            image_size=32,
            fit="letterbox",
            focus=False,
            threshold=0,
            logit_scale=30.0,
            none_logit=None,
            context_length=77,
            representation="event-frame",
            features=name,
        )
        self.encoded = 0
        self._mix = np.random.default_rng(flavour).normal(size=(64, C)) / 8

    def encode_frames(self, frames: Any) -> Any:
        self.encoded += len(frames)
        small = np.stack(
            [cv2.resize((f != 127).astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA) for f in frames]
        )
        return (small.reshape(len(frames), 64) @ self._mix * 10).astype(np.float32)

    def encode_texts(self, texts: Any) -> Any:
        return normalized(np.stack([np.random.default_rng(list(t.encode())).normal(size=C) for t in texts]))

    def token_counts(self, texts: Any) -> list[int]:
        return [3 for _ in texts]


def blob(x: int, y: int, count: int, seed: int, size: int = 34, step_us: int = 500) -> Packet:
    """Return events around a place; the place is the class."""
    random = np.random.default_rng(seed)
    packet = np.zeros(count, dtype=EVENT_DTYPE)
    packet["t"] = np.arange(count) * step_us
    packet["x"] = np.clip(random.normal(x, 3, count), 0, size - 1)
    packet["y"] = np.clip(random.normal(y, 3, count), 0, size - 1)
    packet["p"] = random.integers(0, 2, count)
    return packet


PLACES = {"0": (8, 8), "1": (26, 8), "2": (8, 26)}


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    root = tmp_path / "digits"
    for name, (x, y) in PLACES.items():
        for k in range(4):
            write_atis(root / "Train" / name / f"{k}.bin", blob(x, y, 300, k))
            write_atis(root / "Test" / name / f"{k}.bin", blob(x, y, 300, 50 + k))
    return root


def source_of(root: Path, model: FakeModel, cache: Path | None = None, **more: Any) -> tuple[Any, str]:
    return open_shots("n-mnist", root, model, timesteps=4, cache=cache, **more)  # type: ignore[arg-type]


def evaluate(
    root: Path, out: Path, model: FakeModel | None = None, settings: EvaluateSettings = QUICK
) -> Any:
    model = model or FakeModel()
    source, about = source_of(root, model)
    return run(source, model, settings, out, about=about)  # type: ignore[arg-type]


def test_all_methods_side_by_side(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "results.csv"
    rows = evaluate(digits, out)
    assert [(r.shots, r.method) for r in rows[:3]] == [(0, "zero-shot"), (1, "weighted"), (1, "prototypes")]
    assert len(rows) == 1 + 2 * 5
    by = {(r.method, r.shots): r for r in rows}
    assert by["prototypes", 2].accuracy == by["probe", 2].accuracy == 1.0
    assert by["zero-shot", 0].accuracy < 0.8
    assert all(r.low <= r.accuracy <= r.high and r.tests == 12 for r in rows)
    lines = list(csv.DictReader(out.open()))
    assert len(lines) == 1 + 2 * 2 * 5
    per_class = list(csv.DictReader((out.parent / "results.per-class.csv").open()))
    assert len(per_class) == len(lines) * 3
    image = cv2.imread(str(out.parent / "results.snn-2.png"))
    assert image is not None
    assert image.shape[0] > 100


def test_an_interrupted_table_goes_on(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroclip_live.evaluation import evaluate as module

    out, whole = tmp_path / "a.csv", evaluate(digits, tmp_path / "b.csv")
    original, calls = module._logits, iter(range(100))

    def stops(*arguments: Any) -> Any:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(module, "_logits", stops)
    with pytest.raises(KeyboardInterrupt):
        evaluate(digits, out)
    assert len(list(csv.DictReader(out.open()))) == 5
    made: list[str] = []
    monkeypatch.setattr(module, "_logits", lambda *a: made.append(a[0]) or original(*a))
    for resumed, once in zip(evaluate(digits, out), whole, strict=True):
        assert (resumed.method, resumed.shots, resumed.seeds) == (once.method, once.shots, once.seeds)
        assert resumed.accuracy == pytest.approx(once.accuracy, abs=1e-4)
    assert len(made) == 21 - 5


def test_rows_of_another_model_or_protocol_are_made_anew(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    settings = replace(QUICK, shots=(0,))
    evaluate(digits, out, settings=settings)
    first = out.read_text()
    evaluate(digits, out, settings=settings)
    assert out.read_text() == first
    evaluate(digits, out, FakeModel(flavour=1), settings)
    assert out.read_text() != first
    evaluate(digits, out, settings=replace(settings, reference=True))
    assert len(list(csv.DictReader(out.open()))) == 1


def test_the_papers_logits_change_confidence_not_accuracy(digits: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, shots=(0,))
    ours = evaluate(digits, tmp_path / "a.csv", settings=settings)[0]
    theirs = evaluate(digits, tmp_path / "b.csv", settings=replace(settings, reference=True))[0]
    assert ours.accuracy == theirs.accuracy
    assert ours.ece != theirs.ece


def test_a_foreign_file_is_not_overwritten(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "thesis.csv"
    out.write_text("chapter,words\n1,4000\n")
    with pytest.raises(UserError, match="is there and is no table"):
        evaluate(digits, out)
    assert out.read_text().startswith("chapter")


def test_features_are_computed_once(digits: Path, tmp_path: Path) -> None:
    cache, model = tmp_path / "cache", FakeModel()
    for expected in (True, False):
        model.encoded = 0
        source, _ = source_of(digits, model, cache)
        source.test(lambda text, share: None)
        source.draw(2, 0, 3, lambda text, share: None)
        assert (model.encoded > 1) is expected  # one frame tells which model it is
    part = next(cache.rglob("part-*.npz"))
    part.write_bytes(b"damaged")
    model.encoded = 0
    source_of(digits, model, cache)[0].test(lambda text, share: None)
    assert model.encoded > 1
    other = FakeModel(flavour=3)
    source_of(digits, other, cache)[0].test(lambda text, share: None)
    assert other.encoded > 1, "another model of the same name must not find these features"


def test_an_interrupted_cache_is_kept(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_store, "SAVE_EVERY_S", 0.0)
    model = FakeModel()
    source, _ = source_of(digits, model, tmp_path / "cache")

    def stops(text: str, share: float | None) -> None:
        if share is not None and share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.test(stops)
    model.encoded = 0
    source_of(digits, model, tmp_path / "cache")[0].test(lambda text, share: None)
    assert model.encoded < 12 * 4 * 0.6


def test_unreadable_samples_are_skipped_counted_and_named(digits: Path, tmp_path: Path) -> None:
    (digits / "Train" / "1" / "0.bin").write_bytes(b"123")
    (digits / "Test" / "2" / "3.bin").write_bytes(b"")
    model = FakeModel()
    source, about = source_of(digits, model)
    rows = run(source, model, replace(QUICK, shots=(3,), seeds=1), tmp_path / "a.csv", about=about)  # type: ignore[arg-type]
    assert rows[0].tests == 11
    assert source.skipped == {
        "Train/1/0.bin": "3 bytes are not whole records of 5",
        "Test/2/3.bin": "no events",
    }


def test_too_few_shots(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'0' has only 4 samples to draw 16 shots from"):
        evaluate(digits, tmp_path / "a.csv", settings=replace(QUICK, shots=(1, 16)))
    assert not list(tmp_path.glob("a*.csv")), "it is told before anything is worked out"


def test_one_class_only(tmp_path: Path) -> None:
    for k in range(4):
        write_atis(tmp_path / "Train" / "5" / f"{k}.bin", blob(8, 8, 200, k))
    with pytest.raises(UserError, match="one label only"):
        evaluate(tmp_path, tmp_path / "a.csv")
    model = FakeModel()
    source, _ = source_of(tmp_path, model)
    with pytest.raises(UserError, match="one label only"):
        train(source, model, 2, tmp_path / "a.safetensors", settings=QUICK)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "say"),
    [
        ({"shots": ()}, "numbers of at least 0"),
        ({"shots": (-1,)}, "numbers of at least 0"),
        ({"seeds": 0}, "at least 1"),
        ({"methods": ("svm",)}, "no method is called 'svm'"),
    ],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any], say: str) -> None:
    with pytest.raises(UserError, match=say):
        EvaluateSettings(**wrong)


def test_wrong_slices(digits: Path) -> None:
    with pytest.raises(UserError, match="cut by number or time"):
        source_of(digits, FakeModel(), slices="50ms")


def test_train_saves_an_adapter_that_live_use_can_load(digits: Path, tmp_path: Path) -> None:
    model, out = FakeModel(), tmp_path / "a.safetensors"
    source, _ = source_of(digits, model)
    adapter = train(source, model, 3, out, settings=QUICK, search_weights=True)  # type: ignore[arg-type]
    back = load_adapter(out, model="fake", embed_dim=C, timesteps=4)
    assert back.info == adapter.info
    assert back.info.labels == ("0", "1", "2")
    assert back.info.templates == ("a {}",)
    assert back.info.shots == {"0": 3, "1": 3, "2": 3}
    assert {"test accuracy", "low", "high", "tests"} <= set(back.info.metrics)
    assert back.info.timestep_weights is not None
    assert np.mean(back.info.timestep_weights) == pytest.approx(1.0)
    assert not out.with_name("a.safetensors.partial").exists()
    with pytest.raises(UserError, match="nothing to train"):
        train(source, model, 0, out, settings=QUICK)  # type: ignore[arg-type]


def write_recording(path: Path, x: int, y: int, seconds: float = 3.0) -> None:
    packet = blob(x, y, int(seconds * 8000), seed=x, size=64, step_us=125)
    packet["t"] += 1_700_000_000_000_000
    path.parent.mkdir(parents=True, exist_ok=True)
    with Aedat4Writer(path, Resolution(64, 64)) as writer:
        writer.write(packet)


def test_recordings_by_label_are_split_by_time(tmp_path: Path) -> None:
    root, model = tmp_path / "objects", FakeModel()
    for name, (x, y) in {"a_mug": (16, 16), "phone": (48, 16)}.items():
        write_recording(root / f"{name}.aedat4", x, y)
    source, about = open_shots("folder", root, model, timesteps=4, slices="50ms")  # type: ignore[arg-type]
    assert source.labels == ("a mug", "phone")
    rows = run(source, model, replace(QUICK, shots=(4,), seeds=1), tmp_path / "a.csv", about=about)  # type: ignore[arg-type]
    assert {r.method: r.accuracy for r in rows}["probe"] == 1.0
    with pytest.raises(UserError, match="has only"):
        source.draw(1000, 0, 1, lambda text, share: None)


def test_shots_and_tests_of_a_recording_share_no_event(tmp_path: Path) -> None:
    from neuroclip_live.datasets.recordings import open_recording

    path = tmp_path / "mug.aedat4"
    write_recording(path, 16, 16)
    by = SliceBy("time", time_us=50_000)
    windows = read_windows(open_recording(path), FakeModel(), RecognizerSettings(timesteps=4), by)  # type: ignore[arg-type]
    assert len(windows.features) == len(windows.begin_us) > 50
    # three hops of 25 ms between four slices of 50 ms; the first windows begin with the recording
    assert (windows.end_us - windows.begin_us)[3:-1].min() >= 3 * 25_000 + 50_000
    train_part, test_part = windows.part(0, 1 / 3), windows.part(2 / 3, 1)
    assert 0 < len(train_part) + len(test_part) < 0.7 * len(windows.features)


def test_a_recording_whose_clock_began_anew_is_split_as_if_it_had_not(tmp_path: Path) -> None:
    """Also one with a silence of years in it, as where a camera is given the time of day."""
    from neuroclip_live.datasets.recordings import open_recording

    path, by = tmp_path / "mug.aedat4", SliceBy("time", time_us=50_000)
    one = blob(16, 16, 24_000, seed=16, size=64, step_us=125)
    one["t"] += 1_700_000_000_000_000
    parts: dict[str, list[int]] = {}
    for name, begins in {"goes on": (0, 0), "anew": (10**9, -(10**9)), "years": (0, 10**15)}.items():
        with Aedat4Writer(path, Resolution(64, 64)) as writer:
            for piece, begin in zip(np.array_split(one, 2), begins, strict=True):
                piece["t"] += begin
                writer.write(piece)
                piece["t"] -= begin
        windows = read_windows(open_recording(path), FakeModel(), RecognizerSettings(timesteps=4), by)  # type: ignore[arg-type]
        parts[name] = [len(windows.part(low / 3, (low + 1) / 3)) for low in range(3)]
    assert np.abs(np.subtract(parts["anew"], parts["goes on"])).max() <= 6, parts
    assert min(parts["years"][0], parts["years"][2]) >= 30, parts  # there is something to learn and to test


def test_a_damaged_recording_is_used_as_far_as_it_goes_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "objects"
    for name, (x, y) in {"mug": (16, 16), "phone": (48, 16)}.items():
        for k in range(2):
            write_recording(root / name / f"{k}.aedat4", x, y, 1.0)
    cut = root / "mug" / "0.aedat4"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    source, _ = open_shots("folder", root, FakeModel(), timesteps=4, slices="50ms")  # type: ignore[arg-type]
    assert list(source.damaged) == ["mug/0.aedat4"]
    assert "lost" in source.damaged["mug/0.aedat4"] or "cut" in source.damaged["mug/0.aedat4"]
    out = str(tmp_path / "out.csv")
    line = ["evaluate", "--dataset", "folder", "--root", str(root), "--shots", "0", "--out", out]
    assert main([*line, "--slice", "50ms", "--timesteps", "4"]) == 0
    assert "damaged mug/0.aedat4: " in capsys.readouterr().out


def test_several_recordings_of_a_label_are_split_by_file(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    for name, (x, y) in {"mug": (16, 16), "phone": (48, 16)}.items():
        for k in range(2):
            write_recording(root / name / f"{k}.aedat4", x, y, 1.0)
    (root / "mug" / "broken.aedat4").write_bytes(b"nothing")
    source, _ = open_shots("folder", root, FakeModel(), timesteps=4, slices="50ms")  # type: ignore[arg-type]
    assert list(source.skipped) == ["mug/broken.aedat4"]
    assert len(source.test(lambda text, share: None)[1]) > 20


def test_recordings_of_any_format_are_of_a_label(tmp_path: Path) -> None:
    rows = np.zeros(100, dtype=[("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "u1")])
    rows["t"] = np.arange(100) * 1000
    for label in ("a_mug", "pen"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "notes.txt").write_text("seen on a desk\n")
        np.savetxt(tmp_path / label / "1.csv", rows, fmt="%d", delimiter=",", header="t,x,y,p", comments="")
    labels, files = find_recordings(tmp_path)
    assert labels == ("a mug", "pen")
    assert [(file.name, label) for file, label in files] == [("1.csv", 0), ("1.csv", 1)]
    np.save(tmp_path / "a_mug" / "2.npy", rows)
    write_recording(tmp_path / "pen" / "2.aedat4", 16, 16, 0.2)
    labels, files = find_recordings(tmp_path)
    assert labels == ("a mug", "pen")  # and tables beside recordings are none
    assert [(file.name, label) for file, label in files] == [("2.npy", 0), ("2.aedat4", 1)]


def test_folders_without_recordings(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a folder for each label"):
        find_recordings(tmp_path)
    with pytest.raises(UserError, match="no folder"):
        find_recordings(tmp_path / "nowhere")


def test_augmented_versions_are_the_same_in_every_run() -> None:
    frames = np.full((3, 34, 34), 127, np.uint8)
    frames[:, 10:24, 12:15] = 0
    one, again = (augment(frames, "a.bin", 1, True) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (3, 96, 96)
    np.testing.assert_array_equal(one[0], one[2])
    assert (one[0, [0, 0, -1, -1], [0, -1, 0, -1]] == 127).all()
    assert not np.array_equal(one, augment(frames, "a.bin", 2, True))
    assert augment(frames, "a.bin", 0, True) is frames
    share = [(f < 60).mean() for f in (frames[0], one[0])]
    assert share[0] == pytest.approx(share[1], rel=0.3)


def test_only_classes_that_allow_it_are_mirrored() -> None:
    frames = np.full((1, 64, 64), 127, np.uint8)
    frames[:, :, :20] = 255
    left = [augment(frames, f"{k}", 1, False)[0][:, :32].mean() for k in range(12)]
    assert min(left) > 160
    both = [augment(frames, f"{k}", 1, True)[0][:, :32].mean() for k in range(12)]
    assert min(both) < 140 < max(both)
