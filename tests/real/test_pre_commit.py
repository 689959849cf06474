"""The hooks of ``.pre-commit-hooks.yaml``, run by pre-commit in repositories of their own.

pre-commit installs planner from a copy of this tree into an environment that it makes with pip, so pip's configuration
must lead to an index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

_ROOT = Path(__file__).parents[2]
_NEEDED = ("planner", "schemas", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
_GOOD = 'mirrors: {docker.io: {endpoint: ["https://registry.corp"]}}\n'
_PLAIN = 'mirrors: {docker.io: {endpoint: ["http://registry.corp"]}}\n'
_TEMPLATE = "a: {{ .b }}\n{{ end }}\n"
_FIXABLE = "mirrors: {}  # planner: ignore[SCH001] it was wrong once\n"
_CONFIG = """\
repos:
  - repo: {repo}
    rev: {rev}
    hooks: [{{id: planner-lint}}, {{id: planner-lint-fix, stages: [manual]}}]
"""


class Hooks(NamedTuple):
    """The repository that offers the hooks, its commit, and what pre-commit is run with."""

    repo: Path
    rev: str
    environment: Mapping[str, str]


class Scratch:
    """A repository that uses them."""

    def __init__(self, folder: Path, hooks: Hooks) -> None:
        self.folder = folder
        self._environment = hooks.environment
        self.git("init", "-q")
        config = _CONFIG.format(repo=hooks.repo, rev=hooks.rev)
        self.add({".pre-commit-config.yaml": config})
        self.git("commit", "-qm", "hooks")

    def add(self, files: Mapping[str, str]) -> None:
        """Write files, and stage them."""
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, "utf-8")
        self.git("add", *files)

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.folder, env=self._environment, check=True)

    def pre_commit(self, *words: str) -> tuple[int, str]:
        """Exit code and output."""
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", *words],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    """Made before a test takes the home away, in which pip's configuration may be."""
    base = tmp_path_factory.mktemp("hooks")
    identity = {
        f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = {
        **kept,
        **identity,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PRE_COMMIT_HOME": str(base / "home"),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    repo = base / "planner"
    repo.mkdir()
    for name in _NEEDED:
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, repo / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(_ROOT / name, repo)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=repo, env=environment, check=True)
    rev = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repo, text=True).strip()
    return Hooks(repo, rev, environment)


@pytest.fixture
def scratch(hooks: Hooks, tmp_path: Path) -> Scratch:
    return Scratch(tmp_path, hooks)


def test_the_hook_can_be_tried_before_it_is_configured(scratch: Scratch, hooks: Hooks) -> None:
    scratch.add({"registries.yaml": f"mirror: {{}}\n{_GOOD}", "template.yaml": _TEMPLATE})
    code, output = scratch.pre_commit("try-repo", str(hooks.repo), "planner-lint", "--all-files")
    assert code == 1, output
    assert "error[SCH001 unknown_key]" in output
    assert "--> registries.yaml:1:1" in output
    assert "template.yaml" not in output


def test_what_is_right_and_what_is_no_spec_pass(scratch: Scratch) -> None:
    scratch.add({"registries.yaml": _GOOD, "template.yaml": _TEMPLATE, "notes.txt": "mirror:"})
    code, output = scratch.pre_commit("run", "--all-files")
    assert code == 0, output
    assert "Passed" in output


def test_staged_files_are_reported_on_and_their_neighbours_only_compared_with(
    scratch: Scratch,
) -> None:
    scratch.add({"old.yaml": f"{_PLAIN}configs: {{a: {{auht: {{}}}}}}\n"})
    scratch.git("commit", "-qm", "old", "--no-verify")
    scratch.add({"registries.yaml": f"mirror: {{}}\n{_GOOD}"})
    code, output = scratch.pre_commit("run")
    assert code == 1, output
    assert "SCH001" in output
    assert "warning[ACR001" in output
    assert "--> old.yaml" not in output


def test_the_fixing_hook_changes_a_file_once(scratch: Scratch) -> None:
    scratch.add({"registries.yaml": _FIXABLE})
    fix = ("run", "planner-lint-fix", "--all-files", "--hook-stage", "manual")
    code, output = scratch.pre_commit(*fix)
    assert code == 1, output
    assert "files were modified by this hook" in output
    assert (scratch.folder / "registries.yaml").read_text("utf-8") == "mirrors: {}\n"
    scratch.git("add", "registries.yaml")
    assert scratch.pre_commit(*fix)[0] == 0
