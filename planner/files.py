"""Files that somebody names: read as text, written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from planner.core.errors import InputError


def read_text(path: Path) -> str:
    """The text of a file, byte for byte: line ends stay as they are.

    Raises:
        InputError: it cannot be opened, or is not UTF-8 text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path}: cannot be read: {reason}", "check the path and its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start} is not UTF-8 text", "save the file as UTF-8"
        ) from error


def place_of(file: str, root: str) -> str:
    """A file's name relative to the folder ``root``, with slashes; as it is when it lies elsewhere."""
    path, base = os.path.abspath(file), os.path.abspath(root or ".")  # noqa: PTH100 - links keep their names
    inside = path.startswith(base.rstrip(os.sep) + os.sep)
    return Path(os.path.relpath(path, base) if inside else file).as_posix()


def write_whole(file: str, data: bytes) -> None:
    """Replace a file in one go; a link is followed, and what is no regular file (``/dev/stdout``) is written to.

    Raises:
        InputError: it cannot be written; then it is as it was.
    """
    path = Path(os.path.realpath(file))
    if not path.parent.is_dir():
        message = f"{file}: cannot be written: there is no folder {path.parent}"
        raise InputError(message, "create it first")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path, data)
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror or error}"
        raise InputError(message, "check the folder and its permissions") from error


def _replace(path: Path, data: bytes) -> None:
    """Write a file anew; one that is there keeps mode and owner, and nobody reads it meanwhile who could not before."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if path.exists():
            beside.touch(mode=0o600)
            beside.write_bytes(data)
            _give_like(path, beside)
        else:
            beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _give_like(path: Path, beside: Path) -> None:
    """Mode and owner of ``path`` for the file beside it; only root may give a file away, and is who should."""
    there = path.stat()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(beside, there.st_uid, there.st_gid)
    beside.chmod(stat.S_IMODE(there.st_mode))


def is_there(path: str | Path) -> bool:
    """Whether there is something under a name; a name that no file can have is one of nothing."""
    return os.path.exists(path)  # noqa: PTH110 - pathlib's raises for a name that is too long


def is_file(path: str | Path) -> bool:
    """Whether that is a file."""
    return os.path.isfile(path)  # noqa: PTH113 - as above
