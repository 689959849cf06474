"""Registries as an inventory tells of them: nothing is asked, nothing can be written.

What the file does not tell is an error of its own kind, never taken for absent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

from planner.core.content import Descriptor, Manifest
from planner.core.errors import InputError, RegistryError, UsageError
from planner.core.inventory import Holdings, from_json
from planner.core.namespaces import THERE, Standing
from planner.core.plan import Input
from planner.core.quota import Quota
from planner.core.refs import is_digest
from planner.stores.http import Connection
from planner.stores.products.product import Product
from planner.stores.store import Arrival, Chunks, OpenBlob

T = TypeVar("T")


class Recording(NamedTuple):
    """What a file tells of one registry."""

    file: str
    holdings: Holdings


class NotRecordedError(RegistryError):
    """An inventory does not tell it."""


class Recorded:
    """The store of one registry. Blobs count as absent: that makes more bytes, never other content. Threads may share it.

    ``prefix`` is the path of the registry's address, which the product sees before each name.
    """

    def __init__(self, registry: str, recording: Recording, prefix: str = "") -> None:
        self.name = registry
        self.file = recording.file
        self.holdings = recording.holdings
        self.quota: Quota | None = None
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def greet(self) -> None:
        """Nobody is asked."""

    def path_of(self, repository: str) -> str:
        """What the registry itself calls it."""
        return f"{self._prefix}{repository}"

    @property
    def gives_freely(self) -> bool:
        """It has none."""
        return False

    def head(
        self, repository: str, reference: str, *, may_pull: bool = True, likely: str = ""
    ) -> Descriptor | None:
        """What the file lists; a digest is there when a tag has it.

        Raises:
            NotRecordedError: it may be there.
        """
        if is_digest(reference):
            found = reference if (repository, reference) in self._digests else None
        else:
            found = self.holdings.digest(repository, reference)
        if found is None:
            raise self._unknown(f"what {self.name} has under this name")
        return Descriptor(found, 0, "") if found else None

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Only the cache has it."""
        raise NotRecordedError(
            f"{self.file} holds no manifests, and this one is not in the cache: plan once without --against"
        )

    def has_blob(self, repository: str, digest: str) -> bool:
        """Not known."""
        return False

    def open_blob(
        self, repository: str, digest: str, part: range | None = None
    ) -> AbstractContextManager[Chunks]:
        """There are none."""
        raise self._unknown("what blobs hold")

    def write_blob(
        self, repository: str, digest: str, source: OpenBlob, sibling: str = ""
    ) -> Arrival:
        """Not possible."""
        return self._refuse()

    def is_empty(self, repository: str) -> bool:
        """Never: what is not known is asked for, which costs nothing."""
        return False

    def tags(self, repository: str) -> list[str]:
        """As the file lists them."""
        if self.holdings.digest(repository, "") is None:
            raise self._unknown(f"the tags of {self.name}/{repository}")
        held = self.holdings.repositories.get(repository, {})
        return sorted(each for each in held if not is_digest(each))

    def repositories(self) -> list[str]:
        """As the file lists them."""
        if not self.holdings.complete:
            raise self._unknown(f"all repositories of {self.name}")
        return sorted(self.holdings.repositories)

    def delete(self, repository: str, reference: str) -> bool:
        """Not possible."""
        return self._refuse()

    def write_manifest(self, repository: str, reference: str, manifest: Manifest) -> bool:
        """Not possible."""
        return self._refuse()

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        """Not known."""
        raise self._unknown(f"what refers to {self.name}/{repository}@{digest}")

    @cached_property
    def _digests(self) -> frozenset[tuple[str, str]]:
        listed = self.holdings.repositories.items()
        return frozenset((name, digest) for name, tags in listed for digest in tags.values())

    def _unknown(self, what: str) -> NotRecordedError:
        hint = f"make it anew: planner inventory {self.name} -o {self.file}"
        return NotRecordedError(f"{self.file} does not tell {what}", hint)

    def _refuse(self) -> NoReturn:
        raise RegistryError(f"{self.name} is known from {self.file} alone", "apply a saved plan")


class RecordedProduct:
    """What a product says by itself, and which namespaces the repositories of an inventory lie in. Its API is not asked."""

    def __init__(self, product: Product, store: Recorded) -> None:
        self.name = product.name
        self.title = product.title
        self.word = product.word
        self._product = product
        self._store = store

    def complaint(self, repository: str) -> str:
        """As the product has it."""
        return _or(self._product.complaint, repository, "")

    def namespace(self, repository: str) -> str:
        """As the product has it; none where only its API knows."""
        return _or(self._product.namespace, repository, "")

    def standings(self, namespaces: Sequence[str]) -> Mapping[str, Standing]:
        """There, when something lies in it; else nobody knows."""
        unknown = Standing("unknown", f"{self._store.file} does not tell whether it is there")
        return {each: THERE if each in self._used else unknown for each in namespaces}

    def create(self, namespace: str) -> None:
        """Not possible."""
        raise RegistryError(f"{self._store.name} is known from {self._store.file} alone")

    def administrators_command(self, namespace: str) -> str:
        """As the product has it."""
        return _or(self._product.administrators_command, namespace, "")

    def repositories(self) -> None:
        """As the store lists them."""

    @cached_property
    def _used(self) -> frozenset[str]:
        """Every beginning of a repository that holds something."""
        held = self._store.holdings.repositories.items()
        paths = (self._store.path_of(name).split("/") for name, tags in held if tags)
        return frozenset(
            "/".join(parts[:count]) for parts in paths for count in range(1, len(parts) + 1)
        )


class Recordings(NamedTuple):
    """What files tell, by registry, and the files."""

    registries: Mapping[str, Recording] = MappingProxyType({})
    inputs: tuple[Input, ...] = ()


def load_recordings(files: Iterable[str]) -> Recordings:
    """Read inventories.

    Raises:
        InputError: one cannot be read.
        UsageError: two of them tell of one registry.
    """
    found: dict[str, Recording] = {}
    inputs = []
    for file in dict.fromkeys(files):
        data = _read(file)
        inputs.append(Input(file, hashlib.sha256(data).hexdigest(), "inventory"))
        for registry, holdings in from_json(data, file).items():
            if registry in found:
                message = f"{found[registry].file} and {file} both tell of {registry}"
                raise UsageError(message, "give one of them")
            found[registry] = Recording(file, holdings)
    return Recordings(found, tuple(inputs))


def silent(base: str) -> Connection:
    """A connection that only knows its address: every request on it is a ``NotRecordedError``."""
    return cast("Connection", _Silent(base))


class _Silent:
    def __init__(self, base: str) -> None:
        self.base = base

    def send(self, *_: Any, **__: Any) -> NoReturn:
        raise NotRecordedError(f"{self.base} is not asked: an inventory answers for it")


def _or(ask: Callable[[str], T], name: str, otherwise: T) -> T:
    try:
        return ask(name)
    except NotRecordedError:
        return otherwise


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror or error}"
        raise InputError(message, "make one with planner inventory -o FILE") from error
