"""External etcd."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import cluster, provider
from planner.specs.eksa.rules.lookup import number

_ETCD = ("spec", "externalEtcdConfiguration")


@rule("EKS050")
def unusable_etcd_count(spec: Spec) -> Iterator[Hit]:
    """The number of etcd machines is missing, negative or even.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:713-733.

    Bad:
        kind: Cluster
        spec:
          externalEtcdConfiguration:
            count: 2  # <- EKS050

    Good:
        kind: Cluster
        spec:
          externalEtcdConfiguration:
            count: 3
    """
    etcd = cluster(spec).get(*_ETCD)
    count = None if etcd.is_null() else number(etcd, "count")
    if count is not None and (count <= 0 or count % 2 == 0):
        what = f"{count} etcd machines" if etcd.get("count") else "no count"
        message = f"externalEtcdConfiguration has {what}: EKS Anywhere takes an odd number above 0"
        yield Hit(etcd.get("count") or etcd, message, "count: 3")


@rule("EKS051")
def external_etcd_on_bare_metal(spec: Spec) -> Iterator[Hit]:
    """A bare metal cluster has external etcd.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:439-447.

    Bad:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
          externalEtcdConfiguration:  # <- EKS051
            count: 3

    Good:
        kind: Cluster
        spec:
          datacenterRef: {kind: TinkerbellDatacenterConfig, name: prod}
    """
    etcd = cluster(spec).get(*_ETCD)
    if provider(spec) == "Tinkerbell" and not etcd.is_null():
        yield Hit(
            etcd, "EKS Anywhere refuses external etcd on bare metal", "remove it", on_key=True
        )
