"""Mistakes about the file as a stream of documents: what EKS Anywhere never sees, or takes for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from planner.core.document import Node, Span, Spec
from planner.core.edits import Edit, Fix
from planner.core.lint import Hit, rule
from planner.specs.eksa.documents import CLUSTER, datacenter, head, kind_of, provider, siblings
from planner.specs.eksa.rules.types import meant_kind

_SEPARATOR = re.compile(r"^---$", re.MULTILINE)


@rule("EKS200")
def unseparated_documents(spec: Spec) -> Iterator[Hit]:
    r"""Two documents are not separated by a line that is exactly ``---``.

    EKS Anywhere reads the file twice. For the Cluster it uses Kubernetes' reader, which also accepts a comment or blanks
    after the dashes. For everything else it splits the text at ``^---$``, and of two documents that are not split there it
    reads the first only: the other does not exist, and what refers to it is "not found". With Windows line ends (CRLF) no
    line is exactly ``---``.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/config_manager.go:107-131 (``separatorRegex``);
    pkg/api/v1alpha1/cluster.go:268-293.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec: {datacenterRef: {kind: DockerDatacenterConfig, name: prod}}
        --- # the datacenter  <- EKS200
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec: {datacenterRef: {kind: DockerDatacenterConfig, name: prod}}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}

    Fixed:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec: {datacenterRef: {kind: DockerDatacenterConfig, name: prod}}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}
    """
    lines = spec.text.split("\n")
    exact = [number for number, line in enumerate(lines, 1) if _SEPARATOR.fullmatch(line)]
    documents = [each for each in spec.documents if not each.is_null()]
    for before, document in pairwise(documents):
        if any(before.span.line < number <= document.span.line for number in exact):
            continue
        if "\r\n" in spec.text:
            yield Hit(
                _line(lines, 1),
                "the file has Windows line ends (CRLF), so EKS Anywhere reads its first document and no other",
                "save the file with Unix line ends (LF)",
            )
            return
        separator = _separator_before(lines, document)
        message = "EKS Anywhere splits documents only at a line that is exactly ---, so it never sees the one below"
        written = lines[separator.span.line - 1]
        is_bare = re.fullmatch(r"---\s*(#.*)?", written)
        fix = Fix("leave only the dashes", (Edit(separator.span, "---"),)) if is_bare else None
        yield Hit(separator, message, "write the three dashes and nothing else", fix=fix)


@rule("EKS202")
def missing_cluster(spec: Spec) -> Iterator[Hit]:
    """The file has documents that belong to a cluster, but no Cluster.

    Every command that takes the file looks for the Cluster first and fails without it: all documents of a cluster stand in
    one file.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/cluster.go:292, pkg/cluster/config_manager.go:166-169.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig  # <- EKS202
        metadata: {name: prod}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}
    """
    kinds = [kind_of(each) for each in spec.documents]
    if CLUSTER in kinds or CLUSTER in map(meant_kind, kinds):
        return
    for first in siblings(spec)[:1]:
        message = "the file has no document of kind Cluster, so EKS Anywhere refuses it"
        yield Hit(first.get("kind"), message, "put all documents of a cluster into one file")


@rule("EKS203")
def several_clusters(spec: Spec) -> Iterator[Hit]:
    """The file has more than one document of kind Cluster.

    EKS Anywhere refuses the file. It looks at the kind alone: a Cluster of Cluster API counts as well.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/config_manager.go:145-149.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster  # <- EKS203
        metadata: {name: stage}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
    """
    found = [each for each in map(head, spec.documents) if each.get("kind").string() == CLUSTER]
    for document in found[1:]:
        yield Hit(
            document.get("kind"),
            "EKS Anywhere refuses a file with more than one Cluster",
            "give each cluster its own file",
            related=((found[0].get("kind"), "the first one"),),
        )


@rule("EKS206")
def other_datacenter_first(spec: Spec) -> Iterator[Hit]:
    """Another datacenter document of the same kind stands before the one that the Cluster refers to.

    References are resolved by name, but the provider is made from the first document of the datacenter's kind: checks and
    defaults go to one datacenter, and the machines to the other.

    Source: aws/eks-anywhere aebd9a0, pkg/dependencies/factory.go:450-588, pkg/api/v1alpha1/cluster.go:268-293 (first document
    of the kind), pkg/cluster/vsphere.go (by name).

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec: {datacenterRef: {kind: DockerDatacenterConfig, name: prod}}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: spare}  # <- EKS206
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: Cluster
        metadata: {name: prod}
        spec: {datacenterRef: {kind: DockerDatacenterConfig, name: prod}}
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: DockerDatacenterConfig
        metadata: {name: prod}
    """
    meant, name = datacenter(spec), provider(spec)
    if not meant or name == "Snow":
        return
    first = siblings(spec, meant.get("kind").string())[0]
    wanted = meant.get("metadata", "name")
    if first.get("metadata", "name").string() != wanted.string():
        yield Hit(
            first.get("metadata", "name") or first.get("kind"),
            f"EKS Anywhere makes the provider from this document, the first of its kind, not from {wanted.string()!r}",
            "keep only the datacenter that datacenterRef names",
            related=((wanted, "the datacenter that the Cluster refers to"),),
        )


def _separator_before(lines: list[str], document: Node) -> Node:
    """The line that ends the document before this one."""
    number = document.span.line
    while number > 1 and not lines[number - 1].startswith(("---", "...")):
        number -= 1
    return _line(lines, number)


def _line(lines: list[str], number: int) -> Node:
    length = len(lines[number - 1].rstrip("\r"))
    return Node("scalar", Span(number, 1, number, length + 1), ())
