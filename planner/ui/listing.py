"""The names that clusters need, without repetitions, in groups, and what must be there before they can be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar

from planner.core.family import ArtifactKind, Because
from planner.core.refs import ImageRef
from planner.needs import Collected

Grouping = Literal["namespace", "registry", "cluster", "source"]
GROUPINGS: tuple[Grouping, ...] = ("namespace", "registry", "cluster", "source")
_NOWHERE = "no mirror"

Value = TypeVar("Value")


@dataclass
class Row:
    """One name that must exist; ``target`` is None where the spec redirects nothing.

    ``leads`` are those of the reasons that stand in specs: they say why the name is on that registry. ``platforms`` are what
    each of those who need it wants of it (none: all of it).
    """

    source: ImageRef
    target: ImageRef | None
    kind: ArtifactKind
    because: list[Because] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    leads: list[Because] = field(default_factory=list)
    platforms: list[tuple[str, ...]] = field(default_factory=list)


class Namespace(NamedTuple):
    """What must exist on a registry before a push, unless the registry makes it by itself.

    It is the first component of ``repositories`` (a project of Harbor, an organisation of Quay). ``name`` is empty for
    repositories of one component: they stand in no namespace, which such products cannot have.
    """

    registry: str
    name: str
    repositories: tuple[str, ...]
    because: tuple[Because, ...]


def rows_of(collected: Collected) -> list[Row]:
    """Each pair of source and target once, with all reasons and clusters."""
    rows: dict[tuple[ImageRef, ImageRef | None], Row] = {}
    for cluster in collected.clusters:
        for need in cluster.needs:
            row = rows.setdefault(
                (need.source, need.target), Row(need.source, need.target, need.kind)
            )
            _add(row.because, need.because)
            _add(row.leads, (each for each in need.because if each.file == cluster.spec.file))
            _add(row.clusters, (cluster.name,))
            _add(row.platforms, (need.platforms,))
    return sorted(rows.values(), key=lambda row: (row.source, str(row.target)))


def namespaces_of(rows: Iterable[Row]) -> list[Namespace]:
    """The namespaces of all targets, in order."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.target:
            found.setdefault((row.target.registry, namespace_of(row.target)), []).append(row)
    return [_namespace(*key, found[key]) for key in sorted(found)]


def _namespace(registry: str, name: str, rows: Sequence[Row]) -> Namespace:
    """``because`` are the places in specs that lead there; where there are none, any reason."""
    repositories = dict.fromkeys(row.target.repository for row in rows if row.target)
    leads = dict.fromkeys(reason for row in rows for reason in row.leads)
    return Namespace(registry, name, tuple(repositories), tuple(leads or rows[0].because[:1]))


def namespace_of(image: ImageRef) -> str:
    """The first component of a repository that has several; else empty."""
    first, slash, _ = image.repository.partition("/")
    return first if slash else ""


def grouped(rows: Iterable[Row], by: Grouping) -> Mapping[str, Sequence[Row]]:
    """The rows by what they are grouped by, in order. A row of two clusters is in the groups of both."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        for group in _groups(row, by):
            found.setdefault(group, []).append(row)
    return {name: found[name] for name in sorted(found)}


def _groups(row: Row, by: Grouping) -> Iterable[str]:
    match by:
        case "cluster":
            return row.clusters
        case "source":
            return (row.source.registry,)
        case "registry":
            return (row.target.registry if row.target else _NOWHERE,)
        case "namespace":
            return (_place(row.target) if row.target else _NOWHERE,)


def _place(target: ImageRef) -> str:
    name = namespace_of(target)
    return f"{target.registry}/{name}" if name else f"{target.registry}, at the root"


def _add(to: list[Value], new: Iterable[Value]) -> None:
    to += [each for each in new if each not in to]
