"""Recordings as sources: those the user names and those that ship with the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuroclip_drivers.demo import DEMO_WORDS, demo_recording
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_drivers.opening import SourceSpec


def open_replay(spec: SourceSpec) -> ReplaySource:
    """Open the recording that ``spec`` names."""
    if not spec.target:
        raise UserError("No recording was named. Give the path of a file.")
    return _played(spec.target, spec)


class DemoSource(ReplaySource):
    """A recording that ships with the program: it knows words for what it shows."""

    @property
    def words(self) -> str:
        """Words for it; empty where there are none."""
        return DEMO_WORDS.get(self.recording.path.name, "")


def _played(path: str, spec: SourceSpec, kind: type[ReplaySource] = ReplaySource) -> ReplaySource:
    """Open a recording, to be played as ``spec`` says."""
    return kind(
        path,
        speed=spec.speed,
        loop=spec.loop,
        start_s=spec.start_s,
        end_s=spec.end_s,
        hold_at_end=spec.hold_at_end,
        stream=spec.stream,
        sensor=spec.sensor,
        time_unit=spec.time_unit,
    )


def open_demo(spec: SourceSpec) -> ReplaySource:
    """Open the bundled recording of the name that ``spec`` gives, or the first."""
    return _played(demo_recording(spec.target), spec, DemoSource)
