from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from making import SIZE, join, make_events, same

from neuroclip_drivers import SourceSpec, open_source
from neuroclip_drivers.aedat4.verifying import write_aedat4
from neuroclip_drivers.demo import demo_recording
from neuroclip_drivers.source import EventSource
from neuroclip_live.errors import UserError


def test_replay(tmp_path: Path) -> None:
    events = make_events()
    path = write_aedat4(tmp_path / "a.aedat4", [events], SIZE).path
    source = open_source(SourceSpec("replay", str(path), speed=None, start_s=0.5, end_s=0.75))
    assert isinstance(source, EventSource)
    times = events["t"] - events["t"][0]
    assert same(join(source.packets()), events[(times >= 500_000) & (times <= 750_000)])


def test_every_demo_recording_plays() -> None:
    folder = Path(demo_recording()).parent
    names = [path.stem for path in sorted(folder.glob("*.aedat4"))]
    assert len(names) >= 3
    for name in names:
        source = open_source(SourceSpec("demo", name, speed=None))
        assert len(join(source.packets())) > 10_000
        assert source.status().message == ""


def test_simulator() -> None:
    source = open_source(SourceSpec("simulator", speed=None, end_s=0.2))
    assert isinstance(source, EventSource)
    assert len(join(source.packets())) > 0
    source.close()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (SourceSpec("replay"), "No recording was named"),
        (SourceSpec("replay", "/nowhere/a.aedat4"), "No such file: /nowhere/a.aedat4"),
        (SourceSpec("network"), "No address was given"),
        (SourceSpec("network", "nonsense"), "is not an address"),
        (SourceSpec("network", "127.0.0.1:1"), "Nobody answers at 127.0.0.1:1"),
        (SourceSpec("demo", "unheard-of"), "No demo recording is called 'unheard-of'"),
        (SourceSpec("telepathy"), "no source is called 'telepathy'; choose replay, demo"),
    ],
    ids=lambda value: value.kind if isinstance(value, SourceSpec) else "",
)
def test_what_cannot_be_opened(spec: SourceSpec, words: str) -> None:
    with pytest.raises(UserError) as caught:
        open_source(spec)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_importing_drivers_loads_nothing_heavy() -> None:
    code = (
        "import sys, neuroclip_drivers; "
        "print([m for m in ('torch', 'PySide6', 'dv_processing', 'cv2', 'numba', 'lz4') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
