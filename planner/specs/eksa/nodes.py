"""The files that EKS Anywhere writes for containerd, and how a node then looks for an image.

Source: aws/eks-anywhere aebd9a0 pkg/providers/{vsphere,nutanix,tinkerbell,cloudstack,docker}/config/*.yaml and, for Snow,
pkg/clusterapi/registry_mirror.go:73-167 with config/hosts.toml (one shape); pkg/executables/kind.go:272-340 with
config/hosts.toml (the bootstrap cluster). Bottlerocket has settings instead of files: pkg/providers/vsphere/config/
template-cp.yaml:140-157, pkg/providers/vsphere/template.go:271-275, pkg/clusterapi/registry_mirror.go:63-80.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.core.containerd import attempts
from planner.core.document import Spec
from planner.core.family import NodeFlags
from planner.core.refs import parse_image
from planner.core.resolution import Resolution, Rewrite
from planner.specs.eksa.documents import cluster, machine_config, machine_refs, provider
from planner.specs.eksa.mirror import CORE_REGISTRY, Mirror, mirror_of, node_endpoint
from planner.specs.eksa.rules.reading import BOTTLEROCKET, os_family

# Elsewhere, the credentials of an authenticated mirror never reach containerd.
_WITH_CREDENTIALS = frozenset({"Docker", "Nutanix", "Tinkerbell", "VSphere"})
_SEVERAL_MIRRORS = "VSphere"
_TRUST = "/etc/containerd/certs.d"


def render(spec: Spec, _flags: NodeFlags) -> dict[str, str]:
    """What the nodes get, and below ``<cluster>/generated`` what the bootstrap cluster gets where eksctl anywhere runs.

    On the nodes that is ``certs.d/<registry>/hosts.toml`` for each mirrored registry and for the mirror itself, and its CA;
    on Bottlerocket settings. Where EKS Anywhere puts the credentials from its environment, a comment stands.
    """
    mirror = mirror_of(spec)
    if mirror is None:
        return {}
    systems, name = _systems(spec), provider(spec)
    files: dict[str, str] = {}
    if systems != {BOTTLEROCKET}:
        files |= _files("certs.d", mirror, _hosts(mirror, has_auth=_has_auth(mirror, name)))
    if BOTTLEROCKET in systems:
        files["bottlerocket/registry-mirror.yaml"] = _bottlerocket(mirror, name)
    folder = f"{cluster(spec).get('metadata', 'name').string() or 'cluster'}/generated/certs.d"
    # kind knows no insecureSkipVerify: without a CA it verifies nothing.
    bootstrap = mirror._replace(is_verified=bool(mirror.ca))
    return files | _files(folder, mirror, _hosts(bootstrap, has_auth=mirror.has_auth))


def resolve(spec: Spec, written: str, _flags: NodeFlags) -> Resolution:
    """What EKS Anywhere makes of the name where it asks itself (for charts, its tools, the kind node), and where a node looks.

    Both lead to the same place on the mirror.
    """
    mirror = mirror_of(spec)
    replaced = mirror.replaced(written) if mirror else written
    rewrites = (Rewrite("eks-anywhere", replaced),) if replaced != written else ()
    return by_node(spec, written)._replace(rewrites=rewrites)


def by_node(spec: Spec, written: str) -> Resolution:
    """Where a node looks for ``written``: the names in pods stay as their makers have them, containerd goes to the mirror."""
    image, mirror = parse_image(written), mirror_of(spec)
    if mirror is None:
        return Resolution(image, attempts({}, image))
    name = provider(spec)
    has_auth = _has_auth(mirror, name)
    files = _hosts(mirror, has_auth=has_auth)
    if _systems(spec) == {BOTTLEROCKET}:
        files = {each: files[each] for each in _bottlerocket_roots(mirror, name) if each in files}
    texts = {f"{registry}/hosts.toml": text for registry, text in files.items()}
    credentials = [mirror.base] if has_auth else []
    return Resolution(image, attempts(texts, image, credentials=credentials))


def _systems(spec: Spec) -> set[str]:
    """The operating systems of all machines; Docker's have none that could be chosen."""
    return {os_family(machine_config(spec, ref)) for ref in machine_refs(spec)}


def _has_auth(mirror: Mirror, name: str) -> bool:
    return mirror.has_auth and name in _WITH_CREDENTIALS


def _files(folder: str, mirror: Mirror, hosts: Mapping[str, str]) -> dict[str, str]:
    files = {f"{folder}/{registry}/hosts.toml": text for registry, text in hosts.items()}
    return files | ({f"{folder}/{mirror.base}/ca.crt": mirror.ca} if mirror.ca else {})


def _hosts(mirror: Mirror, *, has_auth: bool) -> dict[str, str]:
    """The hosts.toml of the mirror itself and of each registry that it mirrors."""
    roots = {mirror.base: node_endpoint(mirror.base)}
    roots |= {registry: node_endpoint(place) for registry, place in mirror.places.items()}
    return {
        registry: "\n".join(_hosts_toml(registry, root, mirror, has_auth=has_auth))
        for registry, root in sorted(roots.items())
    }


def _hosts_toml(registry: str, root: str, mirror: Mirror, *, has_auth: bool) -> Iterator[str]:
    yield f'server = "https://{registry}"'
    yield ""
    yield f'[host."{root}"]'
    yield '  capabilities = ["pull", "resolve"]'
    yield "  override_path = true"
    if mirror.ca:
        yield f'  ca = "{_TRUST}/{mirror.base}/ca.crt"'
    if not mirror.is_verified:
        yield "  skip_verify = true"
    if has_auth:
        yield f'  [host."{root}".header]'
        yield "    # authorization: REGISTRY_USERNAME and REGISTRY_PASSWORD of whoever runs eksctl anywhere"
    yield ""


def _bottlerocket_roots(mirror: Mirror, name: str) -> dict[str, str]:
    """Where Bottlerocket looks for which registry: vSphere tells it all mirrors, the others that of public.ecr.aws."""
    places = mirror.places if name == _SEVERAL_MIRRORS else {CORE_REGISTRY: _core(mirror)}
    return {
        registry: node_endpoint(place).removeprefix("https://")
        for registry, place in sorted(places.items())
    }


def _core(mirror: Mirror) -> str:
    return mirror.places.get(CORE_REGISTRY, "")


def _bottlerocket(mirror: Mirror, name: str) -> str:
    """The settings as they stand in the machine's bootstrap configuration."""
    roots = _bottlerocket_roots(mirror, name)
    lines = ["registryMirror:"]
    ca = ["  caCert: |", *(f"    {line}" for line in mirror.ca.splitlines())] if mirror.ca else []
    if list(roots) == [CORE_REGISTRY]:
        lines += [f"  endpoint: {roots[CORE_REGISTRY]}", *ca]
        return "\n".join(lines) + "\n"
    lines += [*ca, "  mirrors:"]
    for registry, root in roots.items():
        lines += [f'    - registry: "{registry}"', "      endpoints:", f"        - {root}"]
    return "\n".join(lines) + "\n"
