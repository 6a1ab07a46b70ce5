"""The table of a headless run: the answer above and the status below stay, and nothing jumps."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.live import Live

from neuroclip_live.objects.found import FoundObject
from neuroclip_live.outputs.table import LiveTable
from neuroclip_live.recognition.prediction import Prediction

FOOT = "123 kev/s · 20 predictions/s · p50/p99 12/40 ms · dropped 0 · skipped 3 · event-nano on cpu (torch)"


def prediction(count: int, best: int = 0, **others: object) -> Prediction:
    labels = [f"thing {'x' * (i % 17)}{i}" for i in range(count)]
    scores = {label: (0.6 if i == best else 0.4 / count) for i, label in enumerate(labels)}
    return Prediction(1, 1, "ok", label=labels[best], probability=0.6, scores=scores, **others)


def shown(what: Prediction, width: int = 100, height: int = 24, foot: str = FOOT) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(LiveTable(what, foot))
    return capture.get().rstrip("\n").split("\n")


@pytest.mark.parametrize("count", [1, 8, 21, 60, 500])
@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (60, 12), (30, 6)])
def test_answer_and_status_stay_however_many_words(count: int, width: int, height: int) -> None:
    lines = shown(prediction(count), width, height)
    assert len(lines) < height
    assert lines[0].strip() == prediction(count).label[:width].strip()
    assert lines[-1].startswith(FOOT[: width - 2])
    assert all(cell_len(line) <= width for line in lines)


def test_columns_stand_still_whatever_comes_to_the_top() -> None:
    places = {shown(prediction(60, best))[1].index("0.60") for best in range(0, 60, 7)}
    assert len(places) == 1


def test_a_status_of_any_length_moves_nothing() -> None:
    one, other = shown(prediction(30), foot="short"), shown(prediction(30), foot=FOOT * 3)
    assert one[:-1] == other[:-1]
    assert len(one) == len(other)


def test_wide_characters_keep_the_columns() -> None:
    what = Prediction(1, 1, "ok", label="猫", scores={"猫": 0.5, "a very long name of a thing": 0.5})
    first, second = shown(what)[1:3]
    assert cell_len(first[: first.index("0.50")]) == cell_len(second[: second.index("0.50")])


def test_things_found_leave_room_for_words() -> None:
    found = tuple(FoundObject(i, (0, 0, 10, 10), "a mug", 0.5) for i in range(30))
    lines = shown(prediction(40, objects=found), height=20)
    assert len(lines) < 20
    assert sum(line.startswith("#") for line in lines) >= 5
    assert sum("thing" in line for line in lines[1:-1]) >= 3


def test_a_live_display_shows_all_of_it() -> None:
    """Rich cuts what is higher than the terminal from below: the status would be the first to go."""
    file = io.StringIO()
    console = Console(file=file, width=90, height=16, force_terminal=True, color_system=None)
    with Live(LiveTable(prediction(40), FOOT), console=console, auto_refresh=False) as live:
        live.refresh()
    assert FOOT[:80] in file.getvalue()


@pytest.mark.parametrize("height", [6, 24])
def test_a_camera_that_moves_is_said_within_the_height(height: int) -> None:
    lines = shown(prediction(60, objects=(), camera_moves=True), height=height)
    assert any("camera moves" in line for line in lines)
    assert len(lines) < height
