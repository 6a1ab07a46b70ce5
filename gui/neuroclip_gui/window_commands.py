"""What the window itself can be told to do; panels and helpers have commands of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog
from shiboken6 import isValid

from neuroclip_gui import layout
from neuroclip_gui.dialogs.shortcuts_dialog import ShortcutsDialog
from neuroclip_gui.panels.camera.cameras import Cameras
from neuroclip_gui.panels.playback.transport import hop_of
from neuroclip_gui.panels.prompts.templates_dialog import TemplatesDialog
from neuroclip_gui.settings import WindowSettings
from neuroclip_gui.style.palettes import PALETTES

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow


class WindowCommands:
    """Commands of one window.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._set_aside: list[QDialog] = []
        """Dialogs that would lie over the demo desk."""

    def play_or_freeze(self) -> None:
        """Play or pause a recording; freeze the picture of anything live."""
        if self._window.transport.active:
            self._window.transport.toggle()
        else:
            self._window.actions_.by_name["freeze"].toggle()

    def step(self, slices: int) -> None:
        """Go on in a recording, or back, by slices."""
        if self._window.pipeline is not None:
            self._window.transport.step(slices, hop_of(self._window.pipeline))

    def set_loop(self, on: bool) -> None:
        """Begin recordings again at their end."""
        self._window.settings.loop = on
        playlist, transport = self._window.playlist, self._window.transport
        playlist.set_loop(on) if playlist.in_charge else transport.set_loop(on)

    def set_smoothing(self, seconds: float) -> None:
        """Steady the decision over so many seconds."""
        self._window.settings.smoothing_s = seconds
        self._window.recognition.use_decision()

    def set_theme(self, name: str) -> None:
        """Dress the window anew."""
        self._window.settings.theme = name
        self._window.theme.apply(cast(QApplication, QApplication.instance()), name)
        self._window.actions_.check("theme", name)

    def next_theme(self) -> None:
        """Take the next theme in turn."""
        names = list(PALETTES)
        self.set_theme(names[(names.index(self._window.theme.palette.name) + 1) % len(names)])

    def set_desk(self, on: bool) -> None:
        """Show only the picture and the answer, large; what lay over them is back when that is left."""
        layout.show_desk(self._window, on)
        self._window.banner.let_pass(on)
        if on:
            self._set_aside = [d for d in self._window.findChildren(QDialog) if d.isVisible()]
        for dialog in self._set_aside:
            if isValid(dialog):  # it may have been closed by what it waited for
                dialog.setVisible(not on)
        self._window.region.look()  # Esc leaves it
        self.focus_picture() if on else self.focus_entry()

    def leave(self) -> None:
        """Leave the demo desk; else recognize the whole sensor again."""
        if self._window.property("desk"):
            self._window.actions_.by_name["desk"].setChecked(False)
        else:
            self._window.region.clear()

    def set_full(self, on: bool) -> None:
        """Fill the screen, or go back."""
        self._window.showFullScreen() if on else self._window.showNormal()

    def reset_layout(self) -> None:
        """Put the panels where they were at first."""
        layout.arrange(self._window)

    def reset_settings(self) -> None:
        """Go back to how the window was at first; recent files and what was typed, taught or drawn stay."""
        window, settings = self._window, self._window.settings
        typed = ("recent", "prompt_sets", "words", "region", "index")
        fresh = replace(WindowSettings(), **{name: getattr(settings, name) for name in typed})
        window.panel(Cameras).reset()
        for name, value in vars(fresh).items():
            setattr(settings, name, value)
        self.set_theme(settings.theme)
        self.set_smoothing(settings.smoothing_s)
        window.recognition.reset()
        window.prompts.model.chosen = settings.colors
        window.live.set_colors("")
        window.live.set_accumulation(*window.live.accumulation)
        window.show_settings()
        layout.arrange(window)
        window.banner.say("All settings are as at first")

    def focus_entry(self, reason: Qt.FocusReason = Qt.FocusReason.ShortcutFocusReason) -> None:
        """Put the cursor where words are typed."""
        layout.bring_forward(self._window, "prompts")
        self._window.prompts.entry.setFocus(reason)

    def focus_picture(self) -> None:
        """Let keys of one character be commands."""
        self._window.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def ask_templates(self) -> None:
        """Choose the sentences words are put into."""
        window, panel = self._window, self._window.prompts
        prompts = panel.prompts
        selected = panel.list.selected() or list(prompts.labels)
        info = getattr(window.pipeline.backbone, "info", None) if window.pipeline is not None else None
        own = info.templates if info is not None else ("{}",)
        dialog = TemplatesDialog(prompts.templates, selected[0] if selected else "", own, window)
        dialog.accepted.connect(lambda: window.want_prompts(panel.prompts.with_templates(dialog.templates)))
        self.open_dialog(dialog)

    def ask_settings(self) -> None:
        """Show the settings; the window stays usable, so that what they do is seen."""
        from neuroclip_gui.dialogs.settings_dialog import SettingsDialog

        for dialog in self._window.findChildren(SettingsDialog):
            dialog.raise_()
            return
        dialog = SettingsDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def show_shortcuts(self) -> None:
        """Show all keys."""
        self.open_dialog(ShortcutsDialog(self._window))

    def show_about(self) -> None:
        """Say what this is."""
        self.open_dialog(layout.about_dialog(self._window))

    def open_dialog(self, dialog: QDialog) -> None:
        """Show a dialog that is destroyed when it is closed."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def set_threshold(self, threshold: float) -> None:
        """Be sure of an answer from this probability on."""
        self._window.settings.threshold = threshold
        self._window.recognition.use_decision()
