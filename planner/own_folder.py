"""``.planner``: where planner keeps what it did, and what it has not finished.

It lies beside the planner.yaml that was used, or in the working directory without one. A configuration of another name has a
folder of its own in it, so that two in one place do not take what the other did for their own, and prune it.
"""

from __future__ import annotations

from pathlib import Path

from planner.config import FILE_NAME, TOML_NAME, Config

NAME = ".planner"


def folder_of(config: Config) -> Path:
    """Where it is."""
    if config.path is None:
        return Path(NAME)
    shared = config.path.parent / NAME
    return shared if config.path.name in (FILE_NAME, TOML_NAME) else shared / config.path.name


def make_folder(folder: Path) -> None:
    """Make it; it says itself that it is not for git.

    Raises:
        OSError: it cannot be made.
    """
    if folder.parent.name == NAME:
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        return
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
