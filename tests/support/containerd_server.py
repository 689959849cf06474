"""A private containerd that pulls through a ``hosts.toml`` folder, as a node does."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.support.process import end, wait_until
from tests.support.programs import require

# The services of a node need devices, networks and file systems that a test does not have.
_DISABLED = (
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.restart",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.overlayfs",
    "io.containerd.snapshotter.v1.zfs",
)


class ContainerdServer:
    """A containerd process with its own root, state and socket; a context manager.

    Its folder is a short path below ``/tmp``: the path of a Unix socket has at most 107 bytes.
    """

    def __init__(self) -> None:
        self._programs = require("containerd"), require("ctr")
        self._directory = Path(tempfile.mkdtemp(prefix="cd-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The path of the socket."""
        return str(self._directory / "socket")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until clients are served.

        Raises:
            AssertionError: It is not; the message holds its log.
        """
        config = self._directory / "config.toml"
        config.write_text(self._config())
        log = self._directory / "log"
        command = (self._programs[0], "--config", config)
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_until(self._serves, otherwise=lambda: log.read_text()[-2000:])
        except AssertionError:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process and remove all that it stored."""
        if self._process is not None:
            end(self._process)
            self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def fetch(
        self, reference: str, hosts_dir: Path, *, all_platforms: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Fetch an image, without unpacking it, from the hosts that the folder names.

        Args:
            reference: Full name, such as ``docker.io/library/busybox:1.36``.
            hosts_dir: Holds ``<registry>/hosts.toml``; plain HTTP is an ``http://`` in there.
            all_platforms: Fetch all platforms of an index, not only this machine's.
        """
        options = ["--hosts-dir", str(hosts_dir)]
        if all_platforms:
            options.append("--all-platforms")
        return self._ctr("content", "fetch", *options, reference)

    def content(self) -> list[str]:
        """Return the digests of all blobs and manifests that are stored."""
        return self._ctr("content", "ls", "--quiet").stdout.split()

    def _serves(self) -> bool:
        return Path(self.address).exists() and self._ctr("version").returncode == 0

    def _ctr(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = (
            str(self._programs[1]),
            "--address",
            self.address,
            "--timeout",
            "60s",
            *arguments,
        )
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _config(self) -> str:
        def quoted(name: str) -> str:
            return json.dumps(str(self._directory / name))

        return f"""\
version = 2
root = {quoted("root")}
state = {quoted("state")}
disabled_plugins = {json.dumps(_DISABLED)}
[grpc]
address = {json.dumps(self.address)}
uid = {os.getuid()}
gid = {os.getgid()}
[plugins."io.containerd.internal.v1.opt"]
path = {quoted("opt")}
"""
