"""Addons, charts, and fields that KubeOne decodes and then drops."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import rewritten
from planner.core.text import closest
from planner.specs.kubeone.manifest import cluster, read_manifest
from planner.specs.kubeone.tables import addon_names

_DROPPED = {
    ("addons", "enable"): "leave out addons to have none",
    ("addons", "globalParams"): "set params of each addon",
    ("containerRuntime", "docker"): "use containerRuntime.containerd.registries",
    ("features", "podSecurityPolicy"): "remove it: Kubernetes has no such policies any more",
}


@rule("KUB080", Severity.WARNING)
def dropped_field(spec: Spec) -> Iterator[Hit]:
    """A field that KubeOne decodes and then drops.

    v1beta2 still has the fields, but the internal type has not, so they have no effect: ``addons.enable: false`` does not turn
    addons off, and Docker's registry mirrors reach nobody.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/v1beta2/zz_generated.conversion.go:914,916,1205,1660, types.go:892.

    Bad:
        addons:
          enable: false  # <- KUB080

    Good:
        addons:
          addons: [{name: backups-restic}]
    """
    root = cluster(spec)
    for path, hint in _DROPPED.items():
        node = root.get(*path)
        if not node.is_null():
            yield Hit(node, f"{'.'.join(path)} has no effect", hint, on_key=True)
    for worker in root.get("dynamicWorkers").items:
        node = worker.get("providerSpec", "machineAnnotations")
        if not node.is_null():
            hint = "use nodeAnnotations or machineObjectAnnotations"
            yield Hit(node, "machineAnnotations have no effect", hint, on_key=True)


@rule("KUB081", Severity.WARNING)
def unknown_addon(spec: Spec) -> Iterator[Hit]:
    """An addon that is not built in, and no folder that could have it.

    KubeOne finds out when it applies the addons, with the cluster half done. With ``addons.path``, planner does not look.

    Source: kubermatic/kubeone v1.14.2 pkg/addons/ensure.go:325-328.

    Bad:
        addons:
          addons:
            - name: backup-restic  # <- KUB081

    Good:
        addons:
          addons:
            - name: backups-restic

    Fixed:
        addons:
          addons:
            - name: backups-restic
    """
    manifest = read_manifest(spec)
    if manifest.root.get("addons", "path").string():
        return
    for addon in manifest.addons:
        if addon.name not in addon_names():
            near = closest(addon.name, addon_names())
            hint = f"did you mean {near}?" if near else "set addons.path to the folder that has it"
            node = addon.node.get("name")
            message = f"no addon {addon.name!r} is built in, and there is no addons.path"
            fix = rewritten(spec, node, near) if near else None
            yield Hit(node or addon.node, message, hint, fix=fix)


@rule("KUB082")
def incomplete_helm_release(spec: Spec) -> Iterator[Hit]:
    """A Helm release lacks what KubeOne needs to install it.

    A chart (or chartURL), a namespace, a release name when there is only a chartURL, and credentials in full or not at all.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:868-894.

    Bad:
        helmReleases:
          - chart: nginx  # <- KUB082
            repoURL: https://charts.example.com

    Good:
        helmReleases:
          - chart: nginx
            repoURL: https://charts.example.com
            namespace: web
    """
    for node in cluster(spec).get("helmReleases").items:
        yield from (Hit(node, message) for message in _release_problems(node))


@rule("KUB083", Severity.INFO)
def unmirrored_helm_release(spec: Spec) -> Iterator[Hit]:
    """The images of a Helm release do not follow overwriteRegistry.

    KubeOne changes the registry of its own images only. What a chart pulls, planner does not know: set the registry in its
    values, or give containerd mirrors, and list the images with ``--images``.

    Source: kubermatic/kubeone v1.14.2 pkg/templates/images/images.go:564-590, pkg/addons/manifest.go:373-382.

    Bad:
        registryConfiguration: {overwriteRegistry: registry.example.com}
        helmReleases:
          - {chart: nginx, repoURL: https://charts.example.com, namespace: web}  # <- KUB083

    Good:
        helmReleases:
          - {chart: nginx, repoURL: https://charts.example.com, namespace: web}
    """
    manifest = read_manifest(spec)
    for node in manifest.root.get("helmReleases").items if manifest.overwrite_registry else ():
        name = node.get("chart").string() or node.get("chartURL").string()
        message = (
            f"the images of {name} are pulled from where the chart says, not from overwriteRegistry"
        )
        yield Hit(
            node, message, "set the registry in its values, and list its images with --images"
        )


def _release_problems(node: Node) -> Iterator[str]:
    def has(*path: str) -> bool:
        return bool(node.get(*path).string())

    if not has("chart") and not has("chartURL"):
        yield "the release has neither chart nor chartURL"
    if has("chartURL") and not has("chart") and not has("releaseName"):
        yield "the release has a chartURL, so it needs a releaseName"
    if not has("namespace"):
        yield "the release has no namespace"
    if has("auth", "username") != has("auth", "password"):
        yield "auth needs both username and password"
