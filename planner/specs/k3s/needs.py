"""Which images a K3s or RKE2 cluster needs: the list of its release, or a list that the user gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from planner.core.document import Spec
from planner.core.errors import UsageError
from planner.core.family import Because, ListedImage, Need, Selection, because
from planner.core.refs import parse_image
from planner.specs.k3s.registries import WILDCARD, mirrors
from planner.specs.k3s.render import resolve

_LISTS = ("k3s.json", "rke2.json")
_SHOWN = 6
_NEAR = 3
# What an installation runs that chooses nothing: canal is RKE2's network. The lists of K3s and of the first RKE2 releases are
# not divided ("images"), and one release keeps its runtime apart.
_UNDIVIDED = ("images", "runtime")
_BY_DEFAULT = (*_UNDIVIDED, "core", "canal")
_VERSION = re.compile(
    r"(?P<series>[0-9]+\.[0-9]+)(?:\.(?P<patch>[0-9]+))?(?:\+(?P<product>k3s|rke2))?"
)


def releases() -> Mapping[str, str]:
    """The packaged releases, newest first, and where each list was taken from."""
    return {name: entry["provenance"] for name, entry in _releases().items()}


def needs(spec: Spec, selection: Selection) -> Iterator[Need]:
    """Every image of the release and of the given lists, as the nodes of this spec will look for it.

    Of a release that is divided into groups, those of an installation that chooses nothing are taken, or the wanted ones, or
    with ``everything`` all. The embedded registry is left out: it shares what some node has already, so nothing can be put
    there.

    Raises:
        UsageError: neither a release nor a list was given, the release is not packaged and there is no list in its place, or
            it has no such group.
    """
    if not selection.release and not selection.images:
        raise UsageError(
            f"{spec.file}: registries.yaml does not say which images the cluster runs",
            "give its release (--release v1.35.0+k3s1) or a list (--images k3s-images.txt); both may stand in planner.yaml",
        )
    flags = selection.flags._replace(embedded_registry="", release=selection.release)
    for listed in (*_packaged(selection), *selection.images):
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


def _packaged(selection: Selection) -> Iterator[ListedImage]:
    release, known = selection.release, _releases()
    if not release or (release not in known and selection.images):
        return
    if release not in known:
        raise UsageError(
            f"no image list is packaged for release {release!r}",
            f"{_guess(release, list(known))}give its list with --images FILE, as the release publishes it",
        )
    groups: dict[str, list[str]] = known[release]["groups"]
    for group in _wanted_groups(selection, groups):
        reason = Because(f"release {release}", 0, 0, _reason(selection, group))
        for text in groups[group]:
            yield ListedImage(parse_image(text), reason)


def _wanted_groups(selection: Selection, groups: Mapping[str, object]) -> Iterable[str]:
    for group in selection.groups:
        if group not in groups:
            is_divided = not all(each in _UNDIVIDED for each in groups)
            raise UsageError(
                f"release {selection.release} has no group {group!r} of images",
                f"its groups are {', '.join(groups)}" if is_divided else "its list is not divided",
            )
    if selection.groups or selection.everything:
        return selection.groups or groups
    return (group for group in _BY_DEFAULT if group in groups)


def _reason(selection: Selection, group: str) -> str:
    text = f"image list of {selection.release}"
    if group in _UNDIVIDED:
        return text
    is_chosen = selection.groups or selection.everything
    return f"{text}, group {group}{'' if is_chosen else ' (by default; --filter chooses)'}"


def _guess(release: str, known: list[str]) -> str:
    """Which packaged releases may be meant: the nearest patches of the same minor, or else the newest."""
    wanted = _VERSION.search(release)
    siblings = [each for each in known if wanted and _is_sibling(each, wanted)]
    siblings.sort(key=lambda each: abs(_patch(each) - _patch(release)))
    if siblings:
        return f"packaged near it: {', '.join(siblings[:_NEAR])}; "
    return f"packaged: {', '.join(known[:_SHOWN])}, …; "


def _is_sibling(release: str, wanted: re.Match[str]) -> bool:
    found = _VERSION.search(release)
    product = wanted["product"] or ""
    return bool(found and found["series"] == wanted["series"] and product in release)


def _patch(release: str) -> int:
    found = _VERSION.search(release)
    return int(found["patch"] or 0) if found else 0


@cache
def _releases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in _LISTS:
        found |= json.loads(Path(__file__).with_name(name).read_text("utf-8"))["releases"]
    return found
