"""Which upstream registries are mirrored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from planner.core.document import Node, Spec
from planner.core.lint import Edit, Fix, Hit, Severity, rule
from planner.specs.eksa.mirror import CORE_REGISTRY, CURATED_REGISTRY, configuration
from planner.specs.eksa.rules.lookup import is_missing

_REGISTRY = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::[0-9]+)?|\[[0-9a-f:.]+\](?::[0-9]+)?")


@rule("EKS070")
def unnamed_upstream_registry(spec: Spec) -> Iterator[Hit]:
    """An entry of ociNamespaces does not say which registry it is for.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:926-930.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - namespace: eks  # <- EKS070

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws
              namespace: eks
    """
    for entry in entries_of(spec):
        if is_missing(entry, "registry"):
            message = "this entry of ociNamespaces has no registry: EKS Anywhere refuses the file"
            yield Hit(entry.get("registry") or entry, message, f"registry: {CORE_REGISTRY}")


@rule("EKS071")
def upstream_registry_never_matches(spec: Spec) -> Iterator[Hit]:
    """A registry in ociNamespaces is written so that no image is of it.

    EKS Anywhere compares the text with the host of each image, port included and letter for letter. With a scheme, a path, a
    capital or a wildcard it never fits, and the images come from the internet.

    Source: aws/eks-anywhere aebd9a0 pkg/registrymirror/registrymirror.go:70-85.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: https://public.ecr.aws  # <- EKS071
              namespace: eks

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws
              namespace: eks

    Fixed:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - registry: public.ecr.aws
              namespace: eks
    """
    for entry in entries_of(spec):
        node = entry.get("registry")
        text = node.string()
        if not text or _REGISTRY.fullmatch(text):
            continue
        meant = meant_registry(text)
        is_readable = bool(_REGISTRY.fullmatch(meant)) and node.span.line == node.span.end_line
        fix = Fix(f"write {meant}", (Edit(node.span, meant),)) if is_readable else None
        shown = "this registry" if "@" in text else f"the registry {text!r}"
        message = f"no image is of {shown}, so the entry has no effect"
        hint = f"write {meant}" if is_readable else "write the host alone, in small letters"
        yield Hit(node, message, hint, fix=fix)


@rule("EKS072", Severity.WARNING)
def repeated_upstream_registry(spec: Spec) -> Iterator[Hit]:
    """A registry stands twice in ociNamespaces.

    The last entry counts, and the others are dropped without a message.

    Source: aws/eks-anywhere aebd9a0 pkg/registrymirror/registrymirror.go:42-45.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: public.ecr.aws, namespace: a}
            - {registry: public.ecr.aws, namespace: b}  # <- EKS072

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: public.ecr.aws, namespace: a}
            - {registry: docker.io, namespace: b}
    """
    before: dict[str, Node] = {}
    for entry in entries_of(spec):
        node = entry.get("registry")
        if earlier := before.get(node.string()):
            message = f"{node.text!r} stands here again: EKS Anywhere drops the entry before"
            yield Hit(node, message, "keep one", related=((earlier, "dropped"),))
        if node.string():
            before[node.string()] = node


@rule("EKS073")
def two_curated_registries(spec: Spec) -> Iterator[Hit]:
    """Several registries of curated packages are mirrored.

    The package controller has one place to look, so EKS Anywhere takes one registry of account 783794618700, in whatever
    region.

    Source: aws/eks-anywhere aebd9a0 pkg/api/v1alpha1/cluster.go:925-939, pkg/constants/constants.go:82.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: public.ecr.aws, namespace: eks}
            - {registry: 783794618700.dkr.ecr.us-west-2.amazonaws.com, namespace: us}
            - {registry: 783794618700.dkr.ecr.eu-west-1.amazonaws.com, namespace: eu}  # <- EKS073

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: public.ecr.aws, namespace: eks}
            - {registry: 783794618700.dkr.ecr.us-west-2.amazonaws.com, namespace: packages}
    """
    nodes = [entry.get("registry") for entry in entries_of(spec)]
    curated = [node for node in nodes if CURATED_REGISTRY.search(node.string())]
    for node in curated[1:]:
        message = "EKS Anywhere takes one registry of curated packages, and refuses the file"
        yield Hit(node, message, "keep one", related=((curated[0], "the first one"),))


@rule("EKS074", Severity.WARNING)
def core_images_not_mirrored(spec: Spec) -> Iterator[Hit]:
    """No image of EKS Anywhere itself is mirrored, because ociNamespaces has no entry for public.ecr.aws.

    Without ociNamespaces, public.ecr.aws is mirrored. As soon as there is one entry, only what is listed is: Kubernetes, Cilium
    and the controllers then come from the internet, and Bottlerocket nodes get ``v2`` for a mirror.

    Source: aws/eks-anywhere aebd9a0 pkg/registrymirror/registrymirror.go:34-63; issue 6820.

    Bad:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:  # <- EKS074
            - {registry: docker.io, namespace: hub}

    Good:
        kind: Cluster
        spec:
          registryMirrorConfiguration:
            endpoint: registry.example.com
            ociNamespaces:
            - {registry: docker.io, namespace: hub}
            - {registry: public.ecr.aws, namespace: eks}
    """
    entries = entries_of(spec)
    if entries and CORE_REGISTRY not in {
        meant_registry(each.get("registry").string()) for each in entries
    }:
        message = f"nothing from {CORE_REGISTRY} is mirrored: EKS Anywhere's own images come from the internet"
        hint = f"- {{registry: {CORE_REGISTRY}, namespace: …}}"
        yield Hit(configuration(spec).get("ociNamespaces"), message, hint)


def entries_of(spec: Spec) -> tuple[Node, ...]:
    """The entries of ``ociNamespaces``."""
    return configuration(spec).get("ociNamespaces").items


def meant_registry(text: str) -> str:
    """The host that a registry's text evidently stands for."""
    text = text.strip()
    host = urlsplit(text).netloc if "://" in text else text.partition("/")[0]
    return host.rpartition("@")[2].lower()
