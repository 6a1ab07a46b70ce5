"""The served page in a real browser: Chromium, where the system has it with its driver.

Selenium is an extra of its own (``.[browser]``): it brings trio, which httpcore then imports, and trio wants
what ``test_portable.py`` takes away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import wait_for

from neuroclip_drivers.demo import demo_recording
from neuroclip_drivers.replay import ReplaySource
from neuroclip_live.model.backbone import load_backbone
from neuroclip_live.prompting.prompts import parse_prompts
from neuroclip_live.recognition.pipeline import Pipeline
from neuroclip_live.server.live_run import LiveRun
from neuroclip_live.server.web_server import ServerSettings, WebServer
from neuroclip_live.stream.filters import Treatment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="needs Chromium and its driver (Debian: chromium chromium-driver)",
    ),
]
PICTURES = os.environ.get("NEUROCLIP_BROWSER_PICTURES")
"""A folder for a picture of the page at each step, to be looked at."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    source = ReplaySource(demo_recording("dog"), loop=True)
    running = Pipeline(
        source, lambda progress: load_backbone("event-nano"), parse_prompts("a mug, a phone, scissors")
    )
    running.start()
    wait_for(lambda: running.prediction() is not None)
    yield running
    running.stop()


def picture(browser: Any, name: str) -> None:
    if PICTURES:
        browser.save_screenshot(str(Path(PICTURES) / f"{name}.png"))


def text(browser: Any, element: str) -> str:
    return str(browser.execute_script(f"return document.getElementById('{element}').textContent"))


def rows(browser: Any) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('#list li')].map(r => r.dataset.label)"
    )


def test_a_word_typed_in_the_browser_wins_is_taught_and_removed(browser: Any, pipeline: Pipeline) -> None:
    from selenium.webdriver.common.keys import Keys

    server = WebServer(LiveRun(lambda: pipeline), ServerSettings("0"))
    server.start()
    port = server.url.rstrip("/").rpartition(":")[2]
    browser.get(server.url)
    wait_for(lambda: rows(browser) == ["a mug", "a phone", "scissors"])
    word = browser.find_element("id", "word")
    word.send_keys("a dog; -a hand", Keys.ENTER)
    wait_for(lambda: rows(browser) == ["a mug", "a phone", "scissors", "a dog", "a hand"])
    wait_for(lambda: text(browser, "label") == "a dog")
    assert pipeline.prompts.labels == ("a mug", "a phone", "scissors", "a dog", "a hand")
    assert word.get_attribute("value") == ""
    shades = "const c = document.getElementById('picture'); return new Set(c.getContext('2d')"
    shades += ".getImageData(0, 0, c.width, c.height).data).size"
    wait_for(lambda: browser.execute_script(shades) >= 3)  # events on gray, not an empty canvas
    picture(browser, "dog")

    # words that cannot be used stay in the entry, with the reason
    word.send_keys("x" * 299 + ", y")
    browser.execute_script("document.getElementById('word').value = 'x'.repeat(301)")
    word.send_keys(Keys.ENTER)
    wait_for(lambda: "at most 300" in text(browser, "said"))
    assert len(word.get_attribute("value")) == 301
    picture(browser, "refused")
    word.clear()

    browser.find_element("css selector", "button[data-does=teach][data-of='a mug']").click()
    wait_for(lambda: text(browser, "said").startswith("Taught a mug with"))
    browser.find_element("css selector", "button[data-does=remove][data-of='scissors']").click()
    wait_for(lambda: "scissors" not in rows(browser))

    # the server goes away and comes back; so does the page, by itself
    server.stop()
    wait_for(lambda: browser.find_element("id", "link").get_attribute("data-state") == "lost")
    picture(browser, "away")
    again = WebServer(LiveRun(lambda: pipeline), ServerSettings(port))
    again.start()
    try:
        wait_for(lambda: browser.find_element("id", "link").get_attribute("data-state") == "live")
        wait_for(lambda: text(browser, "label") not in ("", "…"))
        # of the server that was away: asked while it went, it resets, and then it refuses
        expected = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "400")
        severe = [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
        assert not [told for told in severe if not any(each in told for each in expected)]
    finally:
        assert again.stop()


def focus(browser: Any) -> tuple[str, str]:
    script = "const a = document.activeElement; return [a.dataset.does || a.id, a.dataset.of || '']"
    does, of = browser.execute_script(script)
    return does, of


def test_words_are_those_of_the_run_and_the_keyboard_keeps_its_place(
    browser: Any, pipeline: Pipeline
) -> None:
    from selenium.webdriver.common.keys import Keys

    run = LiveRun(lambda: pipeline)
    run.set_prompts(["a mug", "a dog", "scissors"])
    server = WebServer(run, ServerSettings("0"))
    server.start()
    try:
        browser.get(server.url)
        wait_for(lambda: rows(browser) == ["a mug", "a dog", "scissors"])
        # changed elsewhere twice, the second time while the page has not done with the first
        run.set_prompts(["a mug", "a dog", "a phone", "scissors"])
        wait_for(lambda: "a phone" in rows(browser))
        run.set_prompts(["a mug", "a dog", "scissors"])
        wait_for(lambda: rows(browser) == ["a mug", "a dog", "scissors"])

        remove = "document.querySelector(`button[data-does=remove][data-of='a dog']`).focus()"
        browser.execute_script(remove)
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        wait_for(lambda: rows(browser) == ["a mug", "scissors"])
        assert focus(browser) == ("remove", "scissors")
        browser.switch_to.active_element.send_keys(Keys.ENTER)
        wait_for(lambda: rows(browser) == ["a mug"])
        assert focus(browser) == ("remove", "a mug")
    finally:
        run.set_prompts(["a mug", "a phone", "scissors"])
        assert server.stop()


DRAWN = """
const drawn = [];
CanvasRenderingContext2D.prototype.strokeRect = (...rectangle) => drawn.push(rectangle);
newest = {...newest, objects: [{box: arguments[0], state: "seen", label: null}]};
picture();
const canvas = document.getElementById("picture");
return [drawn[0], canvas.width, canvas.height];
"""


def test_boxes_lie_on_a_picture_that_is_turned(browser: Any) -> None:
    source = ReplaySource(demo_recording("tour"), loop=True)
    width, height = source.resolution
    running = Pipeline(source, lambda progress: load_backbone("event-nano"), parse_prompts("a mug, a dog"))
    running.treat(Treatment(quarter_turns=1))
    running.start()
    server = WebServer(LiveRun(lambda: running), ServerSettings("0"))
    server.start()
    try:
        browser.get(server.url)
        wait_for(lambda: browser.execute_script("return Boolean(newest && bitmap && bitmap.height === 240)"))
        rectangle, wide, tall = browser.execute_script(DRAWN, [0, 0, height, width])
        assert (wide, tall) == (height, width)
        assert rectangle == [0, 0, wide, tall]
    finally:
        assert server.stop()
        running.stop()


def test_another_token_is_said(browser: Any, pipeline: Pipeline) -> None:
    server = WebServer(LiveRun(lambda: pipeline), ServerSettings("0", token="one"))
    server.start()
    port = server.url.partition("/?")[0].rpartition(":")[2]
    browser.get(server.url)
    wait_for(lambda: browser.find_element("id", "link").get_attribute("data-state") == "live")
    server.stop()
    wait_for(lambda: text(browser, "link").startswith("The program is away"))
    again = WebServer(LiveRun(lambda: pipeline), ServerSettings(port, token="two"))
    again.start()
    try:
        wait_for(lambda: "another token" in text(browser, "link"))
        browser.refresh()
        wait_for(lambda: browser.find_element("id", "token"))
        picture(browser, "token")
        browser.find_element("id", "token").send_keys("two\n")
        wait_for(lambda: browser.find_element("id", "link").get_attribute("data-state") == "live")
    finally:
        assert again.stop()


def test_it_fits_a_phone(browser: Any, pipeline: Pipeline) -> None:
    server = WebServer(LiveRun(lambda: pipeline), ServerSettings("0"))
    server.start()
    try:
        browser.set_window_size(390, 844)
        browser.get(server.url)
        wait_for(lambda: rows(browser))
        width = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        whole, seen = browser.execute_script(width)
        assert whole <= seen  # nothing to scroll sideways
        tall = browser.execute_script(
            "return [...document.querySelectorAll('button')].map(b => b.offsetHeight)"
        )
        assert min(tall) >= 44  # what a thumb can hit
        wait_for(lambda: text(browser, "label") not in ("", "…"))
        picture(browser, "phone")
        browser.get(server.url + "api")
        wait_for(lambda: "/api/v1/teach" in text(browser, "paths"))
        picture(browser, "api")
    finally:
        assert server.stop()
