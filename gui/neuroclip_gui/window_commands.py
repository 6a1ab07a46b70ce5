"""What the window itself can be told to do; panels and helpers have commands of their own."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from neuroclip_gui import layout
from neuroclip_gui.dialogs.shortcuts_dialog import ShortcutsDialog
from neuroclip_gui.panels.playback.transport import hop_of
from neuroclip_gui.panels.prompts.templates_dialog import TemplatesDialog
from neuroclip_gui.panels.spikes.spike_raster import SpikeDialog
from neuroclip_gui.panels.timesteps.timestep_strip import FrameDialog
from neuroclip_gui.settings import WindowSettings
from neuroclip_gui.style.palettes import PALETTES


class WindowCommands:
    """Commands of :class:`neuroclip_gui.main_window.MainWindow`, which adds the panels they speak of."""

    def complain(self, text: str) -> None:
        """Say why something was not done."""
        self.banner.say(text, "hint")

    def play_or_freeze(self) -> None:
        """Play or pause a recording; freeze the picture of anything live."""
        if self.transport.active:
            self.transport.toggle()
        else:
            self.actions_.by_name["freeze"].toggle()

    def step(self, slices: int) -> None:
        """Go on in a recording, or back, by slices."""
        if self.pipeline is not None:
            self.transport.step(slices, hop_of(self.pipeline))

    def set_loop(self, on: bool) -> None:
        """Begin recordings again at their end."""
        self.settings.loop = on
        self.playlist.set_loop(on) if self.playlist.in_charge else self.transport.set_loop(on)

    def set_smoothing(self, seconds: float) -> None:
        """Steady the decision over so many seconds."""
        self.settings.smoothing_s = seconds
        self.recognition.use_decision()

    def set_theme(self, name: str) -> None:
        """Dress the window anew."""
        self.settings.theme = name
        self.theme.apply(QApplication.instance(), name)
        self.actions_.check("theme", name)

    def next_theme(self) -> None:
        """Take the next theme in turn."""
        names = list(PALETTES)
        self.set_theme(names[(names.index(self.theme.palette.name) + 1) % len(names)])

    def set_desk(self, on: bool) -> None:
        """Show only the picture and the answer, large."""
        layout.show_desk(self, on)
        self.region.look()  # Esc leaves it
        self.focus_picture() if on else self.focus_entry()

    def leave(self) -> None:
        """Leave the demo desk; else recognize the whole sensor again."""
        if self.property("desk"):
            self.actions_.by_name["desk"].setChecked(False)
        else:
            self.region.clear()

    def set_full(self, on: bool) -> None:
        """Fill the screen, or go back."""
        self.showFullScreen() if on else self.showNormal()

    def reset_layout(self) -> None:
        """Put the panels where they were at first."""
        layout.arrange(self)

    def reset_settings(self) -> None:
        """Go back to how the window was at first; recent files and what was typed, taught or drawn stay."""
        settings = self.settings
        typed = ("recent", "prompt_sets", "words", "region", "index")
        fresh = replace(WindowSettings(), **{name: getattr(settings, name) for name in typed})
        self.cameras.reset()
        for name, value in vars(fresh).items():
            setattr(self.settings, name, value)
        self.set_theme(self.settings.theme)
        self.set_smoothing(self.settings.smoothing_s)
        self.recognition.reset()
        self.prompts.model.chosen = self.settings.colors
        self.live.set_colors("")
        self.live.set_accumulation(*self.live.accumulation)
        self._show_settings()
        layout.arrange(self)
        self.banner.say("All settings are as at first")

    def focus_entry(self, reason: Qt.FocusReason = Qt.FocusReason.ShortcutFocusReason) -> None:
        """Put the cursor where words are typed."""
        self.docks["prompts"].show()
        self.docks["prompts"].raise_()
        self.prompts.entry.setFocus(reason)

    def show_acting(self) -> None:
        """Bring the panel of actions into view."""
        self.docks["acting"].show()
        self.docks["acting"].raise_()

    def focus_search(self) -> None:
        """Put the cursor where recordings are searched."""
        self.docks["search"].show()
        self.docks["search"].raise_()
        self.search.panel.entry.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_picture(self) -> None:
        """Let keys of one character be commands."""
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def ask_templates(self) -> None:
        """Choose the sentences words are put into."""
        prompts = self.prompts.prompts
        selected = self.prompts.list.selected() or list(prompts.labels)
        info = getattr(self.pipeline.backbone, "info", None) if self.pipeline is not None else None
        own = info.templates if info is not None else ("{}",)
        dialog = TemplatesDialog(prompts.templates, selected[0] if selected else "", own, self)
        dialog.accepted.connect(
            lambda: self.want_prompts(self.prompts.prompts.with_templates(dialog.templates))
        )
        self._open_dialog(dialog)

    def show_shortcuts(self) -> None:
        """Show all keys."""
        self._open_dialog(ShortcutsDialog(self))

    def show_about(self) -> None:
        """Say what this is."""
        self._open_dialog(layout.about_dialog(self))

    def _open_dialog(self, dialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_threshold(self, threshold: float) -> None:
        self.settings.threshold = threshold
        self.recognition.use_decision()

    def _on_frame_opened(self, index: int) -> None:
        frame = self.strip.seen(index)
        if frame is not None:
            label, score = self.strip.caption(index)
            height, width = frame.shape
            what = f"{label}   {score:.2f}" if label else "not scored"
            how = "as the encoder gets it" if self.strip.fit is not None else "as the sensor gave it"
            self._open_dialog(FrameDialog(frame, f"{what}   ·   {width} × {height}, {how}", self))

    def _on_spikes_opened(self) -> None:
        if self.raster.spikes is not None:
            self._open_dialog(SpikeDialog(self.raster.spikes, self.theme, self))
