"""What the panels of a window may use of it: the one place where their context is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuroclip_gui import layout
from neuroclip_gui.panel_spec import Context, Doors, Words

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow


def context_of(window: MainWindow) -> Context:
    """Return what panels may use; each part is looked up when it is used, for panels are made first."""
    return Context(
        parent=window,
        theme=window.theme,
        settings=window.settings,
        jobs=window.jobs,
        pipeline=lambda: window.pipeline,
        say=window.banner.say,
        show=lambda name: layout.bring_forward(window, name),
        action=lambda name: window.actions_.by_name[name],
        decided=lambda: window.decided,
        event_colors=lambda: window.live.colors,
        options=lambda: window.recognition.options(),
        words=Words(
            now=lambda: window.prompts.prompts,
            want=lambda prompts: window.want_prompts(prompts),
            selected=lambda: window.prompts.list.selected(),
            color=lambda label: window.prompts.color(label),
            note_lessons=lambda text, teacher, before: window.undo.note_lessons(text, teacher, before),
            change_lists=lambda text, before, after: window.undo.change_lists(text, before, after),
        ),
        doors=Doors(
            camera=lambda serial: window.sources.open_camera(serial),
            stream=lambda address: window.sources.open_stream(address),
            moment=lambda path, seconds: window.sources.play_at(path, seconds),
            place=lambda t_us: window.transport.seek_us(t_us),
            region=lambda box: window.region.use(box),
        ),
    )
