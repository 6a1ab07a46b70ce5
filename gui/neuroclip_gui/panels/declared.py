"""The panels of the window, in the order of their tabs and of the menu: a line for each."""

from __future__ import annotations

from neuroclip_gui.panel_spec import PanelSpec, Where
from neuroclip_gui.panels.acting.acting_commands import ActingCommands
from neuroclip_gui.panels.camera.cameras import Cameras
from neuroclip_gui.panels.health.health_updates import HealthUpdates
from neuroclip_gui.panels.prompts.prompt_updates import PromptUpdates
from neuroclip_gui.panels.rate.rate_updates import RateUpdates
from neuroclip_gui.panels.search.search_commands import Search
from neuroclip_gui.panels.spacetime.space_time_updates import SpaceTimeUpdates
from neuroclip_gui.panels.teach.teach_commands import Teaching
from neuroclip_gui.panels.timeline.timeline_updates import TimelineUpdates
from neuroclip_gui.panels.timesteps.seen import Seen

PANELS: tuple[PanelSpec, ...] = (
    PanelSpec("prompts", "Prompts", Where.WORDS, PromptUpdates),
    PanelSpec("camera", "Camera", Where.WORDS, Cameras),
    PanelSpec("search", "Search", Where.WORDS, Search),
    PanelSpec("timeline", "Timeline", Where.PAST, TimelineUpdates),
    PanelSpec("teach", "Teach", Where.PAST, Teaching),
    PanelSpec("health", "Health", Where.PAST, HealthUpdates),
    PanelSpec("rate", "Rate", Where.PAST, RateUpdates),
    PanelSpec("acting", "Actions", Where.PAST, ActingCommands, at_first=False),
    PanelSpec("spacetime", "Space and time", Where.LEFT, SpaceTimeUpdates, at_first=False),
    PanelSpec("strip", "What the network sees", Where.BOTTOM, Seen),
)
