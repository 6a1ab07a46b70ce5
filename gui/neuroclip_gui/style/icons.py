"""Line icons drawn for this window: one path each on a 24 × 24 grid, in the color of the theme."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

PATHS: dict[str, str] = {
    "open": '<path d="M3 18V6h6l2 2h10v10z"/>',
    "demo": '<path d="M12 3l2.6 5.6 6.1.7-4.5 4.2 1.2 6L12 16.5 6.6 19.5l1.2-6L3.3 9.3l6.1-.7z"/>',
    "camera": '<path d="M3 8h4l2-3h6l2 3h4v11H3z"/><circle cx="12" cy="13" r="3.5"/>',
    "network": '<circle cx="12" cy="5" r="2"/><circle cx="5" cy="18" r="2"/><circle cx="19" cy="18" r="2"/>'
    '<path d="M11 7l-5 9M13 7l5 9M7 18h10"/>',
    "play": '<path d="M7 4.5v15l12-7.5z" fill="currentColor"/>',
    "pause": '<path d="M8 5v14M16 5v14" stroke-width="3.4"/>',
    "back": '<path d="M18 5v14l-10-7z" fill="currentColor"/><path d="M6 5v14"/>',
    "forward": '<path d="M6 5v14l10-7z" fill="currentColor"/><path d="M18 5v14"/>',
    "previous": '<path d="M20 5v14l-8-7zM12 5v14l-8-7z" fill="currentColor"/><path d="M3 5v14"/>',
    "next": '<path d="M4 5v14l8-7zM12 5v14l8-7z" fill="currentColor"/><path d="M21 5v14"/>',
    "loop": '<path d="M4 11a5 5 0 0 1 5-5h10M16 3l3 3-3 3M20 13a5 5 0 0 1-5 5H5M8 21l-3-3 3-3"/>',
    "freeze": '<path d="M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9M9 4.5l3 2.5 3-2.5M9 19.5l3-2.5 3 2.5"/>',
    "snapshot": '<path d="M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4"/><circle cx="12" cy="12" r="3"/>',
    "fit": '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
    "theme": '<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor"/>',
    "desk": '<path d="M3 5h18v11H3zM8 20h8M12 16v4"/>',
    "record": '<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="4" fill="currentColor"/>',
    "serve": '<circle cx="12" cy="12" r="2" fill="currentColor"/>'
    '<path d="M8 16a5.6 5.6 0 0 1 0-8M16 8a5.6 5.6 0 0 1 0 8"/>'
    '<path d="M5 19a9.9 9.9 0 0 1 0-14M19 5a9.9 9.9 0 0 1 0 14"/>',
    "stop": '<circle cx="12" cy="12" r="8.5"/><path d="M9 9h6v6H9z" fill="currentColor"/>',
    "region": '<path d="M3 3h18v18H3z" stroke-dasharray="2.5 2.5"/><path d="M8 9h8v7H8z"/>',
    "boxes": '<path d="M3 4h9v8H3zM14 13h7v7h-7zM16 4h5v5h-5zM4 16h6v4H4z"/>',
    "teach": '<path d="M2 9l10-5 10 5-10 5zM6 11.5v5c3.5 3 8.5 3 12 0v-5M22 9v6"/>',
    "help": '<circle cx="12" cy="12" r="9"/>'
    '<path d="M9.3 9.2a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2.9-1.2 1.8v.4M12 17.2v.1"/>',
    "cube": '<path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5"/>',
    "overflow": '<path d="M5 5l7 7-7 7M13 5l7 7-7 7"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "more": '<path d="M5 12h.1M12 12h.1M19 12h.1" stroke-width="3.4"/>',
}


def pixmap(name: str, color: QColor, size: int = 20, ratio: float = 2.0) -> QPixmap:
    """Return an icon as a pixmap of ``size`` logical pixels."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{color.name()}" '
        f'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">'
        f"{PATHS[name].replace('currentColor', color.name())}</svg>"
    )
    result = QPixmap(round(size * ratio), round(size * ratio))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size * ratio, size * ratio))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def icon(name: str, color: QColor, active: QColor, disabled: QColor) -> QIcon:
    """Return an icon with its states: plain, checked and disabled."""
    result = QIcon()
    result.addPixmap(pixmap(name, color), QIcon.Mode.Normal, QIcon.State.Off)
    result.addPixmap(pixmap(name, active), QIcon.Mode.Normal, QIcon.State.On)
    result.addPixmap(pixmap(name, disabled), QIcon.Mode.Disabled, QIcon.State.Off)
    return result
