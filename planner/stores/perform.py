"""Carries out one step between two stores. Failures that a registry may cause come back as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from planner.core.errors import RegistryError
from planner.core.steps import (
    BlobStep,
    CopyBlob,
    MountBlob,
    Outcome,
    Place,
    PutManifest,
    PutTag,
    Step,
)
from planner.stores.http import Patience
from planner.stores.opening import Stores
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
