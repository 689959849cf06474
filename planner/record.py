"""The record of applies, ``.planner/record.json``: read where plans are made.

It lies beside the planner.yaml that was used, or in the working directory without one. It is a help and no part of the job:
what cannot be read or written is told, and holds nobody up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from planner.core.errors import InputError
from planner.core.record import Record, Where, from_json

RECORD = "record.json"
_LAYOUT = "oci:"


class Remembered(NamedTuple):
    """The record, and what is wrong with its file, empty for nothing. ``is_damaged``: it can be read, and makes no sense."""

    record: Record
    note: str = ""
    is_damaged: bool = False


def load_record(folder: Path) -> Remembered:
    """Read it; one that is not there, or cannot be used, is an empty one."""
    file = folder / RECORD
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
