"""A recording whose disk, source or program fails, with a pipeline around it that goes on.

What the recorder itself does when it is killed, its disk is slow, lies or does not answer is in
``tests/test_recorder.py``; files cut at every kind of boundary are in ``tests/test_repair.py`` and
``tests/test_salvage.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import Endless, ScriptedSource, packets, wait_for
from making import dv_events, join, same

from neuroclip_drivers.aedat4.reader import Recording
from neuroclip_live.errors import UserError
from neuroclip_live.recognition.pipeline import PipelineState
from neuroclip_live.recording.repair import repair

ROOT = Path(__file__).resolve().parents[2]

LIMITED = """
import resource, sys
from fakes import Endless, FakeBackbone, PROMPTS, SETTINGS, wait_for
from neuroclip_live.recognition.pipeline import Pipeline
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # a disk with room for so many bytes of a file
pipeline = Pipeline(Endless([]), lambda progress: FakeBackbone(), PROMPTS, SETTINGS)
pipeline.start()
wait_for(lambda: pipeline.status().predictions > 2)
pipeline.start_recording(sys.argv[1], sidecar=sys.argv[2] == "labels")
wait_for(lambda: pipeline.recording().ended, 300)
told = pipeline.recording().warning
before = pipeline.status().predictions
wait_for(lambda: pipeline.status().predictions > before + 10)
report = pipeline.stop_recording()
pipeline.start_recording(sys.argv[1] + ".second.aedat4", sidecar=False)  # and the next one is as good as any
before = pipeline.recording().events
wait_for(lambda: pipeline.recording().events > 100)
assert pipeline.stop_recording().whole
assert pipeline.stop(60.0)
import json
print(json.dumps([told, report.message, report.events, report.dropped_events, report.whole]))
"""


@pytest.mark.parametrize("sidecar", ["events", "labels"])
def test_a_disk_that_fills_up_ends_the_recording_and_nothing_else(tmp_path: Path, sidecar: str) -> None:
    path = tmp_path / "a.aedat4"
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), sidecar],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )
    told, message, events, dropped, whole = json.loads(run.stdout)
    assert told.startswith("The recording ended: ")
    assert "File too large" in told
    assert told in message
    assert not whole
    assert dropped > 0
    given = dv_events(path)
    assert len(given) == events > 500
    assert path.stat().st_size <= 60_000


def test_a_source_that_throws_leaves_a_whole_recording(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gate = threading.Event()
    script = packets(30)
    pipeline = start(ScriptedSource([gate, *script, RuntimeError("cable chewed")]))
    wait_for(lambda: pipeline.status().state is PipelineState.RUNNING)
    pipeline.start_recording(tmp_path / "a.aedat4")
    gate.set()
    wait_for(lambda: pipeline.status().state is PipelineState.ENDED)
    report = pipeline.stop_recording()
    assert (report.whole, report.events) == (True, 1_500)
    assert same(dv_events(report.path), join(script))
    assert json.loads((tmp_path / "a.labels.jsonl").read_text().splitlines()[0])["type"] == "header"


@pytest.mark.parametrize("place", ["no/such/folder/a.aedat4", "file/a.aedat4", "."])
def test_a_place_that_is_none_is_said_and_the_next_works(start, tmp_path: Path, place: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "file").write_text("")
    pipeline = start(Endless([]))
    with pytest.raises(UserError) as caught:
        pipeline.start_recording(tmp_path / place)
    assert "\n" not in str(caught.value)
    assert pipeline.recording() is None
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    pipeline.start_recording(tmp_path / "a.aedat4")
    wait_for(lambda: pipeline.recording().events > 200)
    assert pipeline.stop_recording().whole


def test_what_a_recording_left_open_holds_is_repaired(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """As after a power failure: what was on the disk while it was being recorded, and not a byte more."""
    pipeline = start(Endless([]))
    path = tmp_path / "a.aedat4"
    pipeline.start_recording(path)
    wait_for(lambda: path.stat().st_size > 20_000, 300.0)
    (tmp_path / "left.aedat4").write_bytes(path.read_bytes())
    whole = pipeline.stop_recording()
    assert whole.whole
    report = repair(tmp_path / "left.aedat4")
    assert report.path is not None
    given = dv_events(report.path)
    assert same(given, join(Recording(path).read())[: len(given)])
    assert len(given) > 500
