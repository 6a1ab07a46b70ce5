"""An archive through its commands: indexed once, searched for words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from neuroclip_live.cli.main import main

pytest.importorskip("pyarrow")
ROOT = Path(__file__).resolve().parents[1]


def test_index_again_reads_nothing_and_moves_and_damage_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, into = tmp_path / "in", str(tmp_path / "index")
    folder.mkdir()
    shutil.copy(ROOT / "recordings" / "dog.aedat4", folder / "dog.aedat4")
    line = ["index", str(folder), "--into", into]
    assert main(line) == 0
    assert "1 encoded" in capsys.readouterr().out
    assert main(line) == 0
    told = capsys.readouterr().out
    assert "1 unchanged" in told
    assert "0 encoded" in told

    assert main(["search", into, "a dog", "--json"]) == 0
    moments = json.loads(capsys.readouterr().out)
    assert moments
    assert all(set(moment) == {"file", "from_s", "to_s", "score", "box"} for moment in moments)
    assert [m["score"] for m in moments] == sorted((m["score"] for m in moments), reverse=True)

    (folder / "dog.aedat4").rename(folder / "moved.aedat4")
    (folder / "broken.aedat4").write_bytes(b"nothing")
    assert main(line) == 1
    captured = capsys.readouterr()
    assert "1 moved" in captured.out
    assert "1 deleted" in captured.out
    assert "0 encoded" in captured.out
    assert "broken.aedat4" in captured.err
    assert main(["search", into, "a dog", "--json"]) == 0
    assert {Path(m["file"]).name for m in json.loads(capsys.readouterr().out)} == {"moved.aedat4"}
