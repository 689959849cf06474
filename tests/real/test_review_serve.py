"""The review in a real browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.real.story import Workplace
from tests.real.test_review_tmux import IMAGES, held, make_place
from tests.support.browser import Browser
from tests.support.process import PATIENCE, end, wait_until

# Everything that comes over the page's connection, as text: the terminal itself is drawn on a canvas.
LISTENING = """
window.seen = '';
const Original = window.WebSocket;
window.WebSocket = class extends Original {
  constructor(...words) {
    super(...words);
    this.addEventListener('message', each => {
      if (each.data instanceof ArrayBuffer) window.seen += new TextDecoder().decode(each.data);
    });
  }
};
window.fetched = '';
window.open = url => fetch(url).then(each => each.text()).then(text => { window.fetched = text; });
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        started.before_each_page(LISTENING)
        yield started


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    place = make_place(tmp_path)
    monkeypatch.chdir(tmp_path)
    return place


class Serving:
    """``planner review --serve``, and where it says that it is."""

    def __init__(self, place: Workplace, *options: str) -> None:
        command = (sys.executable, "-m", "planner", "review", "plan.json", "--serve", *options)
        environment = {**os.environ, **place.environment}
        self.process = subprocess.Popen(
            command,
            cwd=place.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().decode().strip()
        self.said = self.process.stdout.readline() + self.process.stdout.readline()

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def until_seen(browser: Browser, text: str) -> str:
    """What came since the last time, as soon as it holds a text."""
    seen = ""

    def came() -> bool:
        nonlocal seen
        seen = browser.run("return window.seen")
        return text in seen

    wait_until(came, otherwise=lambda: f"no {text!r} in {seen[-3000:]!r}")
    browser.run("window.seen = ''")
    return seen


def save_from_the_palette(browser: Browser) -> None:
    """What is selected comes as a download."""
    browser.press(["\ue009", "p"])
    until_seen(browser, "Search for commands")
    browser.press([*"this selection"])
    until_seen(browser, "a file for planner apply")
    browser.press(["\ue007"])
    wait_until(
        lambda: '"planner.plan/' in browser.run("return window.fetched"),
        otherwise=lambda: "nothing can be downloaded",
    )


def test_a_plan_is_drawn_and_answers_to_keys(place: Workplace, browser: Browser) -> None:
    with Serving(place) as serving:
        assert f"-L {urlsplit(serving.url).port}:127.0.0.1:".encode() in serving.said
        browser.open(serving.url)
        empty = browser.picture()
        assert "READ-ONLY" in until_seen(browser, "3 of 3 selected")
        wait_until(
            lambda: len(browser.picture()) > 2 * len(empty),
            otherwise=lambda: "nothing is drawn",
        )
        drawn = browser.picture()
        save_from_the_palette(browser)
        assert not list(place.folder.glob("plan-*"))
        browser.press([" "])
        until_seen(browser, "0 of 3 selected")
        wait_until(lambda: browser.picture() != drawn, otherwise=lambda: "nothing is redrawn")
        browser.press(["a"])
        until_seen(browser, "--allow-apply")
        loaded = browser.run(
            "return performance.getEntriesByType('resource').map(each => each.name)"
        )
        assert {urlsplit(each).netloc for each in loaded} == {urlsplit(serving.url).netloc}
        assert any(each.endswith(".ttf") for each in loaded)
        assert not held(place)


def test_what_is_allowed_is_applied_from_the_browser(place: Workplace, browser: Browser) -> None:
    with Serving(place, "--allow-apply") as serving:
        browser.open(serving.url)
        until_seen(browser, "3 of 3 selected")
        browser.press(["a"])
        until_seen(browser, "to apply:")
        browser.press([*"yes", "\ue007"])
        until_seen(browser, "3 images done")
        assert held(place) == {each.repository for each in IMAGES}
        browser.press(["q"])
        wait_until(
            lambda: bool(browser.run("return document.body.classList.contains('-closed')")),
            otherwise=lambda: "the page does not say that the review has ended",
        )


def test_whoever_has_no_token_or_comes_from_elsewhere_finds_nothing(place: Workplace) -> None:
    with Serving(place) as serving, requests.Session() as http:
        http.trust_env = False
        there = urlsplit(serving.url)
        root, own = f"http://{there.netloc}", f"http://{there.netloc}"
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }

        def status(url: str, **headers: str) -> int:
            with http.get(url, headers=headers, timeout=PATIENCE, stream=True) as answer:
                return answer.status_code

        page = http.get(serving.url, timeout=PATIENCE)
        assert page.status_code == 200
        assert "https://" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        for path in ("/", "/ws", "/static/js/textual.js", "/wrong/", "/wrong/ws", "/download/x"):
            assert status(f"{root}{path}") == 404, path
        assert status(f"{serving.url}static/../server.py") == 404
        assert status(f"{serving.url}static/js/textual.js") == 200
        assert status(serving.url, Host="rebound.example") == 404
        assert status(serving.url, Origin="http://elsewhere.example") == 404
        screen = f"{serving.url}ws"
        assert status(screen, **upgrade) == 404
        assert status(screen, **upgrade, Origin="http://elsewhere.example") == 404
        assert status(f"{root}/wrong/ws", **upgrade, Origin=own) == 404
        assert (
            status(screen, **upgrade, Host="rebound.example", Origin="http://rebound.example")
            == 404
        )
        assert status(screen, **upgrade, Origin=own) == 101


def test_it_listens_on_loopback_alone_and_ends_cleanly(place: Workplace) -> None:
    with Serving(place) as serving:
        port = urlsplit(serving.url).port
        assert port
        addresses = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None)}
        for address in {str(each) for each in addresses if not str(each).startswith("127.")}:
            with pytest.raises(OSError, match=r"refused|reach"):
                socket.create_connection((address, port), timeout=PATIENCE)
        serving.process.send_signal(signal.SIGINT)
        assert serving.process.wait(10) == 0
        assert serving.process.stderr
        assert serving.process.stderr.read() == b""


def test_a_port_that_is_taken_is_told(place: Workplace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = place.planner("review", "plan.json", "--serve", "--port", port)
    assert refused.returncode == 64
    assert f"port {port} of 127.0.0.1 cannot be used" in refused.stderr
