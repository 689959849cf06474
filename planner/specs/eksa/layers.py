"""How EKS Anywhere decodes each document: the Cluster and the datacenter strictly, the others leniently.

Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cluster.go:268-293 (strict, by kind alone),
pkg/cluster/config_manager.go:112-164 (lenient), pkg/dependencies/factory.go:450-588 (strict, except for Snow).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.core.document import Node, Spec
from planner.core.lint import Layer, Severity, Structure
from planner.specs.eksa.documents import CLUSTER, cluster, provider, schema_of, siblings

_WRONG_TYPE = "EKS Anywhere cannot decode it and refuses the file"


def layers(spec: Spec) -> Sequence[Layer]:
    """The Cluster, and every sibling that EKS Anywhere reads."""
    return tuple(_layers(spec))


def _layers(spec: Spec) -> Iterator[Layer]:
    if first := cluster(spec):
        yield Layer(first, _strict(CLUSTER, "the Cluster"))
    strict = _strictly_read(spec)
    for document in siblings(spec):
        kind = document.get("kind").string()
        if document is strict:
            yield Layer(document, _strict(kind, "the datacenter"))
        else:
            yield Layer(document, _lenient(kind))


def _strictly_read(spec: Spec) -> Node | None:
    """The datacenter: the first document of the kind in ``datacenterRef``, whatever its name. Snow's is never decoded."""
    name = provider(spec)
    found = siblings(spec, f"{name}DatacenterConfig") if name not in ("", "Snow") else ()
    return found[0] if found else None


def _strict(kind: str, what: str) -> Structure:
    return Structure(
        schema=schema_of(kind),
        unknown_key=f"EKS Anywhere decodes {what} strictly and refuses the file",
        wrong_type=_WRONG_TYPE,
        duplicate_key="EKS Anywhere refuses the file",
    )


def _lenient(kind: str) -> Structure:
    return Structure(
        schema=schema_of(kind),
        unknown_key="EKS Anywhere drops it without a message",
        wrong_type=_WRONG_TYPE,
        duplicate_key="EKS Anywhere keeps this one and drops the first without a message",
        unknown_key_severity=Severity.WARNING,
    )
