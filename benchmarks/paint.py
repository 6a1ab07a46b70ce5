"""Painting events in the window against a bare pyqtgraph image, both at 640 x 480, off the screen."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from benchmarks.events import VGA, moving_edge
from benchmarks.timing import Options, Row, alternate, compared
from neuroclip_live.stream.frames import event_frame

GOAL = 0.8
FRAMES = 20


def run(options: Options) -> Iterator[Row]:
    """Paint the same frames both ways; every sample paints twenty and waits until each is on the widget."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pyqtgraph as pg
    from PySide6.QtWidgets import QApplication

    from neuroclip_gui.panels.picture.event_view import EventView
    from neuroclip_gui.panels.picture.painting import color_table
    from neuroclip_gui.style.palettes import EVENT_COLORS
    from neuroclip_gui.style.theme import Theme

    app = QApplication.instance() or QApplication(["benchmarks"])
    events = moving_edge(FRAMES * 10_000, VGA)
    frames = [event_frame(events[i * 10_000 : (i + 1) * 10_000], VGA) for i in range(FRAMES)]
    colors = EVENT_COLORS["dark"]
    table = color_table(colors)

    view = EventView(Theme("dark"))
    view.set_colors(colors, table)
    view.resize(*VGA)
    view.show()

    pg.setConfigOptions(imageAxisOrder="row-major")
    bare = pg.GraphicsView()
    box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0.0)
    bare.setCentralItem(box)
    image = pg.ImageItem()
    image.setLookupTable(table)
    box.addItem(image)
    bare.resize(*VGA)
    bare.show()

    def ours() -> None:
        for frame in frames:
            view.show_frame(frame)
            view.repaint()
            app.processEvents()

    def plain() -> None:
        for frame in frames:
            image.setImage(frame, autoLevels=False, levels=(0, 255))
            bare.viewport().repaint()
            app.processEvents()

    ours()
    plain()
    if not np.array_equal(np.asarray(image.image), view.frame):
        raise RuntimeError("the two show other frames")
    samples = alternate({"EventView": ours, "pyqtgraph ImageItem": plain}, options.repeats)
    yield compared(
        "paint", f"{FRAMES} frames {VGA}", samples, "EventView", "pyqtgraph ImageItem", goal=GOAL,
        work=FRAMES / 1e6, unit="frames", note="set and painted, offscreen; ours with legend and state",
    )  # fmt: skip
    view.close()
    bare.close()
