"""How far uploads have come, so that a run that was killed is continued inside of a blob.

Each process writes a file of its own, ``.planner/uploads-….jsonl``, and holds a lock on it for as long as it lives. A file
that nobody locks belongs to a process that is gone, and the next one takes over what stands in it: so no two processes ever
write into one session, and none waits for another.

The address of a session may hold what is as good as a password: nobody else may read the files, and nothing shows them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from planner.own_folder import make_folder

_PATTERN = "uploads-*.jsonl"
_LONGEST_LIFE = 24 * 3600.0
_AT_ONCE = 1024 * 1024


class Key(NamedTuple):
    """A blob on its way: ``place`` is the origin that is written to, ``repository`` as the registry itself calls it."""

    place: str
    repository: str
    digest: str


class Session(NamedTuple):
    """An upload that a registry keeps open. ``offset`` bytes of ``size`` are acknowledged; ``at`` is in Unix time.

    ``least`` is the smallest chunk that it takes.
    """

    location: str
    offset: int
    size: int
    least: int = 0
    at: float = 0.0


class Journal:
    """Sessions and finished blobs by key; without a ``folder`` in memory alone. Threads may share it.

    A finished blob is noted because not every registry tells of a blob that no manifest names yet, and because other
    repositories can share it; whether it is still there, the registry is asked. What is older than a day is forgotten:
    registries have thrown it away.

    ``note`` says what is in the way of writing, empty for nothing. It is told, and holds nobody up.
    """

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.note = ""
        self._folder = folder.absolute() if folder else None
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[Key, Session] = {}
        self._finished: dict[Key, float] = {}
        self._holders: dict[tuple[str, str], str] = {}
        self._file: _OwnFile | None = None
        self._is_read = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def session(self, key: Key) -> Session | None:
        """The upload of a blob that was not finished."""
        with self._reading():
            return self._sessions.get(key)

    def is_finished(self, key: Key) -> bool:
        """Whether a blob was sent to the end by a run that did not get to its own."""
        with self._reading():
            return key in self._finished

    def holder(self, key: Key) -> str:
        """Another repository of the same registry that was sent the blob lately; empty when none is known."""
        with self._reading():
            found = self._holders.get((key.place, key.digest), "")
        return "" if found == key.repository else found

    def advance(self, key: Key, session: Session) -> None:
        """A session has acknowledged more; this is on disk when it returns."""
        session = session._replace(at=self._clock())
        with self._reading():
            self._sessions[key] = session
        self._write(_line(key, session), is_urgent=True)

    def finish(self, key: Key) -> None:
        """A blob is complete. What is lost of this is found out again, so nobody waits for the disk."""
        at = self._clock()
        with self._reading():
            self._sessions.pop(key, None)
            self._note_finished(key, at)
        self._write(_line(key, at))

    def forget(self, key: Key) -> None:
        """A session is no more."""
        with self._reading():
            known = self._sessions.pop(key, None)
        if known:
            self._write(_line(key, None))

    def close(self, *, is_complete: bool = False) -> None:
        """Leave to the next run what it needs: nothing of finished blobs, when everything that needs them is there.

        What is asked or told afterwards opens it again.
        """
        with self._lock:
            if is_complete:
                self._finished.clear()
                self._holders.clear()
            with self._noting():
                if self._file:
                    self._file.replace_with(self._lines())
            if self._folder:
                self._file, self._is_read = None, False
                self._sessions.clear()
                self._finished.clear()
                self._holders.clear()

    def _note_finished(self, key: Key, at: float) -> None:
        self._finished[key] = at
        self._holders[key.place, key.digest] = key.repository

    def _write(self, line: bytes, *, is_urgent: bool = False) -> None:
        if not self._folder or self.note:
            return
        with self._noting():
            with self._lock:
                if self._file is None:
                    self._file = _OwnFile(self._folder)
                self._file.append(line)
            if is_urgent:
                self._file.settle()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """What others have left is looked for when somebody wants to know: most commands write no blob."""
        with self._lock:
            if self._folder and not self._is_read:
                self._is_read = True
                with self._noting():
                    self._take_over(self._folder)
            yield

    def _take_over(self, folder: Path) -> None:
        """What processes have left that are gone."""
        for path in sorted(folder.glob(_PATTERN)):
            with _abandoned(path) as descriptor:
                if descriptor is None:
                    continue
                self._read(_content(descriptor))
                if self._sessions or self._finished:
                    self._file = self._file or _OwnFile(folder)
                    self._file.append(b"".join(self._lines()))
                    self._file.settle()
                path.unlink()

    def _read(self, data: bytes) -> None:
        oldest = self._clock() - _LONGEST_LIFE
        for line in data.splitlines():
            with contextlib.suppress(
                ValueError, TypeError, RecursionError
            ):  # a line that was cut off
                key, session, finished_at = _parse(line)
                self._sessions.pop(key, None)
                if session and session.at > oldest:
                    self._sessions[key] = session
                elif finished_at > oldest:
                    self._note_finished(key, finished_at)

    def _lines(self) -> list[bytes]:
        finished = [_line(key, at) for key, at in self._finished.items()]
        return finished + [_line(key, session) for key, session in self._sessions.items()]

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self._folder
            self.note = f"a run that is killed cannot be continued inside of a blob: {where}: {error.strerror or error}"


class _OwnFile:
    """The file of this process, locked."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        while True:
            self._path = folder / _PATTERN.replace("*", f"{os.getpid()}-{time.time_ns()}")
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if os.fstat(self._descriptor).st_nlink:
                return
            os.close(self._descriptor)  # somebody took it for abandoned before it was locked

    def append(self, line: bytes) -> None:
        if os.write(self._descriptor, line) < len(line):
            raise OSError(28, "No space left on device", str(self._path))

    def settle(self) -> None:
        os.fsync(self._descriptor)

    def replace_with(self, lines: list[bytes]) -> None:
        """Only these lines; without any, no file. Then it is nobody's."""
        try:
            if not lines:
                self._path.unlink(missing_ok=True)
                return
            beside = self._path.with_suffix(".new")
            beside.touch(mode=0o600)
            with beside.open("wb") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        finally:
            os.close(self._descriptor)


@contextlib.contextmanager
def _abandoned(path: Path) -> Iterator[int | None]:
    """A file that nobody locks, opened and locked; None for one that has an owner, is somebody else's, or is gone by now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        is_free = False
    else:
        is_free = os.fstat(descriptor).st_nlink > 0
    try:
        yield descriptor if is_free else None
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    return b"".join(iter(lambda: os.read(descriptor, _AT_ONCE), b""))


def _line(key: Key, state: Session | float | None) -> bytes:
    """A line of the file. It begins with a line end, so that it stands alone also after one that was cut off."""
    entry: dict[str, Any] = key._asdict()
    if isinstance(state, Session):
        entry |= state._asdict()
    else:
        entry["finished_at"] = state or 0
    return b"\n" + json.dumps(entry, separators=(",", ":")).encode()


def _parse(line: bytes) -> tuple[Key, Session | None, float]:
    """The blob of a line; its session, or since when it is finished: 0 for a session that is no more.

    Raises:
        ValueError, TypeError: it is no such line.
    """
    entry = json.loads(line)
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(each), str) for each in Key._fields
    ):
        raise TypeError("no entry")
    key = Key(entry["place"], entry["repository"], entry["digest"])
    if "finished_at" in entry:
        return key, None, float(entry["finished_at"])
    location = entry.get("location")
    offset, size, least = (entry.get(each, 0) for each in ("offset", "size", "least"))
    if not isinstance(location, str) or not all(
        isinstance(each, int) for each in (offset, size, least)
    ):
        raise TypeError("no session")
    return key, Session(location, offset, size, least, float(entry.get("at") or 0)), 0.0
