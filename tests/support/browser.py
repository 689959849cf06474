"""A headless Chromium, driven over the W3C's WebDriver protocol.

Source: W3C WebDriver, 2024-11 draft, sections 8 (sessions), 10 (navigation), 13 (documents), 15 (actions), 17 (screenshots);
``goog/cdp/execute`` is chromedriver's own, chromium/src chrome/test/chromedriver/server/http_handler.cc.
"""

import base64
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any, Self

import requests

from tests.support.process import PATIENCE, end, free_port, wait_until
from tests.support.programs import require

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1200,800"),
)

_CONTROL = "\ue009"


class Browser:
    """One window with a profile of its own; a context manager."""

    def __init__(self) -> None:
        self._chromium = require("chromium")
        self._driver = require("chromedriver")
        self._port = free_port()
        self._http = requests.Session()
        self._http.trust_env = False
        self._session = ""

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(prefix="planner-browser-")
        self._process = subprocess.Popen(
            (self._driver, f"--port={self._port}", "--silent"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._is_ready, otherwise=lambda: "chromedriver does not answer")
        options = {
            "binary": str(self._chromium),
            "args": [*_FLAGS, f"--user-data-dir={self._profile.name}"],
        }
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        self._session = f"/{self._call('POST', '', capabilities=wanted)['sessionId']}"
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._session:
                self._call("DELETE", "")
        finally:
            end(self._process)
            self._http.close()
            self._profile.cleanup()

    def before_each_page(self, script: str) -> None:
        """Run a script in every page before its own ones."""
        command = "Page.addScriptToEvaluateOnNewDocument"
        self._call("POST", "/goog/cdp/execute", cmd=command, params={"source": script})

    def open(self, url: str) -> None:
        """Load a page."""
        self._call("POST", "/url", url=url)

    def run(self, script: str) -> Any:
        """What a script returns (``return …``)."""
        return self._call("POST", "/execute/sync", script=script, args=[])

    def press(self, keys: Sequence[str]) -> None:
        """Press keys one after the other, where the focus is; Control (``\\ue009``) holds for all that follow."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if keys[0] == _CONTROL:
            strokes = [strokes[0], *strokes[2:], strokes[1]]
        self._call("POST", "/actions", actions=[{"type": "key", "id": "keys", "actions": strokes}])

    def picture(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self._call("GET", "/screenshot"))

    def _is_ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self._port}/status"
            return bool(self._http.get(url, timeout=PATIENCE).json()["value"]["ready"])
        except requests.ConnectionError:
            return False

    def _call(self, method: str, path: str, **body: Any) -> Any:
        url = f"http://127.0.0.1:{self._port}/session{self._session}{path}"
        sent = body if method == "POST" else None
        answer = self._http.request(method, url, json=sent, timeout=PATIENCE)
        value = answer.json()["value"]
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {value['error']}: {value['message']}")
        return value
