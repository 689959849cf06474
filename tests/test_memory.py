"""What a running step holds in memory: a few pieces of a blob, however large it is and however it is sent."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from planner.config import Config, RegistrySettings
from planner.core.place import Place
from planner.core.steps import CopyBlob
from planner.stores import sending
from planner.stores.opening import Places, Stores
from planner.stores.perform import perform
from tests.making import IMPATIENT

MIB = 1024 * 1024
SIZE = 160 * MIB
MOST = 3 * MIB
DIGEST = "sha256:" + "0" * 64
_PIECE = bytes(64 * 1024)


class _Sink(BaseHTTPRequestHandler):
    """A source of zeros and a target that throws everything away, both without memory."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        for _ in range(SIZE // len(_PIECE)):
            self.wfile.write(_PIECE)

    def do_POST(self) -> None:
        self._swallow(202)

    def do_PATCH(self) -> None:
        self._swallow(202)

    def do_PUT(self) -> None:
        self._swallow(201)

    def _swallow(self, status: int) -> None:
        buffer = memoryview(bytearray(64 * 1024))
        left = int(self.headers.get("Content-Length", 0))
        while left:
            came = self.rfile.readinto1(buffer[: min(left, len(buffer))])
            if not came:  # cut off: nobody waits for an answer
                self.close_connection = True
                return
            left -= came
        self.send_response(status)
        self.send_header("Location", "/v2/x/blobs/uploads/1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sink) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "in-chunks"])
def test_a_large_blob_takes_little_memory(
    sink: str, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    if whole:
        monkeypatch.setattr(sending, "_WHOLE", SIZE)
    settings = {name: RegistrySettings(endpoint=sink) for name in ("s.corp", "t.corp")}
    stores = Stores(Places(Config(registries=settings)), IMPATIENT)
    step = CopyBlob(Place("t.corp", "x"), DIGEST, SIZE, Place("s.corp", "x"))
    tracemalloc.start()
    outcome = perform(stores, lambda *_: None, step)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "sent bytes with the digest" in outcome.error  # all of it has passed by
    assert peak < MOST
