"""What a mirror map says, whichever dialect it is written in: where the images of each registry are looked for.

A family reads its specs into a ``MirrorMap`` and writes one in its own words. What a dialect cannot say is a ``Loss``,
never silence. Secrets are not part of the map, only that there are some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from planner.core.document import ABSENT, Node
from planner.core.refs import DOCKER_HUB, looks_like_registry, name_problem
from planner.core.resolution import Attempt, default_endpoint

ANY = "*"
API = "/v2"
PROBE = "planner/probe"  # a repository that no rule of any dialect is about
ELSEWHERE = "planner.invalid"  # a registry that nobody configures
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
_WHOLE = frozenset({"(.*)", "(.+)"})
_BELOW = re.compile(r"([a-z0-9._/-]*[a-z0-9])/(?:\$1|\$\{1\})")


class Target(NamedTuple):
    """One place that is asked. ``root`` is the path of its API, ``/v2`` unless a folder or another API is meant."""

    scheme: str
    host: str
    root: str = API

    @property
    def url(self) -> str:
        """The root of the API in full."""
        return f"{self.scheme}://{self.host}{self.root}"

    @property
    def address(self) -> str:
        """The same without ``/v2`` where that is all of the path."""
        return self.url.removesuffix(API) if self.root == API else self.url

    @property
    def folder(self) -> str | None:
        """The folder on the registry, empty for its root; None where the API itself is at another place."""
        if f"{self.root}/".startswith(f"{API}/"):
            return self.root.removeprefix(API).strip("/")
        return None

    @property
    def name(self) -> str:
        """What stands before a repository in the name of an image: host and folder."""
        return f"{self.host}/{self.folder}" if self.folder else self.host

    @property
    def is_api(self) -> bool:
        """Whether a registry can answer there."""
        return API.strip("/") in self.root.split("/")


class Entry(NamedTuple):
    """Where images of ``source`` (``*``: of every other registry) are looked for, in this order, before the registry itself.

    Without ``targets``, ``*`` does not hold for this registry. ``rewrites`` are patterns of Go with what replaces them, for
    the names of repositories; those that only put a folder in front are part of the targets instead.
    """

    source: str
    targets: tuple[Target, ...]
    rewrites: tuple[tuple[str, str], ...] = ()
    node: Node = ABSENT


class Access(NamedTuple):
    """How a host is reached. ``ca`` is a certificate (PEM), ``ca_file`` the path of one on each node."""

    host: str
    node: Node = ABSENT
    is_verified: bool = True
    ca: str = ""
    ca_file: str = ""
    client: tuple[str, str] = ("", "")
    has_credentials: bool = False


class Loss(NamedTuple):
    """Something that the other system does otherwise, and what: ``about`` is a registry, a host, or empty for the whole.

    ``by_hand`` says that the meaning can be kept, by what a person has to do.
    """

    about: str
    text: str
    node: Node = ABSENT
    by_hand: bool = False


class MirrorMap(NamedTuple):
    """A whole map. ``losses`` are what its own dialect says and no other could.

    ``falls_back`` says whether the registry itself is asked last. ``completes_names`` says whether ``nginx`` is looked for as
    ``library/nginx``, as containerd does.
    """

    entries: tuple[Entry, ...] = ()
    access: tuple[Access, ...] = ()
    losses: tuple[Loss, ...] = ()
    falls_back: bool = True
    completes_names: bool = True

    @property
    def any_other(self) -> Entry | None:
        """The entry for every registry that has none."""
        return next((each for each in self.entries if each.source == ANY and each.targets), None)

    @property
    def hub(self) -> Entry | None:
        """The entry that holds for Docker Hub, its own or the one for all others."""
        own = next((each for each in self.entries if each.source == DOCKER_HUB), None)
        found = own or self.any_other
        return found if found and found.targets else None

    def access_to(self, host: str) -> Access:
        """How ``host`` is reached."""
        return next((each for each in self.access if each.host == host), Access(host))


class Written(NamedTuple):
    """A map in a dialect: the document (a mapping, or the text of a format that is not YAML) and what it does not say."""

    document: Mapping[str, Any] | str
    losses: tuple[Loss, ...]


def source_problem(source: str) -> str:
    """Why no image is ever of this registry; empty when some can be."""
    if source == ANY:
        return ""
    if name_problem(source, PROBE) or not looks_like_registry(source):
        return "no image is of a registry with this name"
    return "containerd calls it docker.io" if source == "index.docker.io" else ""


def target(scheme: str, host: str, root: str) -> Target:
    """A place, written in one way only: no port that goes without saying, no slash too many, and no credentials."""
    path = "/".join(filter(None, root.split("/")))
    bare = host.rpartition("@")[2].removesuffix(_DEFAULT_PORTS.get(scheme, ""))
    return Target(scheme, bare, f"/{path}")


def targets_of(source: str, attempts: Iterable[Attempt]) -> tuple[Target, ...]:
    """The places that a node asks, as far as they are not the registry itself, which is asked last anyway."""
    found = [
        target(scheme, host, root)
        for each in attempts
        if not each.default
        for scheme, host, root in (_taken_apart(each.endpoint),)
    ]
    while found and found[-1].url == default_endpoint(source):
        del found[-1]
    return tuple(dict.fromkeys(found))


def read_entry(
    source: str, targets: Sequence[Target], node: Node, rewrites: Sequence[tuple[str, str]] = ()
) -> tuple[Entry, tuple[Loss, ...]]:
    """An entry in its simplest form, with places where no registry answers put right."""
    folder = _folder_of(rewrites)
    losses = tuple(
        Loss(
            source,
            f"nodes ask {each.host} without {API}, where no registry answers; written with it",
            node,
        )
        for each in targets
        if not each.is_api
    )
    sound = (each if each.is_api else each._replace(root=f"{API}{each.root}") for each in targets)
    placed = tuple(target(each.scheme, each.host, f"{each.root}/{folder}") for each in sound)
    return Entry(source, placed, () if folder else tuple(rewrites), node), losses


def normal_host(host: str, entries: Iterable[Entry]) -> str:
    """A host as the targets have it, for which a port may go without saying."""
    known = {each.host for entry in entries for each in entry.targets}
    host = host.rpartition("@")[2]
    bare = host.removesuffix(":443").removesuffix(":80")
    return bare if host not in known and bare in known else host


def losses_of_containerd(given: MirrorMap, system: str, remedy: str = "") -> Iterator[Loss]:
    """What containerd does otherwise than what the map says. ``remedy`` keeps it from asking the registry itself."""
    if not given.falls_back and given.entries:
        text = f"{system} asks the registry itself when the mirror has no such image, unlike before"
        yield Loss("", f"{text}; {remedy}" if remedy else text, by_hand=bool(remedy))
    if not given.completes_names and given.hub:
        where = given.hub.targets[0].name
        text = f"an image written without a folder (nginx) is looked for at {where}/library/nginx, before at {where}/nginx"
        yield Loss(DOCKER_HUB, text, given.hub.node)


def exempted(given: MirrorMap, host: str, because: str) -> Iterator[Loss]:
    """What it means that ``*`` does not hold for ``host`` any more, for the reason ``because``."""
    other = given.any_other
    if other and host not in {each.source for each in given.entries}:
        text = (
            f"images of this host itself are no longer sent to {other.targets[0].name}: {because}"
        )
        yield Loss(host, text, other.node)


def rewrites_loss(entry: Entry, system: str) -> Loss:
    """The entry is left out, because its patterns cannot be said."""
    patterns = ", ".join(pattern for pattern, _ in entry.rewrites)
    text = f"{system} cannot rewrite names by patterns ({patterns}): left out, so nodes ask the registry itself"
    return Loss(entry.source, text, entry.node)


def further_loss(entry: Entry, system: str) -> Loss:
    """Only the first place is kept."""
    others = ", ".join(each.address for each in entry.targets[1:])
    return Loss(
        entry.source,
        f"{system} knows one place for a registry: {others} is not asked any more",
        entry.node,
    )


def _taken_apart(endpoint: str) -> tuple[str, str, str]:
    scheme, _, rest = endpoint.partition("://")
    host, _, path = rest.partition("/")
    return scheme, host, path


def _folder_of(rewrites: Sequence[tuple[str, str]]) -> str:
    """The folder that rewriting puts in front of every name; empty when that is not all that it does."""
    if len(rewrites) != 1:
        return ""
    pattern, replacement = rewrites[0]
    match = _BELOW.fullmatch(replacement)
    is_whole = pattern.removeprefix("^").removesuffix("$") in _WHOLE
    return match[1] if match and is_whole else ""
