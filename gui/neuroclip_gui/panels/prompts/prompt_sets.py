"""Lists of words saved under a name, and back with two clicks."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMenu, QToolButton

from neuroclip_gui.autosave import as_kept, words_of
from neuroclip_gui.panel_spec import Context
from neuroclip_live.errors import UserError
from neuroclip_live.prompting.prompt_set import PromptSet

MOST = 50


class PromptSets:
    """Saves, brings back and forgets lists; they live in the window's settings.

    Parameters
    ----------
    context : Context
    button : QToolButton
        Opens the menu of lists.
    """

    def __init__(self, context: Context, button: QToolButton) -> None:
        self._context, self._words, self._settings = context, context.words, context.settings
        menu = QMenu(button)
        menu.aboutToShow.connect(lambda: self.fill(menu))
        button.setMenu(menu)

    @property
    def names(self) -> list[str]:
        """The names of all lists, by alphabet."""
        return sorted(self._settings.prompt_sets, key=str.casefold)

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
        dialog = QInputDialog(self._context.parent)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Save this list")
        dialog.setLabelText("Name of the list; one that is there is replaced")
        dialog.textValueSelected.connect(self.save)
        dialog.open()

    def save(self, name: str) -> None:
        """Keep the list in use under a name."""
        name, sets = " ".join(name.split())[:80], self._settings.prompt_sets
        prompts = self._words.now()
        if not name or not prompts.prompts:
            self._context.complain("Nothing to save: give a name, and have a word in the list")
            return
        if name not in sets and len(sets) >= MOST:
            self._context.complain(f"{MOST} lists are kept at most: forget one first, or export this one")
            return
        self._words.change_lists(f"save the list “{name}”", sets, {**sets, name: as_kept(prompts)})
        self._context.say(f"Saved the list “{name}”")

    def use(self, name: str) -> None:
        """Look for the words of a list from now on."""
        try:
            prompts = read(self._settings.prompt_sets[name])
        except (UserError, KeyError, TypeError, ValueError) as error:
            self._context.complain(f"The list “{name}” cannot be used: {error}")
        else:
            self._words.want(prompts)

    def forget(self, name: str) -> None:
        """Throw a list away."""
        sets = self._settings.prompt_sets
        kept = {other: words for other, words in sets.items() if other != name}
        self._words.change_lists(f"forget the list “{name}”", sets, kept)


def read(kept: dict[str, Any]) -> PromptSet:
    """Return a list as :meth:`PromptSets.save` keeps it (UserError, KeyError, TypeError, ValueError)."""
    prompts = words_of(kept)
    prompts.validate()
    return prompts
