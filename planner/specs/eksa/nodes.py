"""The files that EKS Anywhere writes for containerd on its nodes, and how a node then looks for an image.

Source: aws/eks-anywhere aebd9a0 pkg/providers/{vsphere,nutanix,tinkerbell,cloudstack,docker}/config/*.yaml (one shape), and
pkg/clusterapi/registry_mirror.go:73-167 with config/hosts.toml for Snow. Bottlerocket has settings instead of files:
pkg/providers/vsphere/config/template-cp.yaml:140-157, pkg/clusterapi/registry_mirror.go:63-82.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.containerd import attempts
from planner.core.document import Spec
from planner.core.errors import InputError
from planner.core.family import NodeFlags
from planner.core.refs import parse_image
from planner.core.resolution import Resolution, Rewrite
from planner.specs.eksa.documents import machine_config, machine_refs, provider
from planner.specs.eksa.mirror import CORE_REGISTRY, Mirror, mirror_of, node_endpoint

_BOTTLEROCKET = "bottlerocket"
_SNOW = "Snow"
# Elsewhere, the credentials of an authenticated mirror never reach containerd.
_WITH_CREDENTIALS = frozenset({"Docker", "Nutanix", "Tinkerbell", "VSphere"})
_SEVERAL_MIRRORS = "VSphere"


def render(spec: Spec, _flags: NodeFlags) -> dict[str, str]:
    """``certs.d/<registry>/hosts.toml`` for each mirrored registry and for the mirror itself, the CA, Bottlerocket's settings.

    Where EKS Anywhere puts the credentials from its environment, a comment stands.
    """
    mirror = mirror_of(spec)
    if mirror is None:
        return {}
    systems = {
        machine_config(spec, ref).get("spec", "osFamily").string() for ref in machine_refs(spec)
    }
    files: dict[str, str] = {}
    if systems != {_BOTTLEROCKET}:
        files |= _containerd_files(mirror, provider(spec))
    if _BOTTLEROCKET in systems:
        files["bottlerocket/registry-mirror.yaml"] = _bottlerocket(mirror, provider(spec))
    return files


def resolve(spec: Spec, written: str, _flags: NodeFlags) -> Resolution:
    """Where a node looks for ``written``, after EKS Anywhere has replaced its registry.

    What EKS Anywhere deploys is renamed to the mirror; what users deploy reaches the same place through containerd.
    """
    image, mirror = parse_image(written), mirror_of(spec)
    replaced = mirror.replaced(written) if mirror else written
    rewrites = (Rewrite("eks-anywhere", replaced),) if replaced != written else ()
    try:
        asked = parse_image(replaced)
    except InputError:
        return Resolution(image, (), rewrites)  # nothing can pull such a name
    name = provider(spec)
    files = _containerd_files(mirror, name) if mirror else {}
    has_auth = mirror is not None and mirror.has_auth and name in _WITH_CREDENTIALS
    credentials = [mirror.base] if mirror and has_auth else []
    return Resolution(image, attempts(files, asked, credentials=credentials), rewrites)


def _containerd_files(mirror: Mirror, name: str) -> dict[str, str]:
    base = mirror.base if name == _SNOW else node_endpoint(mirror.base).removeprefix("https://")
    hosts = {mirror.base: f"https://{base}"}
    hosts |= {registry: node_endpoint(place) for registry, place in mirror.places.items()}
    files = {
        f"certs.d/{registry}/hosts.toml": "\n".join(_hosts_toml(registry, host, mirror, name))
        for registry, host in sorted(hosts.items())
    }
    return files | ({f"certs.d/{mirror.base}/ca.crt": mirror.ca} if mirror.ca else {})


def _hosts_toml(registry: str, host: str, mirror: Mirror, name: str) -> Iterator[str]:
    yield f'server = "https://{registry}"'
    yield ""
    yield f'[host."{host}"]'
    yield '  capabilities = ["pull", "resolve"]'
    yield "  override_path = true"
    if mirror.ca:
        yield f'  ca = "/etc/containerd/certs.d/{mirror.base}/ca.crt"'
    if not mirror.is_verified:
        yield "  skip_verify = true"
    if mirror.has_auth and name in _WITH_CREDENTIALS:
        yield "  # authorization: REGISTRY_USERNAME and REGISTRY_PASSWORD of whoever runs eksctl anywhere"
    yield ""


def _bottlerocket(mirror: Mirror, name: str) -> str:
    """The settings as they stand in the machine's bootstrap configuration."""
    roots = {
        registry: node_endpoint(place).removeprefix("https://")
        for registry, place in sorted(mirror.places.items())
    }
    lines = ["registryMirror:"]
    if name == _SEVERAL_MIRRORS and list(roots) != [CORE_REGISTRY]:
        lines.append("  mirrors:")
        for registry, root in roots.items():
            lines += [f'    - registry: "{registry}"', "      endpoints:", f"        - {root}"]
    else:
        lines.append(f"  endpoint: {roots.get(CORE_REGISTRY, 'v2')}")
    if mirror.ca:
        lines += ["  caCert: |", *(f"    {line}" for line in mirror.ca.splitlines())]
    return "\n".join(lines) + "\n"
