"""Where nodes look that have no hosts.toml: K3s and RKE2 before 2024 write mirrors into containerd's config.toml.

Source: containerd v1.6 docs/cri/registry.md:13-112 and internal/cri/server/images/image_pull.go:601-654
(``registryEndpoints``); for ``rewrite``, which reaches the registry itself as well, k3s-io/k3s#7007.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.containerd import Rewriter
from planner.core.document import Node, Spec
from planner.core.gourl import parse_url
from planner.core.refs import ImageRef
from planner.core.resolution import Attempt, default_endpoint, default_scheme
from planner.specs.k3s.registries import WILDCARD, configs, hosts_with_auth, mirrors, rewrites


def old_attempts(spec: Spec, image: ImageRef, rewriter: Rewriter | None) -> tuple[Attempt, ...]:
    """The requests for ``image`` in order; without ``rewriter``, the release knows no rewrites."""
    known = mirrors(spec)
    mirror = known.get(image.registry) or known.get(WILDCARD)
    repository = image.repository
    if mirror and rewriter:
        repository = rewriter(dict(rewrites(mirror)), repository)
    credentials = frozenset(hosts_with_auth(spec))
    return tuple(
        attempt._replace(
            repository=repository,
            auth=attempt.host in credentials,
            skip_verify=_skips_verification(spec, attempt.host),
        )
        for attempt in _tried(mirror, image)
    )


def _tried(mirror: Node | None, image: ImageRef) -> Iterator[Attempt]:
    """The endpoints as written, then the registry itself, unless an endpoint is that."""
    own = default_endpoint(image.registry)
    hosts = set()
    for node in mirror.get("endpoint").items if mirror else ():
        if root := _api_root(node.string()):
            attempt = Attempt(root, image.repository, image.reference, image.registry)
            hosts.add(attempt.host)
            yield attempt
    if image.registry not in hosts:
        yield Attempt(own, image.repository, image.reference, image.registry, default=True)


def _api_root(text: str) -> str:
    """An endpoint with a scheme and a path; a path is taken as written. Empty for what is no URL."""
    url = parse_url(text if "://" in text else f"//{text}")
    if url is None or not url.host:
        return ""
    return f"{url.scheme or default_scheme(url.host)}://{url.host}{url.path.rstrip('/') or '/v2'}"


def _skips_verification(spec: Spec, host: str) -> bool:
    config = configs(spec).get(host)
    return config is not None and config.get("tls", "insecure_skip_verify").is_true()
