"""What a spec family provides, and what it is asked for.

A family is one folder under ``planner/specs`` and its schema under ``schemas/``; it is a value, not a class to inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from planner.core.document import ABSENT, Node, Spec
from planner.core.lint import Layer, Rule
from planner.core.refs import ImageRef
from planner.core.resolution import Attempt, Resolution

ArtifactKind = Literal["image", "chart", "artifact"]


class Because(NamedTuple):
    """Why something is needed: a place in a file (line and column from 1; 0 for the file as a whole) and a reason."""

    file: str
    line: int
    column: int
    text: str


class ListedImage(NamedTuple):
    """An image that stands in a list file given by the user."""

    image: ImageRef
    because: Because


@dataclass(frozen=True, slots=True)
class NodeFlags:
    """Flags of the K3s/RKE2 agent that change where a node looks. Empty means: not set."""

    disable_default_endpoint: bool = False
    embedded_registry: str = ""
    system_default_registry: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images, besides what the spec itself says: a release by name, and lists."""

    release: str = ""
    images: tuple[ListedImage, ...] = ()
    flags: NodeFlags = NodeFlags()


@dataclass(frozen=True, slots=True)
class Need:
    """One artifact that must exist, as one consumer asks for it.

    ``source`` is where its makers publish it. A source that is asked for under two names makes two needs.
    """

    source: ImageRef
    resolution: Resolution
    because: tuple[Because, ...]
    kind: ArtifactKind = "image"

    @property
    def home(self) -> Attempt | None:
        """The first URL that a node tries, when it is not the artifact's own registry."""
        first = self.resolution.first
        return first if first and first.registry != self.source.registry else None

    @property
    def target(self) -> ImageRef | None:
        """The name under which it must exist on the private registry; None when the spec redirects nothing there."""
        return self.home.target if self.home else None


def _no_trusts(_: Spec) -> Iterable[Trust]:
    return ()


def _no_node(_: Spec) -> Node:
    return ABSENT


class Trust(NamedTuple):
    """How a spec lets its nodes reach one registry: ``node`` says so.

    ``host`` is host[:port], the port left out where it is the scheme's own. ``ca`` is the certificate itself (PEM), empty
    when the spec gives none or only a path on the node.
    """

    host: str
    node: Node
    is_tls: bool = True
    is_verified: bool = True
    ca: str = ""


def trust(url: str, node: Node, *, is_verified: bool, ca: str = "") -> Trust:
    """The same for ``scheme://host[:port]/…``."""
    parts = urlsplit(url)
    is_tls = parts.scheme != "http"
    host = parts.netloc.rpartition("@")[2].removesuffix(":443" if is_tls else ":80").lower()
    return Trust(host, node, is_tls, is_verified, ca if is_tls and is_verified else "")


@dataclass(frozen=True, slots=True)
class Family:
    """One dialect in which clusters are described.

    ``matches`` tells a file of this family by its name and content. ``layers`` are the documents that the system reads, with
    how their structure is judged. ``releases`` maps the packaged releases to where their
    lists come from, newest first. ``render`` maps relative file names to the node configuration that the system generates.
    ``trusts`` are the registries that the spec sends nodes to, ``mirror_map`` is the node of the spec that redirects images
    (absent when nothing does).
    """

    name: str
    title: str
    layers: Callable[[Spec], Sequence[Layer]]
    matches: Callable[[Spec], bool]
    rules: tuple[Rule, ...]
    releases: Callable[[], Mapping[str, str]]
    needs: Callable[[Spec, Selection], Iterable[Need]]
    resolve: Callable[[Spec, ImageRef, NodeFlags], Resolution]
    render: Callable[[Spec, NodeFlags], Mapping[str, str]]
    trusts: Callable[[Spec], Iterable[Trust]] = _no_trusts
    mirror_map: Callable[[Spec], Node] = _no_node


def because(spec: Spec, node: Node, text: str) -> Because:
    """The reason ``text``, at the place of ``node``."""
    if not node:
        return Because(spec.file, 0, 0, text)
    return Because(spec.file, node.place.line, node.place.column, text)
