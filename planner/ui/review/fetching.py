"""What only registries can tell about an image: what stands under its name now, and configurations. Blocks; for threads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from planner.core.content import Descriptor, Manifest, refuse_endless
from planner.core.errors import PlannerError, RegistryError
from planner.core.plan import Change, Plan
from planner.stores.opening import Stores
from planner.stores.store import Store
from planner.stores.verified import VerifiedStream

_LARGEST_CONFIG = 8 * 1024 * 1024


def manifests_now(plan: Plan, change: Change, stores: Stores) -> dict[str, Manifest]:
    """What the name holds now, by digest, as far as it is there; nothing where nothing stands.

    Raises:
        PlannerError: the registry does not give it.
    """
    found: dict[str, Manifest] = {}
    waiting = [(change.current, 0)] if change.current else []
    while waiting:
        digest, depth = waiting.pop(0)
        manifest = _manifest(plan, change, digest, stores, may_lack=depth > 0)
        if manifest and digest not in found:
            refuse_endless(manifest, depth, str(change.target))
            found[digest] = manifest
            waiting += ((child.digest, depth + 1) for child in manifest.children)
    return found


def config_of(
    manifest: Manifest, change: Change, plan: Plan, stores: Stores, *, is_new: bool
) -> Mapping[str, Any]:
    """The configuration of an image: from the target if that has it, of what ``is_new`` else from the source.

    Raises:
        PlannerError: nobody gives it, or it is no JSON object.
    """
    descriptor = config_descriptor(manifest)
    if descriptor is None or descriptor.size > _LARGEST_CONFIG:
        raise RegistryError("this manifest has no configuration that could be shown")
    errors = []
    for store, repository in _holders(descriptor, change, plan, stores, is_new=is_new):
        try:
            return _json(_read(store, repository, descriptor))
        except PlannerError as error:
            errors.append(error)
    raise errors[0]


def config_descriptor(manifest: Manifest) -> Descriptor | None:
    """Where the configuration of an image is; None for what has none, as an index."""
    config = manifest.document().get("config")
    blobs = (*manifest.blobs, *manifest.left_out)
    return next((each for each in blobs if config and each.digest == config["digest"]), None)


def _manifest(
    plan: Plan, change: Change, digest: str, stores: Stores, *, may_lack: bool
) -> Manifest | None:
    if digest in plan.manifests:
        return plan.manifests[digest]
    try:
        return stores.target(change.target.registry).manifest(change.target.repository, digest)
    except RegistryError as error:
        if may_lack and error.status == 404:
            return None  # of an index, platforms may have been left out
        raise


def _holders(
    descriptor: Descriptor, change: Change, plan: Plan, stores: Stores, *, is_new: bool
) -> Iterator[tuple[Store, str]]:
    registry = change.target.registry
    if not is_new:
        yield stores.target(registry), change.target.repository
        return
    for place in plan.holders(registry, descriptor.digest)[:1]:
        yield stores.target(registry), place.repository
    yield stores.source(change.source.registry), change.source.repository


def _read(store: Store, repository: str, descriptor: Descriptor) -> bytes:
    with store.open_blob(repository, descriptor.digest) as chunks:
        stream = VerifiedStream(chunks, descriptor.digest, descriptor.size, store.name)
        return b"".join(map(bytes, stream))


def _json(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RegistryError("the configuration is no JSON") from error
    if not isinstance(found, dict):
        raise RegistryError("the configuration is no JSON object")
    return found
