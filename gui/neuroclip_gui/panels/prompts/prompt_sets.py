"""Lists of words saved under a name, and back with two clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMenu

from neuroclip_gui.autosave import as_kept, words_of
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import PromptSet

if TYPE_CHECKING:
    from neuroclip_gui.main_window import MainWindow

MOST = 50


class PromptSets:
    """Saves, brings back and forgets lists; they live in the window's settings.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        button = window.prompts.lists
        menu = QMenu(button)
        menu.aboutToShow.connect(lambda: self.fill(menu))
        button.setMenu(menu)

    @property
    def names(self) -> list[str]:
        """The names of all lists, by alphabet."""
        return sorted(self._window.settings.prompt_sets, key=str.casefold)

    def fill(self, menu: QMenu) -> None:
        """Offer all lists and what can be done with them."""
        menu.clear()
        for name in self.names:
            action = menu.addAction(name.replace("&", "&&"))
            action.triggered.connect(lambda _=False, n=name: self.use(n))
        if self.names:
            menu.addSeparator()
        menu.addAction("Save this list…").triggered.connect(lambda: self.ask_name())
        forget = menu.addMenu("Forget")
        for name in self.names:
            forget.addAction(name.replace("&", "&&")).triggered.connect(
                lambda _=False, n=name: self.forget(n)
            )
        forget.setEnabled(bool(self.names))

    def ask_name(self) -> None:
        """Ask how to call the list."""
        dialog = QInputDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Save this list")
        dialog.setLabelText("Name of the list; one that is there is replaced")
        dialog.textValueSelected.connect(self.save)
        dialog.open()

    def save(self, name: str) -> None:
        """Keep the list in use under a name."""
        name, sets = " ".join(name.split())[:80], self._window.settings.prompt_sets
        prompts = self._window.prompts.prompts
        if not name or not prompts.prompts:
            self._window.complain("Nothing to save: give a name, and have a word in the list")
            return
        if name not in sets and len(sets) >= MOST:
            self._window.complain(f"{MOST} lists are kept at most: forget one first, or export this one")
            return
        self._window.undo.change_lists(f"save the list “{name}”", sets, {**sets, name: as_kept(prompts)})
        self._window.banner.say(f"Saved the list “{name}”")

    def use(self, name: str) -> None:
        """Look for the words of a list from now on."""
        try:
            prompts = read(self._window.settings.prompt_sets[name])
        except (UserError, KeyError, TypeError, ValueError) as error:
            self._window.complain(f"The list “{name}” cannot be used: {error}")
        else:
            self._window.want_prompts(prompts)

    def forget(self, name: str) -> None:
        """Throw a list away."""
        sets = self._window.settings.prompt_sets
        kept = {other: words for other, words in sets.items() if other != name}
        self._window.undo.change_lists(f"forget the list “{name}”", sets, kept)


def read(kept: dict[str, Any]) -> PromptSet:
    """Return a list as :meth:`PromptSets.save` keeps it (UserError, KeyError, TypeError, ValueError)."""
    prompts = words_of(kept)
    prompts.validate()
    return prompts
