"""True boxes, simulated and read; how boxes and identities are measured; tracks on simulated scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroclip_live.errors import UserError
from neuroclip_live.evaluation.track_metrics import Said, Sequence, average_precision, overlaps, tracking
from neuroclip_live.evaluation.track_scenes import Scene, SceneSettings
from neuroclip_live.evaluation.track_truth import Moment, Truth, read_truth
from neuroclip_live.events import Resolution
from neuroclip_live.stream.box import Box

BOX, OTHER = Box(10, 10, 30, 30), Box(60, 60, 90, 90)


def test_overlap_is_intersection_over_union() -> None:
    shares = overlaps([BOX], [BOX, Box(10, 10, 30, 20), OTHER])
    assert shares.tolist() == [[1.0, 0.5, 0.0]]


def test_a_box_found_twice_is_right_once() -> None:
    sequence = Sequence()
    sequence.add(((1, BOX, "a"),), (Said(1, BOX, "a", 0.9), Said(2, BOX, "a", 0.8)))
    sequence.add(((1, BOX, "a"), (2, OTHER, "b")), (Said(1, BOX, "b", 0.7),))
    assert average_precision([sequence]) == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision([sequence], by_label=True) == pytest.approx((0.5 + 0.0) / 2)
    assert average_precision([Sequence()]) is None


def test_identities_are_measured_by_trackeval() -> None:
    pytest.importorskip("trackeval")
    kept, changed = Sequence(), Sequence()
    for step in range(10):
        kept.add(((1, BOX, ""),), (Said(4, BOX),))
        changed.add(((1, BOX, ""),), (Said(4 + step // 5, BOX),))
    assert tracking([kept])["HOTA"] == pytest.approx(1.0)
    assert tracking([changed])["switches"] == 1
    assert tracking([changed])["IDF1"] < 0.8


def test_the_truth_nearest_in_time_is_taken_and_none_far_off() -> None:
    truth = Truth([Moment(100_000, ()), Moment(0, ((1, BOX, ""),))])
    assert truth.at(40_000) == Moment(0, ((1, BOX, ""),))
    assert truth.at(90_000) == Moment(100_000, ())
    assert truth.at(200_000) is None


def test_boxes_of_mot_and_gen1_are_read(tmp_path: Path) -> None:
    text = tmp_path / "gt.txt"
    text.write_text("1,7,10,10,20,20,1,1,1\n4,7,10,10,20,20,0,1,1\n31,7,60,60,30,30,1,2,1\n")
    truth = read_truth(text, names=("car", "person"))
    assert truth.moments == [Moment(0, ((7, BOX, "car"),)), Moment(1_000_000, ((7, OTHER, "person"),))]
    fields = [
        ("ts", "u8"),
        ("x", "f4"),
        ("y", "f4"),
        ("w", "f4"),
        ("h", "f4"),
        ("class_id", "u1"),
        ("track_id", "u4"),
    ]
    rows = np.array([(500, 10, 10, 20, 20, 1, 3)], dtype=fields)
    np.save(tmp_path / "bbox.npy", rows)
    assert read_truth(tmp_path / "bbox.npy", names=("car", "person")).moments == [
        Moment(500, ((3, BOX, "person"),))
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"hello"),
        ("a.txt", b"1,2,3\n"),
        ("a.txt", b"1,1,nan,1,1,1\n"),
        ("a.npy", b"\x93NUMPY"),
        ("no.npy", None),
    ],
)
def test_other_files_are_told_in_a_line(tmp_path: Path, name: str, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=name):
        read_truth(tmp_path / name)


def test_a_scene_is_the_same_again_and_its_boxes_lie_where_its_events_are() -> None:
    settings = SceneSettings(Resolution(128, 128), 2, seconds=0.2, apart=True, noise_hz=0.0, seed=3)
    first, again = list(Scene(settings).steps()), list(Scene(settings).steps())
    assert all((a == b).all() and m == n for (a, m), (b, n) in zip(first, again, strict=True))
    inside = total = 0
    for events, moment in first[1:]:
        assert len(moment.things) == 2
        near = np.zeros(len(events), bool)
        for _, (left, top, right, bottom), _ in moment.things:
            x, y = events["x"].astype(int), events["y"].astype(int)
            near |= (x >= left - 3) & (x < right + 3) & (y >= top - 3) & (y < bottom + 3)
        inside, total = inside + int(near.sum()), total + len(events)
    assert total > 300
    assert inside > 0.9 * total
