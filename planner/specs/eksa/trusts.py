"""How a cluster file lets its nodes, and EKS Anywhere's own tools, reach the mirror.

Source: aws/eks-anywhere aebd9a0 pkg/config/registry.go:18-30 (``ReadCredentials``), pkg/api/v1alpha1/cluster_defaults.go:37-46.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.family import Trust, trust
from planner.specs.eksa.mirror import configuration, mirror_of

_CA_VARIABLE = "EKSA_REGISTRY_MIRROR_CA"


def trusts(spec: Spec) -> Iterator[Trust]:
    """The mirror, which EKS Anywhere knows by https alone."""
    mirror, node = mirror_of(spec), configuration(spec)
    if mirror and node.get("endpoint"):
        says = node.get("endpoint" if mirror.is_verified else "insecureSkipVerify")
        url = f"https://{mirror.base}"
        found = trust(url, says, is_verified=mirror.is_verified, ca=mirror.ca)
        yield found._replace(
            has_login=mirror.has_auth,
            ca_variable=_CA_VARIABLE if mirror.is_verified and not mirror.ca else "",
        )
