"""The registry of overwriteRegistry, and what it does not reach."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.errors import InputError
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.core.refs import looks_like_registry, parse_image
from planner.specs.kubeone.manifest import cluster, nearest, read_manifest
from planner.specs.kubeone.registries import DEFAULT_KEY, host_of, registries
from planner.specs.kubeone.tables import newest_release

_API = "/v2"
_SCHEME = "://"


@rule("KUB040", Severity.WARNING)
def unusable_overwrite_registry(spec: Spec) -> Iterator[Hit]:
    """The text of overwriteRegistry or of CoreDNS' imageRepository does not make image names.

    KubeOne checks neither: it writes the text in front of every repository. With a scheme or a slash at the end, no node can
    pull anything. Without a dot, a port or ``localhost``, the first part is a namespace on Docker Hub.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:989-1001,
    pkg/templates/images/images.go:564-590.

    Bad:
        registryConfiguration:
          overwriteRegistry: https://registry.example.com/  # <- KUB040

    Good:
        registryConfiguration:
          overwriteRegistry: registry.example.com

    Fixed:
        registryConfiguration:
          overwriteRegistry: registry.example.com
    """
    root = cluster(spec)
    for path in (
        ("registryConfiguration", "overwriteRegistry"),
        ("features", "coreDNS", "imageRepository"),
    ):
        node = root.get(*path)
        text = node.string()
        if text:
            yield from _unusable(spec, node, text)


def _unusable(spec: Spec, node: Node, text: str) -> Iterator[Hit]:
    plain = text.rpartition(_SCHEME)[2].rstrip("/")
    if not _makes_names(text):
        message = f"{text!r} in front of a repository makes no image name, so nodes cannot pull"
        hint = f"write {plain}" if plain != text else "HOST[:PORT][/PATH]"
        is_enough = _makes_names(plain) and looks_like_registry(host_of(plain))
        yield Hit(node, message, hint, fix=rewritten(spec, node, plain) if is_enough else None)
        return
    if not looks_like_registry(host_of(text)):
        message = f"{host_of(text)!r} is no host: {text}/pause is a repository on Docker Hub"
        yield Hit(node, message, f"{host_of(text)}:5000, or a name with a dot")


def _makes_names(text: str) -> bool:
    try:
        parse_image(f"{text}/pause:3")
    except InputError:
        return False
    return True


@rule("KUB041")
def insecure_without_registry(spec: Spec) -> Iterator[Hit]:
    """The flag insecureRegistry without overwriteRegistry.

    It belongs to the registry of overwriteRegistry. For a mirror, use tlsConfig of containerd's registries.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:997-999.

    Bad:
        registryConfiguration:
          insecureRegistry: true  # <- KUB041

    Good:
        registryConfiguration:
          overwriteRegistry: registry.example.com
          insecureRegistry: true
    """
    configuration = cluster(spec).get("registryConfiguration")
    node = configuration.get("insecureRegistry")
    if node.is_true() and not configuration.get("overwriteRegistry").string():
        yield Hit(
            node,
            "insecureRegistry needs overwriteRegistry",
            "or use containerd.registries.HOST.tlsConfig",
        )


@rule("KUB042", Severity.WARNING)
def insecure_registry_with_path(spec: Spec) -> Iterator[Hit]:
    """The flag insecureRegistry, with a path in overwriteRegistry, sends nodes to URLs that no registry serves.

    KubeOne then writes a hosts.toml for the host, in which both the server and its only entry carry the path. containerd puts
    ``/v2`` behind it, and the repository, which has the path already: ``https://HOST/kubeone/v2/kubeone/pause``.

    Source: kubermatic/kubeone v1.14.2 pkg/containerruntime/containerd_config.go:246-255,342-354; containerd 2.4
    core/remotes/docker/config/hosts.go:431-448.

    Bad:
        registryConfiguration:
          overwriteRegistry: registry.example.com/kubeone
          insecureRegistry: true  # <- KUB042

    Good:
        registryConfiguration:
          overwriteRegistry: registry.example.com/kubeone
        containerRuntime:
          containerd:
            registries:
              registry.example.com:
                tlsConfig: {insecureSkipVerify: true}
    """
    configuration = cluster(spec).get("registryConfiguration")
    node, text = (
        configuration.get("insecureRegistry"),
        configuration.get("overwriteRegistry").string(),
    )
    host, slash, path = text.partition("/")
    if node.is_true() and slash and path.strip("/") and _SCHEME not in text:
        message = f"nodes will ask for https://{text}{_API}/{path}/…, and no registry answers there"
        yield Hit(
            node,
            message,
            f"set tlsConfig.insecureSkipVerify of containerd.registries.{host} instead",
        )


@rule("KUB043", Severity.WARNING)
def ignores_overwrite_registry(spec: Spec) -> Iterator[Hit]:
    """An image of KubeOne's own does not follow overwriteRegistry, and no mirror stands in for its registry.

    The DaemonSet ebs-csi-node of KubeOne 1.14 names its driver literally, on public.ecr.aws. With overwriteRegistry only, the
    storage of AWS clusters stays down behind an air gap.

    Source: kubermatic/kubeone v1.14.2 addons/csi-aws-ebs/aws-csi.yaml:461.

    Bad:
        cloudProvider:
          aws: {}
        registryConfiguration:
          overwriteRegistry: registry.example.com  # <- KUB043

    Good:
        cloudProvider:
          aws: {}
        registryConfiguration:
          overwriteRegistry: registry.example.com
        containerRuntime:
          containerd:
            registries:
              public.ecr.aws:
                mirrors: [https://registry.example.com]
    """
    manifest = read_manifest(spec)
    if not (manifest.overwrite_registry and manifest.provider == "aws" and manifest.has_csi):
        return
    known = registries(manifest.root)
    for image in map(parse_image, newest_release().literal["csi-aws-ebs"]):
        if not any(key in known and known[key].mirrors for key in (image.registry, DEFAULT_KEY)):
            node = nearest(manifest.root, "registryConfiguration", "overwriteRegistry")
            hint = f"add mirrors for {image.registry} to containerRuntime.containerd.registries"
            yield Hit(node, f"ebs-csi-node pulls {image} in spite of overwriteRegistry", hint)
