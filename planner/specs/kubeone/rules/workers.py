"""Dynamic workers, and the two controllers that make them."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.kubeone.manifest import cluster, nearest, read_manifest


@rule("KUB060")
def incomplete_worker(spec: Spec) -> Iterator[Hit]:
    """A set of dynamic workers has no name, or no number of replicas.

    0 replicas are fine; a missing or negative number is not.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:725-730.

    Bad:
        dynamicWorkers:
          - name: pool  # <- KUB060

    Good:
        dynamicWorkers:
          - name: pool
            replicas: 3
    """
    for node in cluster(spec).get("dynamicWorkers").items:
        if not node.get("name").string():
            yield Hit(node, "the worker set has no name")
        replicas = node.get("replicas")
        if replicas.is_null():
            yield Hit(node, "the worker set has no replicas", "replicas: 1")
        elif isinstance(replicas.value, int) and replicas.value < 0:
            yield Hit(replicas, f"{replicas.text} replicas: 0 is the least")


@rule("KUB061")
def workers_without_controller(spec: Spec) -> Iterator[Hit]:
    """Dynamic workers, and no machine-controller to make them.

    It is off with ``deploy: false``, with an empty mapping, and with provider none.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:76-79.

    Bad:
        machineController: {}
        dynamicWorkers:  # <- KUB061
          - {name: pool, replicas: 1}

    Good:
        dynamicWorkers:
          - {name: pool, replicas: 1}
    """
    manifest = read_manifest(spec)
    workers = manifest.root.get("dynamicWorkers")
    if workers.items and not manifest.machine_controller.is_on:
        related = ((manifest.machine_controller.node, manifest.machine_controller.why),)
        yield Hit(
            workers, "the machine-controller, which makes dynamic workers, is off", related=related
        )


@rule("KUB062")
def manager_without_controller(spec: Spec) -> Iterator[Hit]:
    """The operating-system-manager is on, and the machine-controller off.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:81-83,1098-1100.

    Bad:
        machineController: {deploy: false}
        operatingSystemManager: {deploy: true}  # <- KUB062

    Good:
        machineController: {deploy: false}
        operatingSystemManager: {deploy: false}
    """
    manifest = read_manifest(spec)
    if manifest.operating_system_manager.is_on and not manifest.machine_controller.is_on:
        node = manifest.operating_system_manager.node
        yield Hit(node, "the operating-system-manager needs the machine-controller, which is off")


@rule("KUB063")
def controller_without_cloud(spec: Spec) -> Iterator[Hit]:
    """Provider none with a machine-controller or operating-system-manager, which need a cloud.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:328-333.

    Bad:
        cloudProvider: {none: {}}
        machineController: {deploy: true}  # <- KUB063

    Good:
        cloudProvider: {none: {}}
    """
    root = cluster(spec)
    if root.get("cloudProvider", "none").is_null():
        return
    for name in ("machineController", "operatingSystemManager"):
        if root.get(name, "deploy").is_true():
            node = nearest(root, name, "deploy")
            yield Hit(node, f"{name} cannot be deployed with provider none")


@rule("KUB064", Severity.WARNING)
def repeated_worker(spec: Spec) -> Iterator[Hit]:
    """Two sets of dynamic workers have the same name.

    KubeOne does not look; both become the same MachineDeployment, and the later one wins.

    Source: kubermatic/kubeone v1.14.2 pkg/apis/kubeone/validation/validation.go:719-733.

    Bad:
        dynamicWorkers:
          - {name: pool, replicas: 1}
          - {name: pool, replicas: 2}  # <- KUB064

    Good:
        dynamicWorkers:
          - {name: pool-a, replicas: 1}
          - {name: pool-b, replicas: 2}
    """
    seen: set[str] = set()
    for node in cluster(spec).get("dynamicWorkers").items:
        name = node.get("name")
        if name.string() and name.string() in seen:
            yield Hit(name, f"another worker set is called {name.text}, too")
        seen.add(name.string())
