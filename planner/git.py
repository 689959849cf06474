"""Asking git. No program that a repository's configuration names is started, and nothing is written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import CompletedProcess

# What may name another repository than the one that a folder is in: git sets it for hooks, for one.
_OF_ANOTHER_REPOSITORY = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})


def environment() -> dict[str, str]:
    """The environment in which git finds the repository that a folder is in."""
    return {key: os.environ[key] for key in os.environ if key not in _OF_ANOTHER_REPOSITORY}


def command(folder: str, *words: str) -> list[str]:
    """git, in a folder."""
    return ["git", "-C", folder, "-c", "core.fsmonitor=false", *words]


def run_git(folder: str, *words: str) -> CompletedProcess[bytes]:
    """What git did.

    Raises:
        OSError: there is no git.
    """
    import subprocess  # noqa: PLC0415 - most runs name their files

    return subprocess.run(
        command(folder, *words), env=environment(), capture_output=True, check=False
    )
