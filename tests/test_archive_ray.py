"""An archive encoded by Ray's workers: whatever their number, and whoever of them dies, it holds the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from neuroclip_live.cli.main import main
from neuroclip_live.extras import have
from neuroclip_live.model.backbone import Backbone, load_backbone
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")

from neuroclip_live.archive.index import Index
from neuroclip_live.archive.indexer import Progress
from neuroclip_live.archive.indexer import index as run_index
from neuroclip_live.archive.ray_engine import LOCAL, on_ray
from neuroclip_live.archive.settings import ArchiveSettings
from neuroclip_live.archive.store import Store

ROOT = Path(__file__).resolve().parents[1]
needs_ray = pytest.mark.skipif(
    not have("ray"),
    reason='ray is not installed: pip install ".[ray]"',
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("recordings")
    for name, starts in (("dog", (0.0, 0.7)), ("digits", (0.0, 0.7, 1.4)), ("tour", (0.0, 2.0, 4.0))):
        for start in starts:
            out = place / f"{name}_{start:g}.aedat4"
            convert([ROOT / "recordings" / f"{name}.aedat4"], out, start_s=start, end_s=start + 0.7)
    (place / "broken.aedat4").write_bytes(b"nothing")
    return place


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone()


@pytest.fixture(scope="module")
def whole(folder: Path, backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The same folder, by this process."""
    into = tmp_path_factory.mktemp("archive") / "index"
    run_index([folder], Store(into, make=True), backbone, {"model": "event-nano"}, ArchiveSettings())
    return Index(into, backbone)


def workers() -> Iterator[int]:
    """Yield this process's workers of Ray that encode just now."""
    parents, busy = {}, []
    for entry in Path("/proc").iterdir():
        try:
            number = int(entry.name)
            parents[number] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if (entry / "cmdline").read_bytes().startswith(b"ray::encode"):
                busy.append(number)
        except (ValueError, OSError):
            continue
    for number in busy:
        above = number
        while above > 1 and above != os.getpid():
            above = parents.get(above, 0)
        if above == os.getpid():
            yield number


@needs_ray
@pytest.mark.parametrize(
    ("cpus", "kills"), [(1, 0), (2, int(os.environ.get("NEUROCLIP_KILLS", "4"))), (4, 0)]
)
def test_any_number_of_workers_makes_the_same_index_though_some_are_killed(
    folder: Path, whole: Index, backbone: Backbone, tmp_path: Path, cpus: int, kills: int
) -> None:
    random, killed = np.random.default_rng(cpus), []

    def tell(at: Progress) -> bool:
        if len(killed) < kills and (busy := sorted(workers())):
            killed.append(int(random.choice(busy)))
            os.kill(killed[-1], signal.SIGKILL)
        return True

    store = Store(tmp_path / "index", make=True)
    report = run_index(
        [folder],
        store,
        backbone,
        {"model": "event-nano"},
        ArchiveSettings(),
        tell=tell,
        engine=on_ray(LOCAL, cpus),
    )
    assert len(killed) == kills
    assert report.encoded == 8
    assert [Path(path).name for path in report.broken] == ["broken.aedat4"]
    index = Index(store.place, backbone)
    assert index.recordings == whole.recordings
    assert (index.recording == whole.recording).all()
    assert (index.rows.from_us == whole.rows.from_us).all()
    assert (index.rows.to_us == whole.rows.to_us).all()
    assert (index.rows.events == whole.rows.events).all()
    np.testing.assert_allclose(index.rows.feature, whole.rows.feature, atol=1e-3)
    np.testing.assert_allclose(index.rows.background, whole.rows.background, atol=1e-3)
    again = run_index([folder], store, backbone, {"model": "event-nano"}, ArchiveSettings())
    assert (again.unchanged, again.encoded, again.left) == (8, 0, 0)


def test_without_ray_it_is_said_how_to_install_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("neuroclip_live.extras.have", lambda module: module != "ray")
    assert main(["index", str(folder), "--into", str(tmp_path / "index"), "--ray"]) == 2
    assert 'pip install "neuroclip-live[ray]"' in capsys.readouterr().err
    assert not (tmp_path / "index").exists()


def test_a_folder_after_ray_is_not_taken_for_an_address(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["index", str(folder), "--ray", str(folder), "--into", str(tmp_path / "index")]
    assert main(line) == 2
    assert "write --ray=ADDRESS, or --ray at the end" in capsys.readouterr().err


@needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999999"])
def test_an_address_at_which_nothing_answers_is_one_line(
    address: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["index", str(folder), "--into", str(tmp_path / "index"), f"--ray={address}"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert f"--ray {address}: no Ray cluster answers there" in told[0]
