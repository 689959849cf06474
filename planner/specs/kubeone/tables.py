"""The packaged tables (``releases.json``): what each KubeOne release and each kubeadm deploys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from planner.core.errors import UsageError
from planner.core.refs import ImageRef, parse_image
from planner.core.text import closest
from planner.specs.kubeone.semver import Version, parse_version, satisfies

KUBERNETES_REGISTRY = "registry.k8s.io"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
KUBE_PROXY = "kube-proxy"
BASE, OPTIONAL, CONTROL_PLANE_GROUP = "base", "optional", "control-plane"
GROUPS = (BASE, OPTIONAL, CONTROL_PLANE_GROUP)

Components = Mapping[str, str | Mapping[str, str]]


class Release(NamedTuple):
    """One KubeOne release. ``groups`` are those of its table: each maps a component to its image, or to images by constraint.

    ``kubernetes`` is the first and the last minor that it accepts. ``beside`` are components that an addon of the release
    deploys, though its table does not know them.
    """

    name: str
    kubernetes: tuple[str, str]
    pause: Mapping[str, str]
    groups: Mapping[str, Components]
    beside: Components
    literal: Mapping[str, tuple[str, ...]]
    absent: frozenset[str]

    def accepts(self, version: Version) -> bool:
        """Whether this release validates a manifest with this Kubernetes version."""
        first, last = map(parse_version, self.kubernetes)
        if not first or not last or version.pre:
            return False
        return first[:2] <= version[:2] <= last[:2]

    @property
    def images(self) -> Components:
        """All components."""
        return {**self.groups[BASE], **self.groups[OPTIONAL], **self.beside}

    def group(self, component: str) -> str:
        """The group to which KubeOne counts a component; those that stand beside the table are optional, too."""
        return BASE if component in self.groups[BASE] else OPTIONAL

    def image(self, component: str, version: Version) -> ImageRef | None:
        """The image of a component; None when there is none for this version."""
        entry = self.images.get(component, {})
        table = {"*": entry} if isinstance(entry, str) else entry
        found = (text for constraint, text in table.items() if satisfies(version, constraint))
        text = next(found, "")
        return parse_image(text) if text else None

    def pause_tag(self, version: Version) -> str:
        """The tag that KubeOne pins for the sandbox of nodes that it manages over SSH."""
        found = (tag for constraint, tag in self.pause.items() if satisfies(version, constraint))
        return next(found)


class KubeadmTags(NamedTuple):
    """What kubeadm deploys; ``of`` is the Kubernetes patch whose tags these are."""

    of: str
    etcd: str
    coredns: str
    pause: str


def releases() -> Mapping[str, str]:
    """The packaged releases, newest first, and where each table was taken from."""
    return {name: entry["provenance"] for name, entry in _tables()["releases"].items()}


def release_named(name: str) -> Release:
    """The release ``v1.14.2``, also as ``1.14.2`` or ``1.14``.

    Raises:
        UsageError: it is not packaged.
    """
    wanted = f"v{name.removeprefix('v')}"
    for known in releases():
        if known == wanted or known.startswith(f"{wanted}."):
            return _release(known)
    near = closest(wanted, releases())
    guess = f"did you mean {near}? " if near else ""
    raise UsageError(
        f"no image table is packaged for KubeOne {name}",
        f"{guess}packaged: {', '.join(releases())}; or give a list with --images FILE",
    )


def newest_release(versions: Iterable[Version] = ()) -> Release:
    """The newest release that accepts all these Kubernetes versions, or the newest of all when none does."""
    wanted = tuple(versions)
    known = [_release(name) for name in releases()]
    fitting = (each for each in known if wanted and all(map(each.accepts, wanted)))
    return next(fitting, known[0])


def components(addon: str) -> tuple[str, ...]:
    """The components of the image table that a built-in addon uses; none when there is no such addon."""
    return tuple(_tables()["addons"].get(addon, ()))


def addon_names() -> frozenset[str]:
    """The built-in addons."""
    return frozenset(_tables()["addons"])


def kubeadm_tags(version: Version) -> KubeadmTags | None:
    """The tags of kubeadm for a version, or for the nearest packaged patch (at or below it, if any); None for other minors."""
    table: Mapping[str, Mapping[str, str]] = _tables()["kubeadm"]
    patches = [each for each in table if each.startswith(f"{version.series}.")]
    if not patches:
        return None
    below = [each for each in patches if _patch(each) <= version.patch]
    nearest = max(below, key=_patch) if below else min(patches, key=_patch)
    return KubeadmTags(nearest, **table[nearest])


@cache
def deployed_names() -> frozenset[str]:
    """Registry and repository of everything that any packaged release or kubeadm deploys by way of its table."""
    kubernetes = (*CONTROL_PLANE, KUBE_PROXY, "etcd", "pause", "coredns/coredns")
    names = {f"{KUBERNETES_REGISTRY}/{each}" for each in kubernetes}
    return frozenset(names | {parse_image(text).name for text in _all_images()})


@cache
def deployed_images() -> frozenset[ImageRef]:
    """The images of all packaged tables, with their tags."""
    return frozenset(map(parse_image, _all_images()))


def _all_images() -> Iterator[str]:
    for name in releases():
        for entry in _release(name).images.values():
            yield from [entry] if isinstance(entry, str) else entry.values()


def _patch(version: str) -> int:
    return int(version.rpartition(".")[2])


@cache
def _release(name: str) -> Release:
    entry = _tables()["releases"][name]
    first, last = entry["kubernetes"]
    return Release(
        name,
        (first, last),
        entry["pause"],
        {BASE: entry["base"], OPTIONAL: entry["optional"]},
        entry.get("beside", {}),
        {addon: tuple(images) for addon, images in entry["literal"].items()},
        frozenset(entry["absent"]),
    )


@cache
def _tables() -> dict[str, Any]:
    text = Path(__file__).with_name("releases.json").read_text("utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables
