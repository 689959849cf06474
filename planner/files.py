"""Files that somebody names: read as text, written whole or not at all."""

from __future__ import annotations

import os
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
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
