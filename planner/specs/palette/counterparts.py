"""The settings of one registry in several files: which belong together, and what counts as the same.

Both charts and the Secret describe one registry. Several clusters may share a folder: of each kind of file, the one that is
most like the given one is its counterpart. A block with nothing but empty texts is one that is not used, and has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from planner.core.document import Spec
from planner.core.lint import Peer, Related
from planner.specs.palette.documents import config
from planner.specs.palette.mirrors import plain_target
from planner.specs.palette.placeholders import placeholder
from planner.specs.palette.settings import Setting, Settings, settings_of

_FAMILY = "palette"
_OF_PALETTE_CHART = ("ociPackRegistry", "ociPackEcrRegistry", "scar", "installationMode")


@dataclass(frozen=True, slots=True)
class Pair:
    """Settings of the given file, and those of another file that should be the same."""

    own: Settings
    other: Settings
    spec: Spec
    peer: Peer

    @property
    def file(self) -> str:
        """Name of the other file."""
        return PurePath(self.peer.spec.file).name

    def there(self, setting: Setting) -> tuple[Related, ...]:
        """The place of a setting in the other file."""
        node = setting.node or self.other.home
        return (self.peer.related(node, f"{setting.name} in {self.file}"),)


def pairs(spec: Spec, peers: Sequence[Peer]) -> Iterator[Pair]:
    """Each registry block of the spec with its counterparts, one for each other role."""
    near = [
        peer for peer in (Peer(_FAMILY, spec), *peers) if peer.family == _FAMILY and peer.is_near
    ]
    others = [(peer, settings) for peer in near for settings in _used(peer.spec)]
    for own in _used(spec):
        by_role: dict[str, list[Pair]] = {}
        for peer, other in others:
            pair = Pair(own, other, spec, peer)
            by_role.setdefault(_role(peer.spec, other), []).append(pair)
        del by_role[_role(spec, own)]
        for alike in by_role.values():
            yield max(alike, key=_agreement)


def _used(spec: Spec) -> Iterator[Settings]:
    for settings in settings_of(spec):
        if any(each.text.strip() for each in settings if each is not settings.insecure):
            yield settings


def _role(spec: Spec, settings: Settings) -> str:
    """What reads the settings: the nodes, by the Secret, or one of the two charts that have the block."""
    if settings.place == "secret":
        return "secret"
    block = config(spec)
    return "palette" if any(block.get(key) for key in _OF_PALETTE_CHART) else "image-swap"


def _agreement(pair: Pair) -> int:
    same = (
        bare_endpoint(pair.own.endpoint.text) == bare_endpoint(pair.other.endpoint.text),
        bare_path(pair.own.base_path.text) == bare_path(pair.other.base_path.text),
        pair.own.username.text == pair.other.username.text,
        pair.own.mirrors.text == pair.other.mirrors.text,
    )
    return sum(same)


def are_comparable(*settings: Setting) -> bool:
    """Whether it is known what each of them holds; what is not, is reported by itself."""
    return all(each.is_readable and not placeholder(each.text) for each in settings)


def bare_endpoint(text: str) -> str:
    """``https://Harbor.example.org/`` → ``harbor.example.org``."""
    host, slash, path = plain_target(text.strip()).partition("/")
    return host.lower() + slash + path


def bare_path(text: str) -> str:
    """``/airgap-images/`` → ``airgap-images``."""
    return text.strip().strip("/")
