"""Writing the record of applies: a run is followed by its events, and written down when it is over."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from planner.core.errors import InputError
from planner.core.events import (
    BytesMoved,
    Event,
    Finished,
    ImageCancelled,
    ImageDone,
    ImageFailed,
    Retried,
    Started,
)
from planner.core.plan import Change, Plan
from planner.core.plan_file import plan_id
from planner.core.record import PastRun, Record, Where, Written, places_of, to_json
from planner.files import write_whole
from planner.own_folder import make_folder
from planner.record import RECORD, load_record, places_by
from planner.unfinished import forget, keep

_LOCK = "record.lock"


def _now() -> datetime:
    return datetime.now(UTC)


class Recording:
    """Keeps what a run does, and writes it down when it is over. ``note`` says what is in the way, empty for nothing."""

    def __init__(self, folder: Path, plan: Plan, clock: Callable[[], datetime] = _now) -> None:
        self.note = ""
        self._folder = folder.absolute()
        self._plan = plan
        self._clock = clock
        self._done: list[ImageDone] = []
        self._failed: set[str] = set()
        self._images = self._moved = 0
        self._seconds = 0.0
        self._is_written = False

    @property
    def file(self) -> Path:
        """The record."""
        return self._folder / RECORD

    def begin(self, changes: Sequence[Change]) -> None:
        """Keep what is to be done until it is."""
        keep(self._folder, self._plan, changes)

    def see(self, event: Event) -> None:
        """Follow the run; its last event writes the record."""
        self._seconds = max(self._seconds, event.at)
        match event:
            case Started():
                self._images = event.images
            case BytesMoved():
                self._moved += event.moved
            case ImageDone():
                self._done.append(event)
            case ImageFailed():
                self._failed.add(event.image)
            case ImageCancelled():
                self._failed.discard(event.image)
            case Retried():
                self._failed.difference_update(event.images)
            case Finished():
                self.write()
                if not (event.failed or event.cancelled):
                    forget(self._folder)
            case _:
                pass

    def write(self) -> None:
        """Write what is known by now, once; a run that was cut off has no last event."""
        if self._is_written or not self._images:
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
        make_folder(self._folder)
        with _alone(self._folder):
            before = load_record(self._folder)
            if before.note and not before.is_damaged:
                raise InputError(before.note)
            if before.is_damaged:
                aside = _move_aside(self._folder / RECORD)
                self.note = (
                    f"{self._folder / RECORD} could not be used, and was moved to {aside.name}"
                )
            write_whole(str(self._folder / RECORD), to_json(self._after(before.record)))

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
                last = Written(done.digest, str(change.source), at, plan, change.source_digest)
                written.setdefault(place, {})[done.image] = last
        return record.after(self._run(at, plan, where), written, deleted)

    def _run(self, at: str, plan: str, where: Where) -> PastRun:
        done, failed, seconds = len(self._done), len(self._failed), round(self._seconds, 3)
        left = self._images - done - failed
        read, written = places_of(self._plan, where)
        return PastRun(plan, at, done, failed, left, self._moved, seconds, read, written)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else writes meanwhile."""
    with (folder / _LOCK).open("a") as lock:  # whatever a link leads to stays as it is
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _move_aside(file: Path) -> Path:
    """Under the first name that is free: it may be worth a look."""
    number = 1
    while (aside := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    file.rename(aside)
    return aside
