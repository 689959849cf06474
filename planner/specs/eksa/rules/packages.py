"""Curated packages."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.rules.lookup import is_self_managed


@rule("EKS080")
def packages_on_workload_cluster(spec: Spec) -> Iterator[Hit]:
    """A workload cluster changes the package controller.

    The controller runs on the management cluster; only ``disable`` makes sense elsewhere. A cluster is a workload cluster
    when ``managementCluster.name`` is another name than its own.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:1064-1076.

    Bad:
        kind: Cluster
        metadata: {name: prod}
        spec:
          managementCluster: {name: manager}
          packages:
            controller: {tag: v0.4.0}  # <- EKS080

    Good:
        kind: Cluster
        metadata: {name: prod}
        spec:
          managementCluster: {name: manager}
          packages: {disable: true}
    """
    packages = cluster(spec).get("spec", "packages")
    for key in ("controller", "cronjob") if not is_self_managed(spec) else ():
        node = packages.get(key)
        if not node.is_null():
            message = f"EKS Anywhere refuses packages.{key} on a workload cluster"
            yield Hit(node, message, "set it on the management cluster", on_key=True)
