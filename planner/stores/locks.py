"""Locks by key: who waits, waits only for those who do the same."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Key = TypeVar("Key")


class Locks(Generic[Key]):
    """One lock for each key, made when it is first asked for. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Key, threading.Lock] = {}

    def __getitem__(self, key: Key) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())
