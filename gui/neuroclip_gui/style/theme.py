"""How the window looks: a palette becomes a style sheet and a QPalette, and widgets that paint are told.

Widgets that paint themselves read :attr:`Theme.palette` and repaint on :attr:`Theme.changed`; all others
follow the style sheet. Sizes are in pixels of the scaled screen, so high-DPI screens need nothing more.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from neuroclip_gui.style.palettes import PALETTES, Palette, contrast

_ASSETS = (Path(__file__).parent / "assets").as_posix()
FAMILIES = ["Inter", "Segoe UI", "Cantarell", "Ubuntu", "Noto Sans", "DejaVu Sans"]


_LEGIBLE = 4.5
"""The least contrast of text to what is under it, by WCAG 2 (AA)."""


class Theme(QObject):
    """The theme in use.

    Attributes
    ----------
    changed : Signal
        After another palette was applied.
    """

    changed = Signal()

    def __init__(self, name: str = "dark") -> None:
        super().__init__()
        self.palette: Palette = PALETTES.get(name, PALETTES["dark"])

    def apply(self, app: QApplication, name: str | None = None) -> None:
        """Dress the application; ``name`` chooses another palette."""
        if name is not None:
            self.palette = PALETTES.get(name, PALETTES["dark"])
        app.setStyle("Fusion")
        app.setPalette(_qpalette(self.palette))
        app.setFont(font(13))
        app.setStyleSheet(style_sheet(self.palette))
        self.changed.emit()

    def color(self, role: str, alpha: int = 255) -> QColor:
        """Return a palette color by its field's name."""
        color = QColor(getattr(self.palette, role))
        color.setAlpha(alpha)
        return color

    def ink_on(self, ground: tuple[int, int, int]) -> QColor:
        """Return a color to write with on another ground than the theme's: quiet, and legible."""
        under, p = QColor(*ground).name(), self.palette
        legible = [ink for ink in (p.muted, p.text, p.window) if contrast(ink, under) >= _LEGIBLE]
        return QColor(legible[0] if legible else "#000000")

    def series(self, index: int) -> QColor:
        """Return the color of the prompt with this number."""
        colors = self.palette.series
        return QColor(colors[index % len(colors)])


@lru_cache(maxsize=64)
def font(pixels: float, *, bold: bool = False, medium: bool = False) -> QFont:
    """Return the interface font at a size in pixels; shared, so do not change it."""
    result = QFont()
    result.setFamilies(FAMILIES)
    result.setPixelSize(max(1, round(pixels)))
    if bold:
        result.setWeight(QFont.Weight.Bold)
    elif medium:
        result.setWeight(QFont.Weight.DemiBold)
    return result


def _qpalette(p: Palette) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, color in (
        (role.Window, p.window),
        (role.WindowText, p.text),
        (role.Base, p.raised),
        (role.AlternateBase, p.panel),
        (role.Text, p.text),
        (role.Button, p.raised),
        (role.ButtonText, p.text),
        (role.ToolTipBase, p.raised),
        (role.ToolTipText, p.text),
        (role.Highlight, p.accent),
        (role.HighlightedText, p.on_accent),
        (role.PlaceholderText, p.muted),
        (role.Link, p.accent),
        (role.Mid, p.border),
        (role.Dark, p.sunken),
    ):
        palette.setColor(which, QColor(color))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(p.muted).darker(130 if p.dark else 90))
    return palette


def style_sheet(p: Palette) -> str:
    """Return the Qt style sheet of a palette."""
    hover = QColor(p.raised).lighter(125).name() if p.dark else QColor(p.raised).darker(106).name()
    return f"""
    QMainWindow, QDialog {{ background: {p.window}; }}
    QWidget {{ color: {p.text}; }}
    QToolTip {{ background: {p.raised}; color: {p.text}; border: 1px solid {p.border}; padding: 6px; }}
    QMenuBar {{ background: {p.window}; padding: 2px 6px; }}
    QMenuBar::item {{ padding: 4px 9px; border-radius: 5px; color: {p.muted}; background: transparent; }}
    QMenuBar::item:selected {{ background: {p.raised}; color: {p.text}; }}
    QMenu {{ background: {p.panel}; border: 1px solid {p.border}; padding: 5px; }}
    QMenu::item {{ padding: 6px 26px 6px 26px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {p.raised}; }}
    QMenu::item:disabled {{ color: {p.muted}; }}
    QMenu::separator {{ height: 1px; background: {p.border}; margin: 5px 8px; }}
    QMenu::indicator {{ left: 7px; width: 12px; height: 12px; }}
    QToolBar {{ background: {p.window}; border: 0; padding: 0px 8px 3px 8px; spacing: 2px; }}
    QToolBar::separator {{ width: 1px; background: {p.border}; margin: 5px 6px; }}
    QToolButton, QPushButton {{ background: transparent; border: 1px solid transparent; border-radius: 6px;
        padding: 5px 9px; }}
    QPushButton {{ background: {p.raised}; border-color: {p.border}; padding: 6px 14px; }}
    QToolButton:hover, QPushButton:hover {{ background: {hover}; }}
    QToolButton:pressed, QPushButton:pressed {{ background: {p.border}; }}
    QToolButton:checked {{ background: {p.raised}; border-color: {p.border}; color: {p.accent}; }}
    QToolButton#record:checked {{ background: {p.record}; border-color: {p.record}; color: {p.window}; }}
    QToolButton:focus, QPushButton:focus {{ border-color: {p.accent}; }}
    QToolButton:disabled, QPushButton:disabled {{ color: {p.muted}; }}
    QPushButton:default {{ background: {p.accent}; color: {p.on_accent}; border-color: {p.accent}; }}
    QPushButton:default:disabled {{ background: {p.raised}; color: {p.muted}; border-color: {p.border}; }}
    QToolButton::menu-indicator {{ image: none; }}
    QToolButton#qt_toolbar_ext_button {{ padding: 0; border: 0; min-width: 20px; background: {p.raised};
        border-radius: 4px; }}
    QToolButton#quiet {{ padding: 2px; }}
    QLabel[role="head"] {{ color: {p.muted}; font-size: 11px; font-weight: 600; }}
    QDockWidget {{ color: {p.muted}; font-size: 11px; font-weight: 600; }}
    QDockWidget::title {{ background: {p.window}; padding: 6px 10px 5px 4px; }}
    QWidget#panel {{ background: {p.panel}; border: 1px solid {p.border}; border-radius: 9px; }}
    QMainWindow::separator {{ background: {p.window}; width: 6px; height: 6px; }}
    QMainWindow::separator:hover {{ background: {p.border}; }}
    QTabBar {{ background: {p.window}; qproperty-drawBase: 0; }}
    QTabBar::tab {{ background: transparent; color: {p.muted}; padding: 5px 8px; border: 0;
        border-bottom: 2px solid transparent; font-size: 12px; font-weight: 600; min-width: 44px; }}
    QTabBar::tab:selected {{ color: {p.text}; border-bottom-color: {p.accent}; }}
    QTabBar::tab:hover {{ color: {p.text}; }}
    QLineEdit, QPlainTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ background: {p.raised};
        border: 1px solid {p.border}; border-radius: 6px; padding: 5px 8px;
        selection-background-color: {p.accent}; selection-color: {p.on_accent}; }}
    QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus, QSpinBox:focus {{ border-color: {p.accent}; }}
    QLineEdit#prompt {{ font-size: 15px; padding: 8px 10px; }}
    QComboBox {{ padding: 4px 8px; }}
    QComboBox::drop-down {{ border: 0; width: 20px; }}
    QComboBox::down-arrow {{ image: url({_ASSETS}/down.svg); width: 12px; height: 12px; }}
    QSpinBox, QDoubleSpinBox {{ padding: 4px 8px; }}
    QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button
        {{ border: 0; width: 18px; background: transparent; }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({_ASSETS}/up.svg); width: 10px; }}
    QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({_ASSETS}/down.svg); width: 10px; }}
    QComboBox QAbstractItemView {{ background: {p.panel}; border: 1px solid {p.border};
        selection-background-color: {p.raised}; selection-color: {p.text}; outline: 0; }}
    QListView, QTableWidget, QScrollArea {{ background: transparent; border: 0; outline: 0; }}
    QListView, QTreeView, QTableView {{ selection-background-color: {p.raised}; selection-color: {p.text}; }}
    QListView::item:selected, QTreeView::item:selected, QTreeView::branch:selected,
        QTableView::item:selected {{ background: {p.raised}; color: {p.text}; }}
    QListWidget#moments::item {{ padding: 2px; border-radius: 6px; }}
    QListWidget#moments::item:hover {{ background: {hover}; }}
    QListWidget#moments::item:selected {{ background: {p.raised}; color: {p.text}; }}
    QHeaderView::section {{ background: transparent; color: {p.muted}; border: 0; padding: 3px 6px;
        font-size: 11px; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {p.border}; border-radius: 4px; min-height: 26px;
        min-width: 26px; margin: 1px; }}
    QScrollBar::handle:hover {{ background: {p.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: none; border: 0; width: 0; height: 0; }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {p.border}; }}
    QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {p.accent}; }}
    QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -4px 0; border-radius: 6px;
        background: {p.text}; }}
    QSlider::handle:horizontal:focus {{ background: {p.accent}; }}
    QCheckBox {{ spacing: 7px; }}
    QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {p.muted}; border-radius: 4px;
        background: {p.raised}; }}
    QCheckBox::indicator:checked {{ background: {p.accent}; border-color: {p.accent};
        image: url({_ASSETS}/{"check" if p.dark else "check-light"}.svg); }}
    QCheckBox:focus {{ color: {p.accent}; }}
    QCheckBox:disabled {{ color: {p.muted}; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QStatusBar {{ background: {p.window}; color: {p.muted}; }}
    QStatusBar::item {{ border: 0; }}
    QLabel[role="muted"] {{ color: {p.muted}; }}
    QFrame[role="line"] {{ background: {p.border}; border: 0; }}
    QLabel[role="small"] {{ color: {p.muted}; font-size: 11px; }}
    QLabel[role="value"] {{ color: {p.text}; font-weight: 600; }}
    QLabel[role="bad"] {{ color: {p.bad}; font-weight: 600; }}
    QLabel#hint {{ background: {p.panel}; color: {p.text}; border-radius: 8px;
        padding: 8px 16px; font-size: 14px; }}
    QLabel[role="warn"] {{ color: {p.warn}; font-weight: 600; }}
    QLabel[role="title"] {{ font-size: 15px; font-weight: 600; }}
    QFrame#banner {{ background: {p.raised}; border: 1px solid {p.border}; border-left: 4px solid {p.accent};
        border-radius: 6px; }}
    QFrame#banner[level="error"] {{ border-left-color: {p.bad}; }}
    QFrame#banner[level="warn"] {{ border-left-color: {p.warn}; }}
    QFrame#waiting {{ background: {p.panel}; border: 1px solid {p.border}; border-radius: 10px; }}
    QProgressBar {{ background: {p.border}; border: 0; border-radius: 2px; max-height: 4px;
        min-height: 4px; }}
    QProgressBar::chunk {{ background: {p.accent}; border-radius: 2px; }}
    """
