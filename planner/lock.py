"""``planner.lock``: beside the planner.yaml that is used, or in the working directory without one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from planner.config import Config
from planner.core.lock import FILE_NAME, Pins, from_text, to_text
from planner.core.plan import Input
from planner.files import read_text, write_whole

_ROLE = "lock"


class Lock(NamedTuple):
    """The pins of a file. ``is_there``: whether there is a file."""

    path: Path
    pins: Pins
    is_there: bool = True

    @property
    def as_input(self) -> Input:
        """The file, as what a plan was made from."""
        return Input(str(self.path), hashlib.sha256(self.path.read_bytes()).hexdigest(), _ROLE)


def load_lock(config: Config) -> Lock:
    """The lock of a project; without a file, one that pins nothing.

    Raises:
        InputError: it is damaged; the message names the line.
    """
    return load_lock_in(config.path.parent if config.path else Path())


def load_lock_in(folder: Path) -> Lock:
    """The lock of a folder."""
    path = folder / FILE_NAME
    if not path.is_file():
        return Lock(path, {}, is_there=False)
    return Lock(path, from_text(read_text(path), str(path)))


def write_lock(lock: Lock, pins: Pins) -> Lock:
    """Write other pins; a file that says the same already stays untouched.

    Raises:
        InputError: it cannot be written.
    """
    text = to_text(pins)
    if not (lock.is_there and read_text(lock.path) == text):
        write_whole(str(lock.path), text.encode("utf-8"))
    return Lock(lock.path, dict(pins))
