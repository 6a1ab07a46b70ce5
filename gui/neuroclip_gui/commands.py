"""Everything a user can do, declared as data: menus, tool bar, keys and the cheat sheet come from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neuroclip_gui import layout


@dataclass(frozen=True)
class Spec:
    """One action: its name, what it is called, its keys, and what it does.

    ``in_list`` keys work only while the list of prompts has the focus; others of one character only while
    the picture or the seek bar has it, since anywhere else they are typed. ``check`` makes it a switch:
    ``do`` then gets the window and the new state. ``held`` keys do not repeat. One that ``shows`` looks
    checked while its work goes on; ``do`` gets the window alone.
    """

    name: str
    text: str
    do: Callable[..., Any]
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    check: bool = False
    in_list: bool = False
    held: bool = False
    shows: bool = False

    @property
    def picture_keys(self) -> tuple[str, ...]:
        """Those that work only with the picture or the seek bar in focus."""
        return tuple(key for key in self.keys if not self.in_list and (len(key) == 1 or key == "Space"))

    @property
    def other_keys(self) -> tuple[str, ...]:
        """Those that work in all of the window, or of the list."""
        return tuple(key for key in self.keys if key not in self.picture_keys)


def search(window: Any) -> Any:
    """Return what searches."""
    return window.panels["search"]


def acting(window: Any) -> Any:
    """Return what acts when something is seen."""
    return window.panels["acting"]


def teach(window: Any) -> Any:
    """Return what teaches."""
    return window.panels["teach"]


ACTIONS: tuple[Spec, ...] = (
    # where events come from
    Spec(
        "open",
        "&Open recording…",
        lambda w: w.sources.ask_file(),
        ("Ctrl+O",),
        "open",
        "Open a recording in any format that doctor lists, or several to play one after the other",
    ),
    Spec(
        "camera",
        "Open &camera",
        lambda w: w.sources.open_camera(),
        ("Ctrl+K",),
        "camera",
        "Open the first event camera found",
    ),
    Spec(
        "network",
        "Connect to a &stream…",
        lambda w: w.sources.ask_address(),
        ("Ctrl+N",),
        "network",
        "Read a dv-processing network stream",
    ),
    Spec("search", "Searc&h recordings…", lambda w: search(w).focus(), ("Ctrl+F",), tip="When was it seen?"),
    Spec(
        "index_folder", "&Index a folder…", lambda w: search(w).ask_folder(), tip="To be searched for words"
    ),
    Spec("open_index", "Open an i&ndex…", lambda w: search(w).ask_index(), tip="To be searched for words"),
    Spec(
        "record",
        "&Record",
        lambda w: w.recording.toggle(),
        ("Ctrl+R",),
        "record",
        "Record exactly what comes in, with a file of labels beside it; again ends it",
        shows=True,
    ),
    Spec("record_to", "Record &to…", lambda w: w.recording.ask(), ("Ctrl+Shift+R",)),
    Spec(
        "serve",
        "Ser&ve…",
        lambda w: w.serving.ask(),
        ("Ctrl+Shift+V",),
        "serve",
        "A page for browsers, and events for other programs, while the window runs",
        shows=True,
    ),
    Spec(
        "acting",
        "Ac&tions…",
        lambda w: acting(w).ask(),
        ("Ctrl+Shift+A",),
        tip="Open a file that says what is to happen when something is seen",
    ),
    Spec(
        "simulator",
        "Simulated ca&mera",
        lambda w: w.sources.open_simulator(),
        tip="A dozen things in turn before a simulated sensor; the Camera panel sets how they move",
    ),
    Spec(
        "snapshot",
        "&Save picture",
        lambda w: w.pictures.save(),
        ("Ctrl+S", "S"),
        "snapshot",
        "Save what is shown as a PNG among your pictures",
    ),
    Spec(
        "export_film",
        "E&xport film…",
        lambda w: w.export.ask(),
        ("Ctrl+Shift+E",),
        tip="A stretch of the recording as MP4 or GIF, with the answer, the time and a legend",
    ),
    Spec("copy", "&Copy picture", lambda w: w.pictures.copy(), ("Ctrl+Shift+C",)),
    Spec(
        "settings",
        "S&ettings…",
        lambda w: w.do.ask_settings(),
        ("Ctrl+,",),
        tip="Model, device, slices, timesteps, theme",
    ),
    Spec("quit", "&Quit", lambda w: w.close(), ("Ctrl+Q",)),
    # words and lessons
    Spec(
        "undo",
        "&Undo",
        lambda w: w.undo.undo(),
        ("Ctrl+Z",),
        tip="Take the latest change of words, lists or lessons back",
    ),
    Spec("redo", "&Redo", lambda w: w.undo.redo(), ("Ctrl+Shift+Z",), tip="Do it again"),
    Spec(
        "start_empty",
        "&Start empty",
        lambda w: w.undo.start_empty(),
        tip="Without words, lessons and a part of the picture; Undo brings them back",
    ),
    # recordings
    Spec(
        "play",
        "&Play or pause",
        lambda w: w.do.play_or_freeze(),
        ("Space", "Ctrl+P"),
        "pause",
        "Play or pause the recording; freezes the picture of a camera",
    ),
    Spec("step_back", "Step &back", lambda w: w.do.step(-1), (",", "Alt+Left"), "back", "Back by one slice"),
    Spec(
        "step_on", "Step &forward", lambda w: w.do.step(1), (".", "Alt+Right"), "forward", "On by one slice"
    ),
    Spec("skip_back", "Back 5 s", lambda w: w.transport.skip(-5), ("Shift+Left",)),
    Spec("skip_on", "On 5 s", lambda w: w.transport.skip(5), ("Shift+Right",)),
    Spec("restart", "To the beginning", lambda w: w.transport.seek_share(0.0), ("Home",)),
    Spec("slower", "S&lower", lambda w: w.transport.faster(-1), ("[",)),
    Spec("faster", "F&aster", lambda w: w.transport.faster(1), ("]",)),
    Spec(
        "loop", "&Loop", lambda w, on: w.do.set_loop(on), ("L",), "loop", "Begin again at the end", check=True
    ),
    Spec(
        "previous_recording",
        "Previous recordin&g",
        lambda w: w.playlist.go(-1),
        ("Ctrl+PgUp", "P"),
        "previous",
    ),
    Spec("next_recording", "&Next recording", lambda w: w.playlist.go(1), ("Ctrl+PgDown", "N"), "next"),
    Spec("mark_in", "Play from &here", lambda w: w.transport.mark("in"), ("I",)),
    Spec("mark_out", "Play up to h&ere", lambda w: w.transport.mark("out"), ("O",)),
    Spec("mark_clear", "Play &all of it", lambda w: w.transport.mark("clear"), ("X",)),
    # prompts
    Spec(
        "add", "&Add a word", lambda w: w.do.focus_entry(), ("Ctrl+L", "/"), "plus", "Type what to look for"
    ),
    Spec("rename", "&Rename", lambda w: w.prompts.rename_selected(), ("F2",), in_list=True),
    Spec("remove", "Re&move", lambda w: w.prompts.remove_selected(), ("Del", "Backspace"), in_list=True),
    Spec(
        "negative",
        "&Negative",
        lambda w: w.prompts.toggle_negative(),
        ("Ctrl+-",),
        in_list=True,
        tip="When a negative fits best, there is no label",
    ),
    Spec("enabled", "On or &off", lambda w: w.prompts.toggle_enabled(), ("Ctrl+E", "Space"), in_list=True),
    Spec("color", "&Color…", lambda w: w.prompts.choose_color(), ("Ctrl+Alt+C",), in_list=True),
    Spec("theme_color", "The theme's color", lambda w: w.prompts.clear_colors(), in_list=True),
    Spec("paste", "&Paste words", lambda w: w.prompts.paste(), ("Ctrl+V",), in_list=True),
    Spec("move_up", "Move &up", lambda w: w.prompts.move_selected(-1), ("Alt+Up",), in_list=True),
    Spec("move_down", "Move &down", lambda w: w.prompts.move_selected(1), ("Alt+Down",), in_list=True),
    Spec("remove_all", "Remove all", lambda w: w.prompts.remove_all()),
    Spec(
        "templates",
        "&Sentences…",
        lambda w: w.do.ask_templates(),
        ("Ctrl+T",),
        tip="The sentences words are put into",
    ),
    Spec("import", "&Import…", lambda w: w.prompt_files.ask_import()),
    Spec("export", "&Export…", lambda w: w.prompt_files.ask_export()),
    # teaching
    Spec(
        "teach",
        "&Show it now",
        lambda w: teach(w).toggle(),
        ("F8", "T"),
        "teach",
        "Hold the key while the camera sees the label in the Teach panel; a tap takes the last 2 s",
        held=True,
    ),
    Spec(
        "teach_last",
        "It was &this",
        lambda w: teach(w).last(),
        ("Ctrl+Return",),
        tip="The last 2 s showed the label in the Teach panel",
    ),
    Spec(
        "teach_not",
        "&Wrong",
        lambda w: teach(w).deny(),
        ("Ctrl+Shift+Return", "W"),
        tip="The last 2 s did not show what is decided: a counter-example",
    ),
    Spec("teach_forget", "&Forget", lambda w: teach(w).forget(), tip="Forget the label selected"),
    Spec("teach_save", "&Save…", lambda w: teach(w).ask_save(), tip="Save everything taught to a file"),
    Spec("teach_load", "&Load…", lambda w: teach(w).ask_load(), tip="Load what was taught before"),
    # view
    Spec(
        "picture",
        "To the p&icture",
        lambda w: w.do.focus_picture(),
        ("F6",),
        tip="Give the picture the keys: those of one character are commands there, and words anywhere else",
    ),
    Spec(
        "freeze",
        "&Freeze the picture",
        lambda w, on: w.live.freeze(on),
        ("F",),
        "freeze",
        "Hold the picture still; recognition goes on",
        check=True,
    ),
    Spec(
        "space_time",
        "Space and &time (x, y, t)",
        lambda w, on: layout.show_space_time(w, on),
        ("F9",),
        "cube",
        "Show the newest events as points of x, y and time; drag to turn",
        check=True,
    ),
    Spec(
        "fit",
        "Fit the &sensor",
        lambda w: w.view.fit(),
        ("0",),
        "fit",
        "Show the whole sensor (or double click the picture)",
    ),
    Spec(
        "region",
        "Recognize only a &part",
        lambda w: w.region.ask(),
        ("R",),
        "region",
        "Draw the part of the picture that is recognized; a recording keeps everything",
    ),
    Spec(
        "objects",
        "Se&veral things",
        lambda w, on: w.recognition.use_objects(on),
        ("Ctrl+B",),
        "boxes",
        "A box and a word for everything that moves",
        check=True,
    ),
    Spec("region_clear", "Recognize the &whole sensor", lambda w: w.do.leave(), ("Esc",)),
    Spec(
        "frames",
        "Camera &frames beside the events",
        lambda w, on: w.live.show_frames(on),
        check=True,
        tip="For DAVIS cameras",
    ),
    Spec(
        "next_theme",
        "Next theme",
        lambda w: w.do.next_theme(),
        ("Ctrl+Shift+T",),
        "theme",
        "Dark, light, color-blind safe",
    ),
    Spec(
        "desk",
        "&Demo desk",
        lambda w, on: w.do.set_desk(on),
        ("F10",),
        "desk",
        "Only the picture and the answer, large; Esc leaves",
        check=True,
    ),
    Spec("full", "F&ull screen", lambda w, on: w.do.set_full(on), ("F11",), check=True),
    Spec("reset_layout", "&Reset the panels", lambda w: w.do.reset_layout()),
    # help
    Spec(
        "shortcuts",
        "&Keyboard shortcuts",
        lambda w: w.do.show_shortcuts(),
        ("F1", "?"),
        "help",
        "All keys on one page",
    ),
    Spec("reset", "Reset all settings", lambda w: w.do.reset_settings()),
    Spec("about", "&About", lambda w: w.do.show_about()),
)
