"""What every test shares."""

import itertools
import os
import signal
from pathlib import Path

import pytest

_REAL = Path(__file__).parent / "real"
_ENVIRONMENT = (
    *("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "NETRC"),
    *(f"{each}_proxy" for each in ("http", "https", "all", "no")),
    *(f"{each}_PROXY" for each in ("HTTP", "HTTPS", "ALL", "NO")),
    *("REGISTRY_USERNAME", "REGISTRY_PASSWORD", "EKSA_REGISTRY_MIRROR_CA"),
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"),
    *("PLANNER_ASCII", "PLANNER_A11Y", "TEXTUAL_THEME", "XDG_STATE_HOME"),
)
# Who runs the tests in the background, or with nohup, hands on that these are ignored; planner would ignore them, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> "itertools.count[int]":
    """Numbers of the homes that tests of this process got."""
    return itertools.count()


@pytest.fixture(autouse=True)
def home(
    homes: "itertools.count[int]",
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """An empty home, so that nobody's credentials, cache, proxy or terminal take part in a test."""
    folder = tmp_path_factory.getbasetemp() / f"home-{next(homes)}"
    folder.mkdir()
    for name in (*_ENVIRONMENT, *(each for each in os.environ if each.startswith("AWS_"))):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / ".cache"))
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in ``tests/real``, before ``-m`` selects."""
    for item in items:
        if item.path.is_relative_to(_REAL):
            item.add_marker(pytest.mark.real)
