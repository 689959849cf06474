"""Carries out one step between two stores. Failures that a registry may cause come back as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from planner.core.content import INDEX_TYPES
from planner.core.errors import RegistryError
from planner.core.place import Place
from planner.core.steps import (
    AllCopied,
    BlobStep,
    CopyBlob,
    CreateNamespace,
    DeleteTag,
    MountBlob,
    Outcome,
    PutManifest,
    PutTag,
    Step,
)
from planner.stores.http import Patience
from planner.stores.opening import Stores
from planner.stores.store import Store
from planner.stores.verified import VerifiedStream

Report = Callable[[str, int], None]
_TRIES = 3


class InterruptedStepError(Exception):
    """Somebody stopped the run while bytes were moving; nothing was stored."""


def perform(
    stores: Stores, report: Report, step: Step, patience: Patience | None = None
) -> Outcome:
    """Do one step, and do it again when that may help.

    ``report`` hears of bytes as they pass, and may raise ``InterruptedStepError`` to stop.
    """
    pause = (patience or Patience()).sleep
    for attempt in range(1, _TRIES + 1):
        try:
            return _do(stores, report, step)
        except InterruptedStepError:
            return Outcome(error="stopped", code="CANCELLED")
        except RegistryError as error:
            if attempt == _TRIES or not error.retryable:
                return Outcome(error=error.message, hint=error.hint, code=error.code)
            pause(0.5 * 2**attempt)
        except Exception as error:  # noqa: BLE001 - one step's surprise must not end the run of all others
            return Outcome(
                error=f"unexpected {type(error).__name__}: {error}", hint="please report this"
            )
    raise AssertionError("unreachable: the last try returns")


def _do(stores: Stores, report: Report, step: Step) -> Outcome:
    match step:
        case CopyBlob():
            return _bring(stores, report, step, None)
        case MountBlob():
            return _bring(stores, report, step, step.sibling)
        case CreateNamespace():
            stores.product(step.registry).create(step.namespace)
        case AllCopied():
            pass
        case DeleteTag():
            _delete(stores, step)
        case PutManifest():
            _put(stores, step, step.manifest.digest)
        case PutTag():
            _put(stores, step, step.tag)
    return Outcome()


def _bring(stores: Stores, report: Report, step: BlobStep, sibling: Place | None) -> Outcome:
    moved = 0

    def count(chunk: int) -> None:
        nonlocal moved
        moved += chunk
        report(step.id, chunk)

    @contextmanager
    def source() -> Iterator[VerifiedStream]:
        origin = stores.source(step.source.registry)
        with origin.open_blob(step.source.repository, step.digest) as chunks:
            where = f"{origin.name}/{step.source.repository}"
            yield VerifiedStream(chunks, step.digest, step.size, where, count)

    target = stores.target(step.target.registry)
    repository = sibling.repository if sibling else ""
    arrival = target.write_blob(step.target.repository, step.digest, source, repository)
    return Outcome(moved=moved, mounted=arrival == "mounted")


def _put(stores: Stores, step: PutManifest | PutTag, reference: str) -> None:
    stores.target(step.target.registry).write_manifest(
        step.target.repository, reference, step.manifest
    )


def _delete(stores: Stores, step: DeleteTag) -> None:
    """Take a tag away: by itself where the registry can do that, else by its digest, if that takes no other tag along."""
    store = stores.target(step.target.registry)
    repository = step.target.repository
    held = store.head(repository, step.tag)
    if held is None:
        return
    if held.digest != step.digest:
        raise RegistryError(
            f"{step.target}:{step.tag} was moved since the plan was made",
            "plan again",
            code="STALE",
        )
    if store.delete(repository, step.tag):
        return
    if in_use := _user_of(store, step):
        raise RegistryError(
            f"{step.target}:{step.tag}: this registry deletes by digest alone, and {in_use} needs the same one",
            "keep the tag (--exclude), or let go of what needs its content",
        )
    if not store.delete(repository, step.digest):
        raise RegistryError(
            f"{step.target}: the registry does not delete",
            "allow it in its configuration (distribution: storage.delete.enabled), or leave out --prune",
        )


def _user_of(store: Store, step: DeleteTag) -> str:
    """What would be lost with the digest of a tag; empty when nothing would."""
    repository = step.target.repository
    if step.digest in step.keep:
        return f"{repository}@{step.digest}"
    kept = (tag for tag in store.tags(repository) if tag not in step.together)
    for reference in (*kept, *sorted(step.keep)):
        found = store.head(repository, reference)
        if found is None:
            continue
        if found.digest == step.digest or step.digest in _below(store, repository, found.digest):
            return f"{repository}:{reference}"
    return ""


def _below(store: Store, repository: str, digest: str) -> Iterator[str]:
    """The digests of an index's manifests."""
    for child in store.manifest(repository, digest).children:
        yield child.digest
        if child.media_type in INDEX_TYPES:
            yield from _below(store, repository, child.digest)
