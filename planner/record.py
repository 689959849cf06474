"""The record of applies, ``.planner/record.json``: read where plans are made, and written after each apply.

It lies beside the planner.yaml that was used, or in the working directory without one. It is a help and no part of the job:
what cannot be read or written is told, and holds nobody up.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from planner.config import Config
from planner.core.errors import InputError
from planner.core.events import Event, Finished, ImageDone, Progress
from planner.core.plan import Plan
from planner.core.plan_file import plan_id
from planner.core.record import (
    PastRun,
    Record,
    Where,
    Written,
    from_json,
    places_of,
    to_json,
)
from planner.files import write_whole

FOLDER = ".planner"
_FILE = "record.json"
_LOCK = "record.lock"
_LAYOUT = "oci:"


class Remembered(NamedTuple):
    """The record, and what is wrong with its file, empty for nothing. ``is_damaged``: it can be read, and makes no sense."""

    record: Record
    note: str = ""
    is_damaged: bool = False


def folder_of(config: Config) -> Path:
    """Where the record is."""
    return (config.path.parent if config.path else Path()) / FOLDER


def load_record(folder: Path) -> Remembered:
    """Read it; one that is not there, or cannot be used, is an empty one."""
    file = folder / _FILE
    try:
        return Remembered(from_json(file.read_bytes(), str(file)))
    except (FileNotFoundError, NotADirectoryError):
        return Remembered(Record())
    except OSError as error:
        return Remembered(Record(), f"{file}: cannot be read: {error.strerror or error}")
    except InputError as error:
        said = f"{error.message}; it is left out, and the next apply moves it aside"
        return Remembered(Record(), said, is_damaged=True)


def places_by(endpoints: Mapping[str, str]) -> Where:
    """From a registry's name to its place: what is contacted for it (``Access.endpoints``), a folder by its full path."""

    def where(registry: str) -> str:
        place = endpoints.get(registry, registry).rstrip("/")
        if not place.startswith(_LAYOUT):
            return place
        return f"{_LAYOUT}{os.path.realpath(place.removeprefix(_LAYOUT))}"

    return where


def _now() -> datetime:
    return datetime.now(UTC)


class Recording:
    """Keeps what a run does, and writes it down when it is over. ``note`` says what is in the way, empty for nothing."""

    def __init__(self, folder: Path, plan: Plan, clock: Callable[[], datetime] = _now) -> None:
        self.note = ""
        self._folder = folder.absolute()
        self._plan = plan
        self._clock = clock
        self._progress = Progress()
        self._done: list[ImageDone] = []
        self._is_written = False

    def see(self, event: Event) -> None:
        """Follow the run; its last event writes the record."""
        self._progress = self._progress.after(event)
        match event:
            case ImageDone():
                self._done.append(event)
            case Finished():
                self.write()
            case _:
                pass

    def write(self) -> None:
        """Write what is known by now, once; a run that was cut off has no last event."""
        if self._is_written or not self._progress.images:
            return
        self._is_written = True
        try:
            self._merge()
        except InputError as error:
            self.note = f"what was applied could not be recorded: {error.message}"
        except OSError as error:
            said = f"{error.filename or self._folder}: {error.strerror or error}"
            self.note = f"what was applied could not be recorded: {said}"

    def _merge(self) -> None:
        """Add to what is there by now: several applies may end at once."""
        _make(self._folder)
        with _alone(self._folder):
            before = load_record(self._folder)
            if before.note and not before.is_damaged:
                raise InputError(before.note)
            if before.is_damaged:
                aside = _move_aside(self._folder / _FILE)
                self.note = (
                    f"{self._folder / _FILE} could not be used, and was moved to {aside.name}"
                )
            write_whole(str(self._folder / _FILE), to_json(self._after(before.record)))

    def _after(self, record: Record) -> Record:
        at = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        where, plan = places_by(self._plan.access.endpoints), plan_id(self._plan)
        changes = {str(each.target): each for each in self._plan.changes}
        written: dict[str, dict[str, Written]] = {}
        deleted: list[tuple[str, str]] = []
        for done in self._done:
            change = changes[done.image]
            place = where(change.target.registry)
            if change.op == "delete":
                deleted.append((place, done.image))
            else:
                last = Written(done.digest, str(change.source), at, plan)
                written.setdefault(place, {})[done.image] = last
        return record.after(self._run(at, plan, where), written, deleted)

    def _run(self, at: str, plan: str, where: Where) -> PastRun:
        now = self._progress
        done, failed = len(self._done), len(now.failed)
        seconds = round(now.at, 3)
        left = now.images - done - failed
        read, written = places_of(self._plan, where)
        return PastRun(plan, at, done, failed, left, now.moved, seconds, read, written)


def _make(folder: Path) -> None:
    """The folder, which says itself that it is not for git."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    ignored = folder / ".gitignore"
    try:
        ignored.write_text("*\n", "utf-8")
    except OSError:  # or the next apply would take the folder for somebody's own
        ignored.unlink(missing_ok=True)
        folder.rmdir()
        raise


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else writes meanwhile."""
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _move_aside(file: Path) -> Path:
    """Under the first name that is free: it may be worth a look."""
    number = 1
    while (aside := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    file.rename(aside)
    return aside
