"""``.planner``: where planner keeps what it did, and what it has not finished.

It lies beside the planner.yaml that was used, or in the working directory without one.
"""

from __future__ import annotations

from pathlib import Path

from planner.config import Config

NAME = ".planner"


def folder_of(config: Config) -> Path:
    """Where it is."""
    return (config.path.parent if config.path else Path()) / NAME


def make_folder(folder: Path) -> None:
    """Make it; it says itself that it is not for git.

    Raises:
        OSError: it cannot be made.
    """
    try:
        folder.mkdir()
    except FileExistsError:
        return
    ignored = folder / ".gitignore"
    try:
        ignored.write_text("*\n", "utf-8")
    except OSError:  # or the next run would take the folder for somebody's own
        ignored.unlink(missing_ok=True)
        folder.rmdir()
        raise
