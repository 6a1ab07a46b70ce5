"""Recognising only a part of the sensor."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import SENSOR, packet

from neuroclip_live.errors import UserError
from neuroclip_live.events import EVENT_DTYPE, Resolution
from neuroclip_live.frames import Box, event_frame
from neuroclip_live.region import fitting, inside, size_of


@pytest.mark.parametrize(
    "region", [Box(0, 0, 32, 24), Box(5, 3, 20, 15), Box(24, 16, 32, 24), Box(0, 0, 8, 8)]
)
def test_what_is_inside_is_the_picture_cut_out(region):
    events = packet(0, 3000)
    whole = event_frame(events, SENSOR)
    part = inside(events, region)
    assert part.dtype is EVENT_DTYPE or part.dtype == EVENT_DTYPE
    assert (np.diff(part["t"]) >= 0).all()
    assert set(np.unique(part["p"])) <= {0, 1}
    frame = event_frame(part, size_of(region))
    assert (frame == whole[region.top : region.bottom, region.left : region.right]).all()


def test_events_outside_any_sensor_are_left_out():
    events = packet(0, 4)
    events["x"], events["y"] = [-1, 40, 5, 5], [5, 5, -3, 5]
    kept = inside(events, Box(0, 0, 32, 24))
    assert kept[["x", "y"]].tolist() == [(5, 5)]
    assert len(inside(events[:0], Box(0, 0, 8, 8))) == 0


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        (Box(4, 4, 20, 20), Box(4, 4, 20, 20)),
        (Box(20, 20, 4, 4), Box(4, 4, 20, 20)),  # drawn from the other corner
        (Box(-50, -9, 20, 20), Box(0, 0, 20, 20)),
        (Box(10, 10, 999, 999), Box(10, 10, 32, 24)),
        (Box(-5, -5, 99, 99), None),
    ],
)
def test_a_region_is_put_on_the_sensor(drawn, kept):
    assert fitting(drawn, SENSOR) == kept


@pytest.mark.parametrize(
    "drawn", [Box(4, 4, 4, 4), Box(4, 4, 30, 9), Box(40, 40, 90, 90), Box(-50, 0, -20, 24)]
)
def test_too_little_is_refused(drawn):
    with pytest.raises(UserError, match="too small"):
        fitting(drawn, SENSOR)


def test_sizes():
    assert size_of(Box(5, 3, 20, 15)) == Resolution(15, 12)
