"""The specs that a spec can be compared with: those in its folder, and those that planner.yaml names.

They are context: what is wrong in them is reported when they are given themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from planner.config import Cluster, Config
from planner.core.document import Spec
from planner.core.errors import InputError, PlannerError
from planner.core.family import Need
from planner.core.lint import Peer
from planner.core.reader import read
from planner.files import read_text
from planner.specs import family_named, family_of, may_be_ours

if TYPE_CHECKING:  # few projects have one
    from planner.lock import Lock

_SUFFIXES = (".yaml", ".yml")


class Peers:
    """Finds and reads them, each file once."""

    def __init__(self, clusters: Sequence[Cluster], root: str = "") -> None:
        self._real: Callable[[str], str] = cache(os.path.realpath)
        self._named = clusters
        self._root = root
        self._needs: dict[str, tuple[Need, ...]] = {}
        self._clusters = [
            {self._real(file): each.kind for file in (each.spec, *each.companions)}
            for each in clusters
        ]
        self._read: dict[str, tuple[Spec, str] | None] = {}
        self._folders: dict[str, list[str]] = {}

    def add(self, spec: Spec, family: str) -> None:
        """A file that has been read already."""
        self._read[self._real(spec.file)] = (spec, family)

    def of(self, spec: Spec) -> tuple[Peer, ...]:
        """The peers of a file, the near ones first, each in the order of their names."""
        own = self._real(spec.file)
        near = {file: kind for each in self._clusters if own in each for file, kind in each.items()}
        near = {**dict.fromkeys(self._beside(own), ""), **near}
        far = {file: kind for each in self._clusters for file, kind in each.items()}
        return (
            *self._peers(own, near, is_near=True),
            *self._peers(own, {file: far[file] for file in far if file not in near}, is_near=False),
        )

    def needs(self, spec: Spec) -> tuple[Need, ...]:
        """What the clusters of a spec need, as planner.yaml says; nothing when it is not known."""
        own = self._real(spec.file)
        if own not in self._needs:
            clusters = tuple(each for each in self._named if self._real(each.spec) == own)
            self._needs[own] = _needs(clusters) if clusters else ()
        return self._needs[own]

    def all_needs(self) -> tuple[Need, ...] | None:
        """What all clusters need; None when that is not known of one of them."""
        try:
            return _collected(self._named)
        except PlannerError:
            return None

    def lock(self) -> Lock | None:
        """The lock of the project, where what its clusters need is known without a network; None elsewhere.

        Raises:
            InputError: it is damaged.
        """
        is_remote = any(
            "://" in each for one in self._named for each in (one.bundle, *one.packages)
        )
        if is_remote or not self._named:
            return None
        from planner.lock import load_lock_in  # noqa: PLC0415 - as below

        found = load_lock_in(Path(self._root))
        return found if found.is_there else None

    def is_config(self, spec: Spec) -> bool:
        """Whether a planner.yaml is the one that names the clusters."""
        own = self._real(str(Path(spec.file).parent))
        return bool(self._named) and own == self._real(self._root or ".")

    def _peers(self, own: str, files: dict[str, str], *, is_near: bool) -> Iterator[Peer]:
        for file in sorted(files):
            if file != own and (found := self._load(file, files[file])):
                spec, family = found
                yield Peer(family, spec, is_near)

    def _load(self, file: str, kind: str) -> tuple[Spec, str] | None:
        if file not in self._read:
            self._read[file] = _load(file, kind)
        return self._read[file]

    def _beside(self, file: str) -> list[str]:
        folder = str(Path(file).parent)
        if folder not in self._folders and not Path(folder).is_dir():
            self._folders[folder] = []
        elif folder not in self._folders:
            with os.scandir(folder) as entries:
                self._folders[folder] = [
                    entry.path
                    for entry in entries
                    if entry.name.endswith(_SUFFIXES) and entry.is_file()
                ]
        return self._folders[folder]


def _needs(clusters: tuple[Cluster, ...]) -> tuple[Need, ...]:
    try:
        return _collected(clusters)
    except PlannerError:
        return ()  # planner plan tells what is missing


def _collected(clusters: Sequence[Cluster]) -> tuple[Need, ...]:
    from planner.needs import Wanted, collect  # noqa: PLC0415 - most projects name no clusters

    return tuple(collect(Config(clusters=tuple(clusters)), Wanted()).needs)


def _load(file: str, kind: str) -> tuple[Spec, str] | None:
    """A spec of ours that can be read; what cannot is no context."""
    try:
        text = read_text(Path(file))
    except InputError:
        return None
    if not (kind or may_be_ours(file, text)):
        return None
    spec = read(os.path.relpath(file), text)
    family = family_named(kind) if kind else family_of(spec)
    return (spec, family.name) if family and spec.documents else None
