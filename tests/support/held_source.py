"""A registry with one image, whose large layer stops half-way until it is let go."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from planner.core.content import OCI_MANIFEST, digest_of

_MIB = 1024 * 1024
_CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'


class HeldSource:
    """Serves ``team/large:1`` with a layer of ``mib`` MiB; a context manager.

    Attributes:
        hold_at: Where the layer stops, in bytes; None: nowhere.
        held: Set when it has stopped.
        released: Lets it go on.
        sent: The bytes of the layer that were sent since this was last set to 0.
        idle: Set while nobody is being sent the layer.
    """

    def __init__(self, mib: int) -> None:
        self.mib = mib
        self.hold_at: int | None = None
        self.held = threading.Event()
        self.released = threading.Event()
        self.sent = 0
        self.idle = threading.Event()
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @cached_property
    def digest(self) -> str:
        """That of the layer."""
        hasher = hashlib.sha256()
        for block in self.blocks(0):
            hasher.update(block)
        return f"sha256:{hasher.hexdigest()}"

    @cached_property
    def manifest(self) -> bytes:
        """The image's."""
        layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": self.digest}
        config = {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest_of(_CONFIG),
            "size": len(_CONFIG),
        }
        layers = [{**layer, "size": self.mib * _MIB}]
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config}
        return json.dumps({**document, "layers": layers}).encode()

    def blocks(self, offset: int) -> Iterator[bytes]:
        """The layer from ``offset`` on; no two MiB of it are the same."""
        for number in range(offset // _MIB, self.mib):
            block = number.to_bytes(8, "big") * (_MIB // 8)
            yield block[offset % _MIB :] if number == offset // _MIB else block

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Type and content of all but the layer."""
        if path == "/v2/":
            return "application/json", b"{}"
        if re.fullmatch(f"/v2/team/large/manifests/(1|{digest_of(self.manifest)})", path):
            return OCI_MANIFEST, self.manifest
        is_config = path.endswith(f"/blobs/{digest_of(_CONFIG)}")
        return ("application/octet-stream", _CONFIG) if is_config else None

    def pass_on(self, block: bytes, at: int) -> None:
        """Count a block that ends at ``at``, and hold it back when it is its turn."""
        if self.hold_at is not None and at > self.hold_at:
            self.held.set()
            self.released.wait(60)
        self.sent += len(block)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, source: HeldSource) -> None:
        self.source = source
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.path.endswith(self.server.source.digest):
            self._send_layer(self.server.source)
            return
        found = self.server.source.answer(self.path)
        media_type, content = found or ("text/plain", b"")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        if media_type == OCI_MANIFEST:
            self.send_header("Docker-Content-Digest", digest_of(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _send_layer(self, source: HeldSource) -> None:
        size = source.mib * _MIB
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        offset = int(found[1]) if found else 0
        self.send_response(206 if found else 200)
        self.send_header("Content-Length", str(size - offset))
        if found:
            self.send_header("Content-Range", f"bytes {offset}-{size - 1}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        source.idle.clear()
        try:
            for block in source.blocks(offset):
                offset += len(block)
                source.pass_on(block, offset)
                self.wfile.write(block)
        except ConnectionError:
            self.close_connection = True
        finally:
            source.idle.set()

    def log_message(self, *_arguments: Any) -> None:
        pass
