"""Carries out one step between two stores. Failures that a registry may cause come back as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

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
    PutReferrer,
    PutTag,
    Step,
)
from planner.stores.opening import Stores
from planner.stores.patience import pause_before_step
from planner.stores.referring import put_referrer
from planner.stores.store import Store
from planner.stores.verified import InterruptedStepError, VerifiedStream

Report = Callable[[str, int], None]


class _Reach:
    """From where on a blob was sent at last, and how many bytes crossed, over all tries of its step."""

    offset = 0
    moved = 0


def perform(
    stores: Stores,
    report: Report,
    step: Step,
    *,
    is_fresh: Callable[[], bool] = bool,
) -> Outcome:
    """Do one step, and do it again when that may help and nothing below tried again already (``pacing``).

    ``report`` hears of bytes as they pass, and may raise ``InterruptedStepError`` to stop: at once, or where an upload can be
    continued, behind the chunk that is under way. A blob may break off as often as it likes, as long as it comes further.
    ``is_fresh`` says whether tags were looked at so lately that they need not be looked at again before they are written.
    """
    reach, attempt, pause = _Reach(), 0, 0.0
    while True:
        attempt += 1
        before = reach.offset
        try:
            if attempt > 1:
                stores.traffic.sleep(pause)
            return _do(stores, report, step, is_fresh, reach)
        except InterruptedStepError:
            return Outcome(error="stopped", code="CANCELLED")
        except RegistryError as error:
            came_further = reach.offset > before
            attempt = 1 if came_further else attempt
            wait = pause_before_step(error, attempt, came_further=came_further)
            if wait is None:
                return Outcome(error=error.message, hint=error.hint, code=error.code)
            stores.traffic.step_again()
            pause = wait
        except Exception as error:  # noqa: BLE001 - one step's surprise must not end the run of all others
            return Outcome(
                error=f"unexpected {type(error).__name__}: {error}", hint="please report this"
            )


def _do(
    stores: Stores, report: Report, step: Step, is_fresh: Callable[[], bool], reach: _Reach
) -> Outcome:
    match step:
        case CopyBlob():
            return _bring(stores, report, step, None, reach)
        case MountBlob():
            return _bring(stores, report, step, step.sibling, reach)
        case CreateNamespace():
            stores.product(step.registry).create(step.namespace)
        case AllCopied():
            pass
        case DeleteTag():
            _delete(stores, step)
        case PutManifest():
            _put(stores, step, step.manifest.digest)
        case PutReferrer():
            target = stores.target(step.target.registry)
            put_referrer(target, step.target.repository, step.manifest)
        case PutTag():
            _put_tag(stores, step, is_fresh)
    return Outcome()


def _bring(
    stores: Stores, report: Report, step: BlobStep, sibling: Place | None, reach: _Reach
) -> Outcome:
    def count(chunk: int) -> None:
        reach.moved += chunk
        stores.traffic.throttle(chunk)
        report(step.id, chunk)

    @contextmanager
    def source(offset: int = 0, /) -> Iterator[VerifiedStream]:
        reach.offset = max(reach.offset, offset)
        origin = stores.source(step.source.registry)
        where = f"{origin.name}/{step.source.repository}"
        stream = partial(VerifiedStream, report=count, offset=offset)
        if offset == step.size > 0:  # nothing is left to be read
            yield stream((), step.digest, step.size, where)
            return
        part = range(offset, step.size)
        with origin.open_blob(step.source.repository, step.digest, part) as chunks:
            yield stream(chunks, step.digest, step.size, where)

    target = stores.target(step.target.registry)
    repository = sibling.repository if sibling else stores.shared(step.source, step.target)
    arrival = target.write_blob(step.target.repository, step.digest, source, repository)
    return Outcome(moved=reach.moved, mounted=arrival == "mounted")


def _put(stores: Stores, step: PutManifest | PutTag, reference: str) -> None:
    stores.target(step.target.registry).write_manifest(
        step.target.repository, reference, step.manifest
    )


def _put_tag(stores: Stores, step: PutTag, is_fresh: Callable[[], bool]) -> None:
    """Write a tag that still is as the plan saw it, and read back what stands there."""
    store, digest = stores.target(step.target.registry), step.manifest.digest
    if not is_fresh():
        held = _digest_at(store, step)
        if held not in (step.current, digest):
            raise RegistryError(
                f"{step.target}:{step.tag} was changed by somebody else since the plan was made: it holds {held or 'nothing'}",
                "plan again, and review what changed",
                code="STALE",
            )
    _put(stores, step, step.tag)
    held = _digest_at(store, step)
    if held != digest:
        raise RegistryError(
            f"{step.target}:{step.tag}: {digest} was written, and the registry answers {held or 'that nothing is there'}",
            "somebody else writes the same tag, or the registry's storage lags or fails",
            code="DIGEST_MISMATCH",
            retryable=not held,
        )


def _digest_at(store: Store, step: PutTag) -> str:
    found = store.head(step.target.repository, step.tag)
    return found.digest if found else ""


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
