"""Servers beside the window: begun, shown, watched, ended, and what goes wrong."""

from __future__ import annotations

import json
import socket
import urllib.request

import cv2
import numpy as np
import pytest
from making import make_events
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from serving import free_port
from websockets.sync.client import connect

from neuroclip_gui.panels.serving.qr_code import SIDE, QrCode
from neuroclip_gui.panels.serving.serve_dialog import ServeDialog
from neuroclip_live.events import Packet
from neuroclip_live.outputs.shared_events import SharedEvents, SharingSettings
from neuroclip_live.server.live_run import LiveRun
from neuroclip_live.server.web_server import ServerSettings, WebServer


def asked(qtbot, window) -> ServeDialog:
    window.actions_.by_name["serve"].trigger()
    (dialog,) = window.findChildren(ServeDialog)
    qtbot.waitExposed(dialog)
    return dialog


def click(qtbot, button) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_page_is_served_shown_and_ended(qtbot, window):
    dialog = asked(qtbot, window)
    assert dialog.page.state.text() == "Not serving"
    assert not dialog.visit.isEnabled()
    port = free_port()
    dialog.page.port.setValue(port)
    click(qtbot, dialog.page.button)
    url = f"http://127.0.0.1:{port}/"
    qtbot.waitUntil(lambda: dialog.page.address.text() == url)
    assert window.banner.text == f"Serving {url}"
    assert window.banner.level == "info"
    assert not dialog.page.port.isEnabled()
    assert not dialog.to.isEnabled()
    qtbot.waitUntil(window.actions_.by_name["serve"].isChecked)
    click(qtbot, dialog.page.copy)
    assert QGuiApplication.clipboard().text() == url
    status = json.load(urllib.request.urlopen(f"{url}api/v1/status", timeout=60))
    assert status["source"] == "fake.aedat4"
    qtbot.waitUntil(lambda: dialog.page.state.text() == "Nobody watches yet")
    with connect(f"ws://127.0.0.1:{port}/api/v1/live"):
        qtbot.waitUntil(lambda: dialog.page.state.text() == "1 watches")
        with connect(f"ws://127.0.0.1:{port}/api/v1/live"):
            qtbot.waitUntil(lambda: dialog.page.state.text() == "2 watch")
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: not window.serving.busy)
    assert dialog.page.address.text() == ""
    qtbot.waitUntil(lambda: not window.actions_.by_name["serve"].isChecked())
    with socket.create_server(("127.0.0.1", port)):  # nobody listens there any more
        pass


def test_for_the_network_the_address_holds_a_token(qtbot, window):
    dialog = asked(qtbot, window)
    dialog.to.setCurrentIndex(1)
    dialog.page.port.setValue(free_port())
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: "?token=" in dialog.page.address.text())
    assert socket.gethostname() in dialog.page.address.text()


def scanned(label: QLabel) -> str:
    """Return what a camera reads in a code."""
    image = label.pixmap().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    text, *_ = cv2.QRCodeDetector().detectAndDecode(np.ascontiguousarray(pixels[:, : image.width()]))
    return str(text)


def test_a_phone_scans_the_address_where_others_may_open_the_page(qtbot, window):
    dialog = asked(qtbot, window)
    assert not dialog.code.isVisible()
    dialog.page.port.setValue(free_port())
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: bool(dialog.page.address.text()))
    assert not dialog.code.isVisible()  # a phone cannot open 127.0.0.1
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: not window.serving.busy)
    dialog.to.setCurrentIndex(1)
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(dialog.code.isVisible)
    url = scanned(dialog.code)
    place, _, token = url.partition("?token=")
    assert token == dialog.page.address.text().partition("?token=")[2] != ""
    phone = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert phone.open(url, timeout=60).status == 200  # it is this machine's, and leads there
    assert place.startswith("http://")
    assert dialog.code.pixmap().width() <= SIDE
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: not dialog.code.isVisible())


@pytest.mark.parametrize("text", ["x", "http://[::1]:8080/?token=" + "aB-_" * 30, "\u00fc" * 400])
def test_any_text_can_be_scanned(qtbot, text):
    code = QrCode("a code")
    qtbot.addWidget(code)
    code.show_code(text)
    assert scanned(code) == text
    code.show_code("")
    assert not code.isVisible()


def test_a_port_that_is_taken_is_said_and_another_can_be_tried(qtbot, window):
    dialog = asked(qtbot, window)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        dialog.page.port.setValue(port)
        click(qtbot, dialog.page.button)
        qtbot.waitUntil(lambda: window.banner.text.startswith(f"Cannot listen on 127.0.0.1:{port}"))
        assert window.banner.level == "error"
        qtbot.waitUntil(lambda: "choose another port" in dialog.failure.text())
    dialog.page.port.setValue(free_port())
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: bool(dialog.page.address.text()))
    assert dialog.failure.text() == ""


def test_events_are_shared_and_losses_told(qtbot, window, pipeline):
    dialog = asked(qtbot, window)
    port = free_port()
    dialog.events.port.setValue(port)
    click(qtbot, dialog.events.button)
    qtbot.waitUntil(lambda: dialog.events.address.text() == f"127.0.0.1:{port}")
    qtbot.waitUntil(lambda: dialog.events.state.text() == "Nobody reads, 0 events lost")
    with socket.create_connection(("127.0.0.1", port), 60) as reader:
        assert b"IOHE" in reader.recv(100)
        qtbot.waitUntil(lambda: dialog.events.state.text() == "1 reads, 0 events lost")
        (listener,) = pipeline.listeners.values()
        flood: Packet = make_events(500_000)
        for _ in range(20):
            listener(flood)
        qtbot.waitUntil(lambda: "a reader of events is too slow" in window.banner.text)
        assert window.banner.level == "warn"
    click(qtbot, dialog.events.button)
    qtbot.waitUntil(lambda: dialog.events.state.text() == "Not serving")
    qtbot.waitUntil(lambda: not pipeline.listeners)


def test_what_the_command_line_serves_is_shown_and_can_be_ended(qtbot, window, pipeline):
    page = WebServer(LiveRun(lambda: pipeline), ServerSettings("0"))
    page.start()
    events = SharedEvents(SharingSettings("0"))
    window.serving.take_up(page, events)
    qtbot.waitUntil(window.actions_.by_name["serve"].isChecked)
    dialog = asked(qtbot, window)
    assert dialog.page.address.text() == page.url
    assert dialog.events.address.text() == events.address
    click(qtbot, dialog.events.button)
    qtbot.waitUntil(lambda: window.serving.events is None and not window.serving.busy)
    assert window.serving.page is page


def test_asked_twice_there_is_one_dialog_and_closing_the_window_ends_the_servers(qtbot, window):
    dialog = asked(qtbot, window)
    port = free_port()
    dialog.page.port.setValue(port)
    click(qtbot, dialog.page.button)
    qtbot.waitUntil(lambda: bool(dialog.page.address.text()))
    assert asked(qtbot, window) is dialog
    dialog.close()
    assert window.serving.page is not None  # what is served goes on
    window.serving.close()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_before_there_is_a_pipeline_events_wait_and_a_page_does_not(qtbot, window):
    window.pipeline = None
    window.serving.share_events("0")
    assert window.banner.text.startswith("Still starting")
    window.serving.serve_page("0")
    qtbot.waitUntil(lambda: window.serving.look() and window.serving.page is not None)
    status = json.load(urllib.request.urlopen(f"{window.serving.page.url}api/v1/status", timeout=60))
    assert status["state"] == "loading"
