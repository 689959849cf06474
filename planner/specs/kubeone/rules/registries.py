"""What containerd makes of the registries in a manifest."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.gourl import GoUrl, parse_url
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import renamed
from planner.core.refs import looks_like_registry, name_problem
from planner.specs.kubeone.manifest import cluster
from planner.specs.kubeone.registries import DEFAULT_KEY, WILDCARD, entries, host_of, registries

_API = "/v2"
_SCHEME = "://"


@rule("KUB044")
def default_registry_key(spec: Spec) -> Iterator[Hit]:
    """The registry key ``_default``.

    It is containerd's folder for all other registries; in a manifest this is written ``*``.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:475-478.

    Bad:
        containerRuntime:
          containerd:
            registries:
              _default: {mirrors: [https://mirror.example.com]}  # <- KUB044

    Good:
        containerRuntime:
          containerd:
            registries:
              "*": {mirrors: [https://mirror.example.com]}

    Fixed:
        containerRuntime:
          containerd:
            registries:
              "*": {mirrors: [https://mirror.example.com]}
    """
    known = dict(entries(cluster(spec)))
    for key, node in known.items():
        if key == DEFAULT_KEY:
            message = f"KubeOne refuses the key {DEFAULT_KEY}"
            fix = renamed(spec, node.key, WILDCARD, known)
            yield Hit(node, message, f'write "{WILDCARD}"', on_key=True, fix=fix)


@rule("KUB045")
def registry_host_twice(spec: Spec) -> Iterator[Hit]:
    """Two registry keys have the same host.

    containerd has one folder per host, so what stands before the first slash must differ. A scheme makes it worse: it is not
    recognised, and ``https:`` is the host of every key that begins with it.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:480-496.

    Bad:
        containerRuntime:
          containerd:
            registries:
              gitlab.com/a: {mirrors: [https://mirror.example.com]}
              gitlab.com/b: {mirrors: [https://mirror.example.com]}  # <- KUB045

    Good:
        containerRuntime:
          containerd:
            registries:
              gitlab.com: {mirrors: [https://mirror.example.com]}
    """
    first: dict[str, tuple[str, Node]] = {}
    for key, node in entries(cluster(spec)):
        host = host_of(key)
        if host in first:
            name, other = first[host]
            message = f"{key} and {name} have the same host for KubeOne: {host}"
            yield Hit(node, message, on_key=True, related=((other, "the first one"),))
        first.setdefault(host, (key, node))


@rule("KUB046", Severity.WARNING)
def registry_key_not_a_host(spec: Spec) -> Iterator[Hit]:
    """A registry key is more than a host.

    KubeOne takes what stands before the first slash for the host. With a scheme that is ``https:``, which no image names. With
    a path, the entry holds for the whole host, and the path makes the upstream's address wrong.

    Source: kubermatic/kubeone v1.14.2 pkg/containerruntime/containerd_config.go:287-373.

    Bad:
        containerRuntime:
          containerd:
            registries:
              https://quay.io: {mirrors: [https://mirror.example.com]}  # <- KUB046

    Good:
        containerRuntime:
          containerd:
            registries:
              quay.io: {mirrors: [https://mirror.example.com]}

    Fixed:
        containerRuntime:
          containerd:
            registries:
              quay.io: {mirrors: [https://mirror.example.com]}
    """
    known = dict(entries(cluster(spec)))
    for key, node in known.items():
        if _SCHEME in key:
            message = (
                f"{key!r}: KubeOne takes {host_of(key)!r} for the host, so the entry never applies"
            )
            url = parse_url(key)
            hint = f"write {url.host}" if url and url.host else "write HOST[:PORT]"
            fix = renamed(spec, node.key, url.host, known) if url and _is_address(url) else None
            yield Hit(node, message, hint, on_key=True, fix=fix)
        elif "/" in key:
            message = f"{key!r} holds for all of {host_of(key)}: containerd's folders have no paths"
            yield Hit(node, message, f"write {host_of(key)}", on_key=True)


@rule("KUB047", Severity.WARNING)
def lost_mirror_order(spec: Spec) -> Iterator[Hit]:
    """Mirrors are not asked in the order in which they are written.

    On nodes that KubeOne manages over SSH, the mirrors of a registry go through a map, which is written in alphabetical order.
    Dynamic workers keep the order, so the two kinds of nodes differ.

    Source: kubermatic/kubeone v1.14.2 pkg/containerruntime/containerd_config.go:287-373 (see the test data
    multi_registry_mirrors), pkg/apis/kubeone/helpers.go:127-198.

    Bad:
        containerRuntime:
          containerd:
            registries:
              quay.io:
                mirrors: [https://near.example.com, https://far.example.com]  # <- KUB047

    Good:
        containerRuntime:
          containerd:
            registries:
              quay.io:
                mirrors: [https://a.example.com, https://b.example.com]
    """
    for _, entry in entries(cluster(spec)):
        node = entry.get("mirrors")
        written = [each.string() for each in node.items]
        if written != sorted(written):
            yield Hit(
                node,
                f"nodes managed over SSH ask {min(written)} first: the order is alphabetical",
            )


@rule("KUB048", Severity.WARNING)
def mismatched_override_path(spec: Spec) -> Iterator[Hit]:
    """A mirror's path and overridePath do not fit together.

    Without overridePath, containerd puts ``/v2`` behind the path of a mirror, so a path that has ``/v2/`` in it is asked twice
    for it. With overridePath it puts nothing there, so the path must have it.

    Source: containerd 2.4 core/remotes/docker/config/hosts.go:431-448; kubermatic/kubeone #3569.

    Bad:
        containerRuntime:
          containerd:
            registries:
              docker.io:
                mirrors:
                  - https://harbor.example.com/v2/dockerhub  # <- KUB048

    Good:
        containerRuntime:
          containerd:
            registries:
              docker.io:
                mirrors:
                  - https://harbor.example.com/v2/dockerhub
                overridePath: true
    """
    for _, entry in entries(cluster(spec)):
        overrides = entry.get("overridePath").is_true()
        for node in entry.get("mirrors").items:
            problem = _path_problem(node.string(), overrides=overrides)
            if problem:
                yield Hit(node, problem, f"overridePath: {'false' if overrides else 'true'}")


def _is_address(url: GoUrl) -> bool:
    """Whether the host is all there is to a URL."""
    is_host = looks_like_registry(url.host) and not name_problem(url.host, "image")
    return is_host and url.path in ("", "/") and not (url.tail or url.user_info)


def _path_problem(mirror: str, *, overrides: bool) -> str:
    full = mirror if mirror.startswith("http") else f"https://{mirror}"
    url = parse_url(full)
    if url is None:
        return ""
    path = url.path
    if overrides and f"{_API}/" not in f"{path}/":
        return (
            f"with overridePath nothing puts {_API} behind {mirror}, and no registry answers there"
        )
    if not overrides and f"{_API}/" in path:
        return f"without overridePath, nodes ask {mirror}{_API}/…"
    return ""


@rule("KUB049", Severity.WARNING)
def registry_without_effect(spec: Spec) -> Iterator[Hit]:
    """A registry entry, or part of one, that changes nothing.

    An entry without mirrors, overridePath, TLS setting and credentials writes no file. Credentials under ``*`` reach the
    mirrors only on dynamic workers, not on nodes that KubeOne manages over SSH. A user name without a password, or the other
    way round, signs in nowhere.

    Source: kubermatic/kubeone v1.14.2 pkg/containerruntime/containerd_config.go:147-149,287-373,
    pkg/addons/applier.go:293-350.

    Bad:
        containerRuntime:
          containerd:
            registries:
              quay.io: {}  # <- KUB049

    Good:
        containerRuntime:
          containerd:
            registries:
              quay.io: {mirrors: [https://mirror.example.com]}
    """
    known = registries(cluster(spec))
    for key, node in entries(cluster(spec)):
        auth = node.get("auth")
        if not known[DEFAULT_KEY if key == WILDCARD else key].carries_something and auth.is_null():
            yield Hit(
                node,
                f"the entry {key} changes nothing",
                "give it mirrors, or remove it",
                on_key=True,
            )
        if key == WILDCARD and not auth.is_null():
            message = f'credentials under "{WILDCARD}" do not reach nodes that are managed over SSH'
            yield Hit(auth, message, "give each registry an entry of its own")
        if bool(auth.get("username").string()) != bool(auth.get("password").string()):
            yield Hit(auth, "user name and password go together: one of them is missing")


@rule("KUB050", Severity.INFO)
def password_in_manifest(spec: Spec) -> Iterator[Hit]:
    """Registry credentials stand in the manifest.

    Everybody who can read the repository can read them. The credentials file (``-c``) can hold them under ``registriesAuth``.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/config/config.go:309-313,420-462.

    Bad:
        containerRuntime:
          containerd:
            registries:
              quay.io:
                auth: {username: robot, password: secret}  # <- KUB050

    Good:
        containerRuntime:
          containerd:
            registries:
              quay.io:
                mirrors: [https://mirror.example.com]
    """
    for _, entry in entries(cluster(spec)):
        for key in ("password", "auth", "identityToken"):
            node = entry.get("auth", key)
            if node.string():
                yield Hit(
                    node,
                    "a credential in the manifest",
                    "move it to registriesAuth in the credentials file",
                    on_key=True,
                )
