"""A real registry (distribution 2.8) on a port of its own, with its access log as a witness."""

import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from tests.support.certificates import KeyPair
from tests.support.process import end, free_port, run, wait_until
from tests.support.programs import require

_QUIET = 0.03
_ATTEMPTS = 5
_LINE = re.compile(r'\] "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d{3}) ')


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """Whose tokens a registry accepts; ``rootcertbundle`` is a PEM file."""

    realm: str
    service: str
    issuer: str
    rootcertbundle: Path


class RegistryOptions(TypedDict, total=False):
    """How a registry differs from an open one over plain HTTP."""

    htpasswd: tuple[str, str]
    token: TokenAuth
    tls: KeyPair
    client_ca: Path
    read_only: bool
    proxy: str
    room: str


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A line of the access log; ``path`` holds the query too."""

    method: str
    path: str
    status: int


class RegistryServer:
    """A docker-registry process; a context manager.

    It keeps port and data when it is stopped and started again. All its files lie in one folder,
    because a registry in a container sees only that one.

    Args:
        directory: Where data, configuration and logs go.
        options: ``htpasswd`` is user and password; ``client_ca`` needs ``tls``; ``proxy`` is the
            URL of the registry to pull through from; ``room`` is the size of a disk of its own for its data
            (``300k``), which nobody else sees and which is gone when it stops.
    """

    def __init__(self, directory: Path, **options: Unpack[RegistryOptions]) -> None:
        self.data = directory / "data"
        self._directory = directory
        self._options = options
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``, known once the server has been started."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"{'https' if 'tls' in self._options else 'http'}://{self.host}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it listens.

        Raises:
            RuntimeError: It ended; the message holds its log.
        """
        for _ in range(1 if self._port else _ATTEMPTS):
            port = self._port or free_port()
            if self._serve(port):
                self._port = port
                return
        raise RuntimeError(f"docker-registry ended: {self._last_words()}")

    def stop(self) -> None:
        """End the process; one that does not run is fine."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def requests(self) -> list[LoggedRequest]:
        """Return what it was asked since it was first started, in the order of the answers."""
        self._wait_for_quiet()
        text = self._access_log.read_text(errors="replace")
        found = (_LINE.search(line) for line in text.splitlines())
        return [
            LoggedRequest(each["method"], each["path"], int(each["status"]))
            for each in found
            if each is not None
        ]

    def mark(self) -> int:
        """Return a place in the access log, for `requests_since`."""
        return len(self.requests())

    def requests_since(self, mark: int) -> list[LoggedRequest]:
        """Return the requests after a mark."""
        return self.requests()[mark:]

    def make_room(self, room: str) -> None:
        """Give a registry with a disk of its own a larger one."""
        assert self._process is not None
        enter = ("nsenter", f"--target={self._process.pid}", "--user", "--mount")
        run((*enter, "mount", "-o", f"remount,size={room}", self.data))

    def collect_garbage(self) -> None:
        """Delete what no tag leads to, while it serves, as the registry's own program does it."""
        config = self._directory / "config.yml"
        run((require("docker-registry"), "garbage-collect", "--delete-untagged", config))

    def delete_blob_file(self, digest: str) -> None:
        """Remove the bytes of a blob or manifest from disk, behind the registry's back."""
        algorithm, _, value = digest.partition(":")
        (self._blobs() / algorithm / value[:2] / value / "data").unlink()

    def blob_digests_on_disk(self) -> frozenset[str]:
        """Return the digests of all blobs and manifests that are stored."""
        found = self._blobs().glob("*/??/*/data")
        return frozenset(f"{each.parts[-4]}:{each.parts[-2]}" for each in found)

    def _blobs(self) -> Path:
        return self.data / "docker" / "registry" / "v2" / "blobs"

    def _serve(self, port: int) -> bool:
        """Return whether it runs; it does not when the port was taken meanwhile."""
        config = self._directory / "config.yml"
        config.write_text(json.dumps(self._config(port)))  # JSON is YAML
        command: tuple[str | Path, ...] = (require("docker-registry"), "serve", config)
        if room := self._options.get("room"):
            self.data.mkdir(exist_ok=True)
            mounted = f'mount -t tmpfs -o size={room} tmpfs "$0" && exec "$@"'
            unshare = (require("unshare"), "--map-root-user", "--mount")
            command = (*unshare, "sh", "-c", mounted, self.data, *command)
        with self._access_log.open("ab") as access, self._log.open("wb") as log:
            process = subprocess.Popen(command, stdout=access, stderr=log)
        self._process = process
        try:
            wait_until(
                lambda: process.poll() is not None or self._listens(),
                otherwise=lambda: f"docker-registry does not listen: {self._last_words()}",
            )
        except AssertionError:
            self.stop()
            raise
        return process.poll() is None

    def _listens(self) -> bool:
        """Its own word for it: an answer from the port may come from the server that took it."""
        return b"listening on" in self._log.read_bytes()

    def _config(self, port: int) -> dict[str, Any]:
        config: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.data)},
                "delete": {"enabled": True},
                "maintenance": {"readonly": {"enabled": self._options.get("read_only", False)}},
            },
            "http": {"addr": f"127.0.0.1:{port}", "secret": "planner-test", **self._tls()},
            **self._auth(),
        }
        if "proxy" in self._options:
            config["proxy"] = {"remoteurl": self._options["proxy"]}
        return config

    def _tls(self) -> dict[str, Any]:
        if "tls" not in self._options:
            return {}
        pair = self._options["tls"]
        tls: dict[str, Any] = {
            "certificate": self._own(pair.certificate),
            "key": self._own(pair.key),
        }
        if "client_ca" in self._options:
            tls["clientcas"] = [self._own(self._options["client_ca"])]
        return {"tls": tls}

    def _auth(self) -> dict[str, Any]:
        auth: dict[str, Any] = {}
        if "htpasswd" in self._options:
            auth["htpasswd"] = {"realm": "planner-test", "path": self._write_htpasswd()}
        if "token" in self._options:
            token = self._options["token"]
            auth["token"] = {
                "realm": token.realm,
                "service": token.service,
                "issuer": token.issuer,
                "rootcertbundle": self._own(token.rootcertbundle),
            }
        return {"auth": auth} if auth else {}

    def _write_htpasswd(self) -> str:
        user, password = self._options["htpasswd"]
        path = self._directory / "htpasswd"
        # The registry takes bcrypt only; 4 is its lowest cost.
        path.write_bytes(run((require("htpasswd"), "-nbB", "-C", "4", user, password)))
        return str(path)

    def _own(self, path: Path) -> str:
        return str(shutil.copy(path, self._directory / path.name))

    @property
    def _access_log(self) -> Path:
        return self._directory / "access.log"

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def _wait_for_quiet(self) -> None:
        """Wait until the access log stops growing.

        A long answer reaches its reader before its line reaches the log.
        """
        size = -1
        while size != (size := self._access_log.stat().st_size):
            time.sleep(_QUIET)
