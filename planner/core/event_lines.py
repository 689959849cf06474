"""``planner.events/1``: a run as JSON lines, one event each behind a first line that names the format."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cache
from typing import Any, get_args, get_type_hints

from planner.core.errors import InputError
from planner.core.events import Event, describe

FORMAT = "planner.events/1"


def header() -> str:
    """The first line of an event log."""
    return json.dumps({"format": FORMAT, "at": 0.0, "type": "format", "msg": FORMAT})


def to_line(event: Event) -> str:
    """One line of JSON, without the line end."""
    line = {"type": _name(type(event)), "msg": describe(event), **asdict(event)}
    return json.dumps(line, ensure_ascii=False)


def is_event_log(data: bytes) -> bool:
    """Whether a file begins like an event log; its first line is enough."""
    first = data.partition(b"\n")[0]
    return first.startswith(b"{") and FORMAT.encode() in first


def from_line(line: str, file: str, number: int) -> Event | None:
    """The event of a line; None for one that says nothing of the run, or is of a kind that is not known here.

    Raises:
        InputError: it is no line of such a log.
    """
    try:
        found = json.loads(line, parse_constant=_refuse)
        stated = found.get("format", FORMAT)
        kind = _KINDS.get(found["type"])
        event = None if kind is None else kind(**_values(kind, found))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{file}:{number}: not a line of an event log", "planner apply --events FILE writes one"
        ) from error
    if stated != FORMAT:
        raise InputError(f"{file}: expected format {FORMAT}, got {stated}")
    return event


def _name(kind: type[Event]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_KINDS: Mapping[str, type[Event]] = {_name(kind): kind for kind in get_args(Event)}


@cache
def _types(name: str) -> Mapping[str, Any]:
    """The types of an event's fields."""
    return next(get_type_hints(each) for each in get_args(Event) if each.__name__ == name)


def _values(kind: type[Event], found: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields of an event are in a line; one that has a default may be missing."""
    types = _types(kind.__name__)
    return {
        each.name: _checked(found[each.name], types[each.name])
        for each in fields(kind)
        if each.name in found
    }


def _checked(value: Any, wanted: Any) -> Any:
    if wanted == tuple[str, ...]:
        return tuple(_checked(each, str) for each in _checked(value, list))
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted or (wanted in (int, float) and value < 0):
        raise TypeError(value)
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
