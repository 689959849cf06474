"""What a run of plan loads when all is in sync: who asks every hour pays for each module, used or not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Basic, FakeRegistry

# The general clients, what draws and builds graphs, and what reads or writes other formats.
NEVER = frozenset(
    "requests urllib3 http.client email.parser networkx textual rich ruamel jsonschema jsonschema_rs asyncio".split()
)
# Of ours, what other commands need.
OTHERS = frozenset(
    "planner.apply planner.verify planner.core.graph planner.stores.elsewhere planner.stores.download".split()
)
FAMILIES = frozenset(f"planner.specs.{each}" for each in ("eksa", "k3s", "kubeone", "palette"))
PROGRAM = """
import sys
from planner.ui.cli import main
code = main(["plan", *sys.argv[1:]])
print(code, *sorted(sys.modules))
"""


@pytest.fixture
def registries() -> Iterator[tuple[FakeRegistry, FakeRegistry]]:
    with FakeRegistry() as source, FakeRegistry() as target:
        for each in (source, target):
            each.add_image("a/b", "v1", [b"layer"])
        yield source, target


def loaded(folder: Path, source: FakeRegistry, target: FakeRegistry) -> frozenset[str]:
    """The modules that a plan without changes has loaded."""
    spec = f"mirrors: {{'{source.host}': {{endpoint: ['{target.url}']}}}}\n"
    (folder / "registries.yaml").write_text(spec, "utf-8")
    (folder / "images.txt").write_text(f"{source.host}/a/b:v1\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "registries.yaml", "--images", "images.txt"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *_, said, last = done.stdout.splitlines()
    assert said == "No changes. 1 image in sync."
    code, *modules = last.split()
    assert code == "0"
    return frozenset(modules)


def test_a_plan_without_changes_needs_no_general_client(
    tmp_path: Path, registries: tuple[FakeRegistry, FakeRegistry]
) -> None:
    modules = loaded(tmp_path, *registries)
    assert modules & (NEVER | OTHERS | {"ssl"}) == frozenset()
    assert modules & FAMILIES == {"planner.specs.k3s"}
    source, target = registries
    for each in (source, target):
        assert [(one.method, one.path) for one in each.requests] == [
            ("GET", "/v2/"),
            ("HEAD", "/v2/a/b/manifests/v1"),
        ]


def test_a_login_changes_nothing_about_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auths = tmp_path / "auth.json"
    with FakeRegistry(auth=Basic("me", "secret")) as source, FakeRegistry() as target:
        for each in (source, target):
            each.add_image("a/b", "v1", [b"layer"])
        auths.write_text(f'{{"auths": {{"{source.host}": {{"auth": "bWU6c2VjcmV0"}}}}}}', "utf-8")
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(auths))
        assert loaded(tmp_path, source, target) & NEVER == frozenset()
