"""How a node looks for an image: what rewriting makes of its name, and the URLs in the order in which they are tried."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import quote, urlsplit

from planner.core.refs import DOCKER_HUB, ImageRef, name_problem

RewrittenBy = Literal["imageswap", "eks-anywhere", "kubeone", "system-default-registry"]
_API = "/v2"
_KEPT = 256


class Rewrite(NamedTuple):
    """``by`` made ``image`` of the text that came in. It is a text, too: not every rewriting yields a valid name.

    Empty when ``by`` fails on it; then the pod is refused.
    """

    by: RewrittenBy
    image: str


class Attempt(NamedTuple):
    """One try of the node: ``endpoint`` is the API root with its scheme, ``repository`` stands as it is sent.

    ``namespace`` is the registry that the image names. ``default`` marks the image's own registry, ``auth`` whether the
    spec configures credentials for the host.
    """

    endpoint: str
    repository: str
    reference: str
    namespace: str
    default: bool = False
    override_path: bool = False
    skip_verify: bool = False
    auth: bool = False

    @property
    def host(self) -> str:
        """``host[:port]`` of the endpoint."""
        return _host(self.endpoint)

    @property
    def registry(self) -> str:
        """The registry that this host serves: Docker Hub's API host is ``docker.io``."""
        return DOCKER_HUB if self.host in _HUB_HOSTS else self.host

    @property
    def url(self) -> str:
        """What containerd asks for first.

        Source: containerd core/remotes/docker/registry.go ``isProxy`` (the ``ns`` parameter), resolver.go (the path
        is cleaned by ``path.Join``).
        """
        path = _clean(
            f"{urlsplit(self.endpoint).path}/{self.repository}/manifests/{self.reference}"
        )
        scheme = urlsplit(self.endpoint).scheme
        return f"{scheme}://{self.host}{path}{self._proxied_for()}"

    @property
    def target(self) -> ImageRef | None:
        """The name under which this URL's content stands on that registry.

        None when no registry can serve the URL: no host, no ``/v2`` at the front, or no valid name behind it.
        """
        path = _clean(f"{urlsplit(self.endpoint).path}/{self.repository}")
        repository = path.removeprefix(f"{_API}/")
        if repository == path or not self.host or name_problem(self.registry, repository):
            return None
        tag, digest = ("", self.reference) if ":" in self.reference else (self.reference, "")
        return ImageRef(self.registry, repository, tag, digest)

    def _proxied_for(self) -> str:
        if self.registry == self.namespace:
            return ""
        return f"?ns={quote(self.namespace, safe='')}"


class Resolution(NamedTuple):
    """The node's view of one image."""

    image: ImageRef
    attempts: tuple[Attempt, ...]
    rewrites: tuple[Rewrite, ...] = ()

    @property
    def first(self) -> Attempt | None:
        """Where the node looks first, and where the content should therefore be."""
        return self.attempts[0] if self.attempts else None


@lru_cache(maxsize=_KEPT)
def _host(endpoint: str) -> str:
    """Few endpoints serve many images, and everybody asks for their host."""
    return urlsplit(endpoint).netloc.rpartition("@")[2]


_HUB_HOSTS = frozenset({"registry-1.docker.io", "index.docker.io", DOCKER_HUB})


def default_endpoint(registry: str) -> str:
    """The API root that containerd uses for a registry without configuration.

    Source: containerd core/remotes/docker/config/hosts.go:102-125: loopback hosts with a port other than 443 are asked
    over http.
    """
    host = "registry-1.docker.io" if registry == DOCKER_HUB else registry
    return f"{default_scheme(host)}://{host}{_API}"


def default_scheme(host: str) -> str:
    """``http`` for a loopback host with a port other than 443, else ``https``."""
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        return "https"
    return "http" if is_loopback(name) and port != "443" else "https"


def with_port(host: str, *, is_tls: bool) -> str:
    """``host[:port]`` in lower case, with the scheme's port when it names none."""
    name = host.lower()
    has_port = ":" in name.rpartition("]")[2]
    return name if has_port else f"{name}:{443 if is_tls else 80}"


def is_loopback(name: str) -> bool:
    """Whether a host name without port is this machine."""
    return name in ("localhost", "[::1]", "::1") or name.startswith("127.")


def _clean(path: str) -> str:
    """What Go's ``path.Clean`` makes of a path without dots: no empty components."""
    return "/" + "/".join(filter(None, path.split("/")))
