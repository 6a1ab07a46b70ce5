"""A package of somebody else's, made here: a source, a reader, a representation, a runtime, an output.

Each is one file with one entry point, written from docs/extending.md alone: what is said there is what is
tested here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from tiny_model import make_tiny_model

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")

MAX = ("--headless", "--speed", "max")


def examples() -> dict[str, str]:
    """Return the files that the guide shows, by their names."""
    blocks = re.findall(r"```python\n# my_package/(\w+\.py)\n(.*?)```", GUIDE, flags=re.DOTALL)
    return dict(blocks)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay a package down as an installer does: its modules and the metadata of its entry points."""
    place = tmp_path_factory.mktemp("site")
    package = place / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, text in examples().items():
        (package / name).write_text(text, encoding="utf-8")
    about = place / "my_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    points = re.findall(r'```toml\n\[project\.entry-points\."([\w.]+)"\]\n(.*?)```', GUIDE, flags=re.DOTALL)
    lines = [f"[{group}]\n" + line.replace('"', "") for group, line in points]
    (about / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_model(tmp_path_factory.mktemp("model") / "tiny"))


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program with the package on its path."""
    path = os.pathsep.join([str(installed), *(str(ROOT / part) for part in ("", "drivers", "gui"))])
    return subprocess.run(
        [sys.executable, "-m", "neuroclip_live", *arguments],
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "300", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        cwd=installed,
    )


def test_the_guide_shows_one_file_for_each() -> None:
    assert {*examples()} == {"clicks.py", "last_polarity.py", "halves.py", "my_format.py", "loud.py"}
    groups = {"outputs", "representations", "runtimes", "readers", "sources"}
    assert groups == set(re.findall(r'entry-points\."neuroclip_live\.(\w+)"', GUIDE))


def test_the_guide_shows_a_whole_project_of_some() -> None:
    shown = re.findall(r"```toml\n# pyproject.toml\n(.*?)```", GUIDE, flags=re.DOTALL)
    project = tomllib.loads(shown[0])
    assert project["tool"]["setuptools"]["packages"] == ["my_package"]
    for group, points in project["project"]["entry-points"].items():
        ((name, value),) = points.items()
        assert f'```toml\n[project.entry-points."{group}"]\n{name} = "{value}"\n```' in GUIDE


WRONG = """
import numpy as np
from my_package.clicks import Clicks


class Sized(Clicks):
    resolution = (64, 64)


class Bare:
    def __init__(self, given):
        pass


class Exchanged(Clicks):
    def packets(self):
        for packet in super().packets():
            yield packet[["x", "y", "t", "p"]]


class Lists(Clicks):
    def packets(self):
        for packet in super().packets():
            yield packet.tolist()


class Failing(Clicks):
    live = True

    def packets(self):
        for number, packet in enumerate(super().packets()):
            if number == 40:
                raise OSError("the cable is out")
            yield packet


class Ending(Failing):
    live = False
"""


@pytest.fixture(scope="module")
def wrong(installed: Path) -> Path:
    """Another package beside it, of things with a mistake each."""
    (installed / "wrong.py").write_text(WRONG, encoding="utf-8")
    about = installed / "wrong-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wrong\nVersion: 1.0\n")
    sources = "\n".join(
        f"{name.lower()} = wrong:{name}"
        for name in ("Sized", "Bare", "Exchanged", "Lists", "Failing", "Ending")
    )
    points = f"[neuroclip_live.sources]\n{sources}\n[neuroclip_live.outputs]\nbare = wrong:Bare\n"
    (about / "entry_points.txt").write_text(points)
    return installed


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            "--source clicks:many",
            r"source clicks cannot be used: ValueError: .*'many' \(clicks.py, line \d+\)",
        ),
        ("--source sized", r"source sized cannot be used: its resolution is \(64, 64\)"),
        ("--source bare", "source bare cannot be used: what it opens has no name, resolution, live, packets"),
        (
            "--source exchanged",
            "the source gave an array of .*, no packet of neuroclip_live.events.EVENT_DTYPE",
        ),
        ("--source lists", "the source gave a list, no packet"),
        ("--source ending", r"clicks: OSError: the cable is out \(wrong.py, line \d+\)"),
        ("--source clicks --output bare:x", "output bare cannot be used: it has no open, write, close"),
        (
            "--source clicks --output loud:",
            r"output loud cannot be used: FileNotFoundError: .* \(loud.py, line \d+\)",
        ),
    ],
)
def test_one_that_is_wrong_is_told_in_a_line(wrong: Path, model: str, arguments: str, line: str) -> None:
    done = run(wrong, *MAX, *arguments.split(), "--model", model, "--runtime", "torch", "-p", "a, b")
    assert done.returncode == 2
    assert re.search(line, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_a_source_that_fails_midway_ends_the_run_with_its_line(
    wrong: Path, model: str, tmp_path: Path
) -> None:
    lines = tmp_path / "out.jsonl"
    how = ("--motion", "0", "--slice", "500", "--timesteps", "2", "--model", model, "--runtime", "torch")
    done = run(wrong, "--headless", "--source", "failing", *how, "-p", "a, b", "--jsonl", str(lines))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "neuroclip-live: clicks: the cable is out"
    summary = json.loads(lines.read_text(encoding="utf-8").splitlines()[-1])
    assert (summary["type"], summary["events"]) == ("summary", 4000)


def test_all_of_it_in_one_run(installed: Path, model: str, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    how = ("--source", "clicks:2000", "--representation", "last-polarity", "--runtime", "halves")
    how = (*how, "--output", f"loud:{out}", "--motion", "0", "--slice", "500", "--timesteps", "2")
    done = run(
        installed, "--headless", "--speed", "max", *how, "--model", model, "-p", "a, b", "--jsonl", "-"
    )
    assert done.returncode == 0, done.stderr
    header, *predictions, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert (header["source"], header["representation"], header["runtime"]) == (
        "clicks",
        "last-polarity",
        "halves",
    )
    assert len(predictions) > 3
    said = out.read_text(encoding="utf-8").splitlines()
    assert len(said) == sum(p["label"] is not None for p in predictions)
    assert said[0] in ("A!", "B!")


def test_a_file_of_its_format_is_replayed(installed: Path, model: str, tmp_path: Path) -> None:
    events = np.zeros((5000, 4), "<i4")
    events[:, 0] = np.arange(5000) * 100
    events[:, 1:3] = np.random.default_rng(0).integers(0, 64, (5000, 2))
    path = tmp_path / "a.toy"
    path.write_bytes(b"TOY1" + events.tobytes())
    how = ("--motion", "0", "--slice", "50ms", "--timesteps", "2", "--model", model, "--runtime", "torch")
    for more in ((), ("--start", "0.25")):
        done = run(
            installed, "--headless", "--speed", "max", "--replay", str(path), *more, *how, "--jsonl", "-"
        )
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout.splitlines()[-1])
        assert summary["events"] == (2500 if more else 5000)


def test_doctor_help_and_errors_know_them(installed: Path) -> None:
    told = run(installed, "doctor").stdout
    assert re.search(r"sources .*simulator, webcam, clicks", told)
    assert re.search(r"representations .*voxel-count, last-polarity", told)
    assert re.search(r"runtimes .*torch, halves", told)
    assert re.search(r"outputs .*table, .*loud", told)
    assert "Toy recordings" in told
    assert "last-polarity" in run(installed, "--help").stdout
    wrong = run(installed, "--headless", "--representation", "last-polarty")
    assert wrong.returncode == 2
    assert "choose event-frame, time-surface, voxel-count, last-polarity" in wrong.stderr


def test_one_that_is_broken_is_told_and_harms_nobody(installed: Path, tmp_path: Path) -> None:
    about = tmp_path / "broken-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    groups = ("sources", "representations", "runtimes", "readers", "outputs")
    lines = [f"[neuroclip_live.{group}]\nbroken = nowhere_at_all:Thing" for group in groups]
    (about / "entry_points.txt").write_text("\n".join(lines))
    told = run(tmp_path, "doctor")
    for what in ("source", "representation", "runtime", "reader", "output"):
        assert f"{what} broken cannot be loaded: No module named 'nowhere_at_all'" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
