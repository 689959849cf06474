"""What a spec family provides, and what it is asked for.

A family is one folder under ``planner/specs`` and its schema under ``schemas/``; it is a value, not a class to inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from planner.core.document import ABSENT, Node, Spec
from planner.core.gourl import parse_url
from planner.core.lint import Layer, Rule
from planner.core.refs import ImageRef
from planner.core.resolution import Attempt, Resolution, with_port

if TYPE_CHECKING:  # lint does without
    from planner.core.mirror_map import MirrorMap, Written

ArtifactKind = Literal["image", "chart", "artifact"]
Consumer = Literal["kubelet", "helm", "eks-anywhere", "palette"]
Choice = Literal["groups", "kubernetes_versions", "packages", "packs"]


class Because(NamedTuple):
    """Why something is needed: a place in a file (line and column from 1; 0 for the file as a whole) and a reason.

    ``cluster`` is the name of the cluster that it is needed for, empty before it is known.
    """

    file: str
    line: int
    column: int
    text: str
    cluster: str = ""

    @property
    def reason(self) -> str:
        """The reason, with the cluster before it."""
        return f"{self.cluster}: {self.text}" if self.cluster else self.text


class ListedImage(NamedTuple):
    """An image that stands in a list file given by the user."""

    image: ImageRef
    because: Because


class ListedPack(NamedTuple):
    """A pack of Palette that stands in a list file given by the user."""

    name: str
    tag: str
    because: Because


class NodeFlags(NamedTuple):
    """Flags of the K3s/RKE2 agent that change where a node looks. Empty means: not set.

    ``release`` is what runs on the node; empty means the newest.
    """

    disable_default_endpoint: bool = False
    embedded_registry: str = ""
    system_default_registry: str = ""
    release: str = ""


class Manifests(NamedTuple):
    """The manifest of a release, and ``referred``, which reads a manifest that stands in it as a URL.

    ``referred`` raises InputError when it cannot be had.
    """

    manifest: Spec
    referred: Callable[[str], Spec]


class Selection(NamedTuple):
    """Which images, besides what the spec itself says: a release by name, lists, a release's manifest.

    ``everything`` asks for all that the release brings, whether this cluster uses it or not. ``groups`` are those of the
    release's images that are wanted (empty: what the family takes by default), ``kubernetes_versions`` stand in place of the
    one that the spec names. ``packages`` are lists of further packages for the cluster. ``packs`` are Palette's, which their
    makers publish below ``packs_from``, ``REGISTRY/BASE``.
    """

    release: str = ""
    images: tuple[ListedImage, ...] = ()
    flags: NodeFlags = NodeFlags()
    bundle: Manifests | None = None
    everything: bool = False
    groups: tuple[str, ...] = ()
    kubernetes_versions: tuple[str, ...] = ()
    packages: tuple[Spec, ...] = ()
    packs: tuple[ListedPack, ...] = ()
    packs_from: str = ""


class Need(NamedTuple):
    """One artifact that must exist, as one consumer asks for it.

    ``source`` is where its makers publish it. A source that is asked for under two names makes two needs. ``consumer`` is who
    fails when it is not there. ``platforms`` are those that the cluster's nodes have, as ``core.platforms`` writes them; none:
    all that there are.
    """

    source: ImageRef
    resolution: Resolution
    because: tuple[Because, ...]
    kind: ArtifactKind = "image"
    consumer: Consumer = "kubelet"
    platforms: tuple[str, ...] = ()

    @property
    def home(self) -> Attempt | None:
        """The first URL that a node tries, when it is not the artifact's own registry."""
        first = self.resolution.first
        return first if first and first.registry != self.source.registry else None

    @property
    def target(self) -> ImageRef | None:
        """The name under which it must exist on the private registry; None when the spec redirects nothing there."""
        return self.home.target if self.home else None


class Trust(NamedTuple):
    """How a spec lets its nodes reach one registry: ``node`` says so.

    ``host`` is host[:port], the port left out where it is the scheme's own. ``ca`` is the certificate itself (PEM), empty
    when the spec gives none or only a path on the node; the system's own tools then take it from the file that the environment
    names in ``ca_variable``. ``has_login``: those tools log in there as REGISTRY_USERNAME, with REGISTRY_PASSWORD.
    """

    host: str
    node: Node
    is_tls: bool = True
    is_verified: bool = True
    ca: str = ""
    ca_variable: str = ""
    has_login: bool = False

    @property
    def address(self) -> str:
        """``host:port``, always with its port."""
        return with_port(self.host, is_tls=self.is_tls)


def trust(url: str, node: Node, *, is_verified: bool, ca: str = "") -> Trust:
    """The same for ``scheme://host[:port]/…``; its host is empty for what is no URL."""
    parts = parse_url(url)
    is_tls = parts is None or parts.scheme != "http"
    host = parts.host.removesuffix(":443" if is_tls else ":80").lower() if parts else ""
    return Trust(host, node, is_tls, is_verified, ca if is_tls and is_verified else "")


def _no_trusts(_: Spec) -> Iterable[Trust]:
    return ()


def _as_it_is(spec: Spec) -> Spec:
    return spec


def _no_node(_: Spec) -> Node:
    return ABSENT


class Images(NamedTuple):
    """What a family knows about images: which ones a cluster needs, and where its nodes look for them.

    ``releases`` maps the packaged releases to where their lists come from, newest first. ``render`` maps relative file names
    to the node configuration that the system generates. ``resolve`` takes the image as it stands in a pod. ``trusts`` are the
    registries that the spec sends nodes to,
    ``mirror_map`` is the node of the spec that redirects images (absent when nothing does). ``choices`` are the fields of a
    ``Selection`` that not every family understands, and this one does. ``read_map`` is what a spec says about mirrors, in no
    dialect, and ``write_map`` says such a map in the words of the family.
    """

    releases: Callable[[], Mapping[str, str]]
    needs: Callable[[Spec, Selection], Iterable[Need]]
    resolve: Callable[[Spec, str, NodeFlags], Resolution]
    render: Callable[[Spec, NodeFlags], Mapping[str, str]]
    read_map: Callable[[Spec], MirrorMap]
    write_map: Callable[[MirrorMap], Written]
    trusts: Callable[[Spec], Iterable[Trust]] = _no_trusts
    mirror_map: Callable[[Spec], Node] = _no_node
    choices: frozenset[Choice] = frozenset()


class Family(NamedTuple):
    """One dialect in which clusters are described.

    ``matches`` tells a file of this family by its name and content. ``layers`` are the documents that the system reads, with
    how their structure is judged. ``images`` is a function, since lint needs nothing of what it loads. ``as_read`` is for a
    format that is not YAML: it makes a tree of the file's text.
    """

    name: str
    title: str
    layers: Callable[[Spec], Sequence[Layer]]
    matches: Callable[[Spec], bool]
    rules: tuple[Rule, ...]
    images: Callable[[], Images]
    as_read: Callable[[Spec], Spec] = _as_it_is


def because(spec: Spec, node: Node, text: str) -> Because:
    """The reason ``text``, at the place of ``node``."""
    if not node:
        return Because(spec.file, 0, 0, text)
    return Because(spec.file, node.place.line, node.place.column, text)
