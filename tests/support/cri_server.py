"""A private containerd with the plugin that serves a kubelet, configured by a ``config.toml`` as a node's is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import unquote

import pytest

from tests.support.process import end, wait_until
from tests.support.programs import require

_NOWHERE = "http://127.0.0.1:1"
_ASKED = re.compile(
    r'level=info msg="trying next host" error="failed to do request: Head \\"(.*?)\\"'
)
_PULL = "http://localhost/runtime.v1.ImageService/PullImage"


class CriServer:
    """A containerd process that pulls as a node does; a context manager.

    Only this machine is asked: requests to all other hosts go to a proxy that is not there.

    Args:
        config: The node's file. What a test needs besides is added to it.
    """

    def __init__(self, config: str) -> None:
        self._programs = require("containerd"), require("curl")
        if os.getuid():
            pytest.skip("containerd unpacks images for root alone")
        self._directory = Path(tempfile.mkdtemp(prefix="cri-", dir="/tmp"))
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        (self._directory / "config.toml").write_text(f"{self._config}\n{self._own_config()}")
        names = ("config.toml", "root", "state", "socket")
        config, root, state, socket = (str(self._directory / name) for name in names)
        command = (self._programs[0], "-c", config, "--root", root, "--state", state, "-a", socket)
        environment = os.environ | {"HTTPS_PROXY": _NOWHERE, "HTTP_PROXY": _NOWHERE, "NO_PROXY": ""}
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            wait_until(self._serves, otherwise=self._log.read_text)
        except AssertionError:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process and remove all that it stored."""
        if self._process is not None:
            end(self._process)
            self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def pull(self, image: str) -> str:
        """Pull as for a pod; return why it failed, empty when it did not."""
        headers = ("-H", "content-type: application/grpc", "-H", "te: trailers")
        command = (
            *(self._programs[1], "-sS", "--http2-prior-knowledge", "--max-time", "60"),
            *("--unix-socket", self._directory / "socket", "--data-binary", "@-"),
            *(*headers, "-D", "-", "-o", self._directory / "answer", _PULL),
        )
        done = subprocess.run(command, input=_frame(image), capture_output=True, check=True)
        trailers = dict(
            line.split(": ", 1) for line in done.stdout.decode().splitlines() if ": " in line
        )
        failed = trailers["grpc-status"] != "0"
        return unquote(trailers["grpc-message"]) if failed else ""

    def failed_requests(self) -> list[str]:
        """Return the URLs that did not answer, in the order in which they were asked."""
        return _ASKED.findall(self._log.read_text())

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _serves(self) -> bool:
        return "containerd successfully booted" in self._log.read_text()

    def _own_config(self) -> str:
        folder = self._directory
        return f"""
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".cni]
  conf_dir = "{folder}/cni"
  bin_dir = "{folder}/bin"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
"""


def _frame(image: str) -> bytes:
    """A ``PullImageRequest`` in protobuf, as gRPC frames it: both lengths below 128 are one byte."""
    name = image.encode()
    assert len(name) < 126
    spec = bytes((0x0A, len(name))) + name
    message = bytes((0x0A, len(spec))) + spec
    return b"\0" + len(message).to_bytes(4, "big") + message
