"""Registries that Debian does not package, for whoever has them: zot, and distribution v3 (``scripts/obtain-go-tools``)."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.process import end, free_port, run, wait_until

_TOOLS = Path(__file__).parents[2] / ".tools"
_QUIET = {
    "OTEL_TRACES_EXPORTER": "none"
}  # distribution v3 looks for a collector of traces otherwise


class OtherRegistry:
    """A server of one of them on a port of its own; a context manager. All its files lie in ``directory``."""

    def __init__(self, name: str, directory: Path) -> None:
        self._program = _find(name)
        self._directory = directory
        self._config = _CONFIGURATIONS[name]

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``, known once the server has been started."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://{self.host}"

    def __enter__(self) -> Self:
        self._port = free_port()
        config = self._directory / "config.json"
        config.write_text(json.dumps(self._config(self._directory / "data", self._port)))
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                (self._program, "serve", config),
                stdout=log,
                stderr=log,
                env={**os.environ, **_QUIET},
            )
        try:
            wait_until(self._answers, otherwise=self._last_words)
        except AssertionError:
            end(self._process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._last_words()
        try:
            with urlopen(f"{self.url}/v2/") as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError):
            return False

    def _last_words(self) -> str:
        return (self._directory / "log").read_text(errors="replace")[-2000:]


def _find(name: str) -> Path:
    """The program of a registry; without one the test is skipped."""
    program = "zot" if name == "zot" else "registry"
    places = (str(_TOOLS / "go"), os.environ.get("PATH", os.defpath), str(_TOOLS / "bin"))
    for place in os.pathsep.join(places).split(os.pathsep):
        found = shutil.which(program, path=place)
        if found and (name == "zot" or b" v3." in run((found, "--version"))):
            return Path(found)
    pytest.skip(f"{name} is not at hand; it is optional")


def _zot(data: Path, port: int) -> Mapping[str, Any]:
    return {
        "distSpecVersion": "1.1.1",
        "storage": {"rootDirectory": str(data)},
        "http": {"address": "127.0.0.1", "port": str(port)},
        "log": {"level": "info"},
    }


def _distribution(data: Path, port: int) -> Mapping[str, Any]:
    return {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(data)}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "planner-test"},
    }


_CONFIGURATIONS = {"zot": _zot, "distribution v3": _distribution}
