"""What was applied before: ``planner.record/1``, by what was really written.

A name is recorded under the place that took it, so that a copy in a folder (``--to oci:DIR``) is never taken for the registry
that its nodes ask. A place is what ``core.plan.Access`` says was contacted, or the registry's own name. Nothing in it is
secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from planner.core.errors import InputError
from planner.core.json_text import spread
from planner.core.plan import Plan
from planner.core.refs import is_digest

FORMAT = "planner.record/1"
_RUNS_KEPT = 20

Where = Callable[[str], str]


class Written(NamedTuple):
    """What was last written under a name. ``at`` is UTC, ``2026-01-31T12:00:00Z``; ``plan`` the id of the plan that said so.

    ``source_digest`` is what the source had, where that was not copied byte for byte.
    """

    digest: str
    source: str
    at: str
    plan: str
    source_digest: str = ""

    @property
    def held_at_source(self) -> str:
        """The digest that the source had."""
        return self.source_digest or self.digest


class PastRun(NamedTuple):
    """One apply. ``done``, ``failed`` and ``cancelled`` count images; ``read`` and ``written`` are places."""

    plan: str
    at: str
    done: int
    failed: int
    cancelled: int
    bytes: int
    seconds: float
    read: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


Names = Mapping[str, Written]


class Record(NamedTuple):
    """``targets`` are names by place, ``runs`` the last ones, the latest at the end."""

    targets: Mapping[str, Names] = MappingProxyType({})
    runs: tuple[PastRun, ...] = ()

    def written(self, place: str, name: str) -> Written | None:
        """What was last written under a name; None when nothing is known."""
        return self.targets.get(place, {}).get(name)

    def after(
        self,
        run: PastRun,
        written: Mapping[str, Names],
        deleted: Iterable[tuple[str, str]] = (),
    ) -> Record:
        """The record with one more run: what it wrote, by place and name, and what it deleted (place, name)."""
        targets = {place: dict(names) for place, names in self.targets.items()}
        for place, names in written.items():
            targets.setdefault(place, {}).update(names)
        for place, name in deleted:
            targets.get(place, {}).pop(name, None)
        # In the order in which they ended: a clock that was wrong for a while must not decide which are the last.
        runs = (*self.runs, run)[-_RUNS_KEPT:]
        return Record({place: each for place, each in targets.items() if each}, runs)


def places_of(plan: Plan, where: Where) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The places that carrying out the plan reads, and those that it writes."""
    read = {where(each.source.registry) for each in plan.pending if each.op != "delete"}
    written = {where(each.target.registry) for each in plan.pending}
    return tuple(sorted(read)), tuple(sorted(written))


def to_json(record: Record) -> bytes:
    """The file: UTF-8 JSON, one name or run a line."""
    document = {
        "format": FORMAT,
        "targets": {
            place: {name: each._asdict() for name, each in names.items()}
            for place, names in record.targets.items()
        },
        "runs": [each._asdict() for each in record.runs],
    }
    return "".join((*spread(document, 3), "\n")).encode("utf-8", "surrogatepass")


def from_json(data: bytes, file: str) -> Record:
    """Read it.

    Raises:
        InputError: it is no record, or one of another format.
    """
    try:
        document = json.loads(data, parse_constant=_refuse)
        stated = document["format"]
        if stated != FORMAT:
            raise InputError(f"{file}: expected format {FORMAT}, got {stated}")
        return Record(
            {
                _text(place): {_text(name): _written(each) for name, each in names.items()}
                for place, names in document["targets"].items()
            },
            tuple(_run(each) for each in document["runs"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{file}: the record of earlier applies is damaged") from error


def _written(document: Mapping[str, Any]) -> Written:
    found = Written(*(_text(document[name]) for name in Written._fields))
    for digest in (found.digest, found.held_at_source):
        if not is_digest(digest):
            raise ValueError(digest)
    return found


def _run(document: Mapping[str, Any]) -> PastRun:
    return PastRun(
        _text(document["plan"]),
        _text(document["at"]),
        _count(document["done"]),
        _count(document["failed"]),
        _count(document["cancelled"]),
        _count(document["bytes"]),
        _seconds(document["seconds"]),
        tuple(map(_text, document["read"])),
        tuple(map(_text, document["written"])),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(value)
    return value


def _seconds(value: Any) -> float:
    return value if isinstance(value, float) and value >= 0 else _count(value)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
