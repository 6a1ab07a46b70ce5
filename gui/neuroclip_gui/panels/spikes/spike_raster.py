"""What the adapter's neurons did in the newest window: who fired when, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from neuroclip_gui.style.panel import Panel
from neuroclip_gui.style.theme import Theme, font

if TYPE_CHECKING:
    from neuroclip_live.recognition.prediction import Prediction

_MARGIN, _TEXT, _RATES = 8, 16, 22


class SpikeRaster(Panel):
    """Paints spikes, a column a timestep and a row a neuron, over bars of the share that fired.

    Parameters
    ----------
    theme : Theme

    Attributes
    ----------
    opened : Signal()
        Clicked, to be seen larger.
    """

    opened = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Spikes of the adapter")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(150)
        self.setToolTip(
            "The adapter's neurons in the newest window: a column a timestep, oldest left, a row a neuron; "
            "below, the share of neurons that fired in each timestep. Click to enlarge."
        )
        self._theme = theme
        self.spikes: npt.NDArray[Any] | None = None
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(220, 122)

    def show_prediction(self, prediction: Prediction | None) -> None:
        """Show the spikes of a prediction; without any the widget hides."""
        spikes = prediction.spikes if prediction is not None else None
        if prediction is not None and prediction.state == "no-motion":
            return  # nothing was adapted: the last window stays in view
        self.show_spikes(spikes)
        self.setVisible(spikes is not None)

    def show_spikes(self, spikes: npt.NDArray[Any] | None) -> None:
        """Show spikes, (T, neurons), 0 or not."""
        if spikes is not self.spikes:
            self.spikes = spikes
            if spikes is not None:
                self.setAccessibleDescription(f"{self.rate:.0%} of the neurons fired")
            self.update()

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """Share of neurons that fired in each timestep (T,)."""
        if self.spikes is None or not self.spikes.size:
            return np.zeros(0)
        return np.asarray((self.spikes > 0).mean(axis=1))

    @property
    def rate(self) -> float:
        """Share over the whole window."""
        return float(self.rates.mean()) if len(self.rates) else 0.0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        if self.spikes is None:
            return
        painter = QPainter(self)
        width, height = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
        painter.setFont(font(11))
        painter.setPen(self._theme.color("muted"))
        count, neurons = self.spikes.shape
        text = QRectF(_MARGIN, _MARGIN - 3, width, _TEXT)
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, align | Qt.AlignmentFlag.AlignLeft, f"Spikes of {neurons} neurons")
        painter.setPen(self._theme.color("text"))
        painter.drawText(text, align | Qt.AlignmentFlag.AlignRight, f"{self.rate:.0%} fire")
        rates_height = _RATES if height > 70 else 0
        area = QRectF(_MARGIN, _MARGIN + _TEXT, width, max(8.0, height - _TEXT - rates_height - 4))
        painter.fillRect(area, self._theme.color("sunken"))
        painter.drawImage(area, raster_image(self.spikes, self._theme.color("accent")))
        if rates_height:
            self._paint_rates(painter, QRectF(_MARGIN, area.bottom() + 4, width, rates_height), count)
        painter.end()

    def _paint_rates(self, painter: QPainter, area: QRectF, count: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        step, rates = area.width() / count, self.rates
        most = max(0.05, float(rates.max()))
        for index, rate in enumerate(rates):
            painter.setBrush(self._theme.color("border"))
            cell = QRectF(area.left() + index * step + 1, area.top(), step - 2, area.height())
            painter.drawRect(cell)
            painter.setBrush(self._theme.color("accent"))
            cell.setTop(area.bottom() - area.height() * rate / most)
            painter.drawRect(cell)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if self.spikes is not None:
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.spikes is not None:
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class SpikeDialog(QDialog):
    """The raster of one window, enlarged, as it was when it was clicked."""

    def __init__(self, spikes: npt.NDArray[Any], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Spikes of the adapter")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        raster = SpikeRaster(theme)
        raster.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        raster.show_spikes(spikes)
        raster.setMinimumSize(560, max(320, min(720, 5 * spikes.shape[1] + 60)))
        QVBoxLayout(self).addWidget(raster)


def raster_image(spikes: npt.NDArray[Any], color: QColor) -> QImage:
    """Return spikes (T, neurons) as an image of T × neurons that owns its pixels, transparent where none."""
    rgba = np.zeros((spikes.shape[1], spikes.shape[0], 4), dtype=np.uint8)
    rgba[spikes.T > 0] = (color.red(), color.green(), color.blue(), 255)
    height, width = rgba.shape[:2]
    return QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
