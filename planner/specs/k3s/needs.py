"""Which images a K3s or RKE2 cluster needs: the list of its release, or a list that the user gives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from planner.core.document import Spec
from planner.core.errors import UsageError
from planner.core.family import Because, ListedImage, Need, Selection, because
from planner.core.refs import parse_image
from planner.core.text import closest
from planner.specs.k3s.registries import WILDCARD, mirrors
from planner.specs.k3s.render import resolve

_LISTS = ("k3s.json", "rke2.json")
_SHOWN = 6


def releases() -> Mapping[str, str]:
    """The packaged releases, newest first, and where each list was taken from."""
    return {name: entry["provenance"] for name, entry in _releases().items()}


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Every image of the release and of the given lists, as the nodes of this spec will look for it.

    The embedded registry is left out: it shares what some node has already, so nothing can be put there.

    Raises:
        UsageError: neither a release nor a list was given, or the release is not packaged.
    """
    if not selection.release and not selection.images:
        raise UsageError(
            f"{spec.file}: registries.yaml does not say which images the cluster runs",
            "give its release (--release v1.35.0+k3s1) or a list (--images k3s-images.txt); both may stand in planner.yaml",
        )
    flags = selection.flags._replace(embedded_registry="")
    for listed in (*_packaged(selection.release), *selection.images):
        resolution = resolve(spec, str(listed.image), flags)
        yield Need(
            listed.image, resolution, (listed.because, *_redirection(spec, listed.image.registry))
        )


def _redirection(spec: Spec, registry: str) -> Iterator[Because]:
    """The entry of the spec that sends nodes elsewhere for a registry."""
    known = mirrors(spec)
    name = registry if registry in known else WILDCARD
    if name in known:
        yield because(spec, known[name], f"mirrored by the entry {name}")


def _packaged(release: str) -> Iterator[ListedImage]:
    if not release:
        return
    known = _releases()
    if release not in known:
        near = closest(release, known)
        guess = f"did you mean {near}? " if near else ""
        raise UsageError(
            f"no image list is packaged for release {release!r}",
            f"{guess}give its list with --images FILE; packaged: {', '.join(list(known)[:_SHOWN])}, …",
        )
    reason = Because(f"release {release}", 0, 0, f"image list of {release}")
    for text in known[release]["images"]:
        yield ListedImage(parse_image(text), reason)


@cache
def _releases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in _LISTS:
        found |= json.loads(Path(__file__).with_name(name).read_text("utf-8"))["releases"]
    return found
