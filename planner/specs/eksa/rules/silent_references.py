"""References whose missing documents EKS Anywhere does not report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.core.document import Spec
from planner.core.lint import Hit, Peer, rule_across
from planner.specs.eksa.documents import (
    cluster,
    machine_config,
    sibling,
)
from planner.specs.eksa.rules.missing import missing
from planner.specs.eksa.rules.reading import identity_refs, pool_refs, reached

_GITOPS = ("FluxConfig", "GitOpsConfig")
_IDENTITY = ("OIDCConfig", "AWSIamConfig")


@rule_across("EKS104")
def missing_gitops_document(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The GitOps document that the Cluster names is not in the file.

    Nobody reports it: the cluster is created without Flux, as if there were no gitOpsRef.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/flux.go:29-42, gitops.go:29-47,
    pkg/validations/createvalidations/gitops.go:67.

    Bad:
        kind: Cluster
        spec:
          gitOpsRef:
            kind: FluxConfig
            name: flux  # <- EKS104

    Good:
        kind: Cluster
        spec:
          gitOpsRef:
            kind: FluxConfig
            name: flux
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: FluxConfig
        metadata: {name: flux}
        spec:
          git: {repositoryUrl: ssh://git@git.example.com/fleet.git}
    """
    ref = cluster(spec).get("spec", "gitOpsRef")
    is_whole = ref.get("kind").string() in _GITOPS and ref.get("name").string()
    if is_whole and not machine_config(spec, ref):
        what = "the cluster is created without GitOps, and EKS Anywhere says nothing"
        yield missing(spec, peers, ref, what, _GITOPS)


@rule_across("EKS105")
def missing_identity_provider(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The document of an identity provider is not in the file.

    Nobody reports it: the identity provider is not set up, and since the search ends there, neither is any that is
    listed after it.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/oidc.go:45-49, awsiam.go:51-55.

    Bad:
        kind: Cluster
        spec:
          identityProviderRefs:
          - kind: OIDCConfig
            name: login  # <- EKS105

    Good:
        kind: Cluster
        spec:
          identityProviderRefs:
          - kind: OIDCConfig
            name: login
        ---
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec: {clientId: kubernetes, issuerUrl: https://login.example.com}
    """
    refs = identity_refs(spec)
    for position, ref in enumerate(refs):
        is_whole = ref.get("kind").string() in _IDENTITY and ref.get("name").string()
        if not is_whole or machine_config(spec, ref):
            continue
        later = [each.get("name").string() for each in refs[position + 1 :]]
        what = "EKS Anywhere sets up no such identity provider, and says nothing"
        if later:
            what += f"; nor does it read what is listed after it: {', '.join(later)}"
        yield missing(spec, peers, ref, what, _IDENTITY)


@rule_across("EKS106")
def missing_machine_detail(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """A machine config refers to a pool of addresses or a workflow template that is not in the file.

    For a missing SnowIPPool the CLI crashes; for a missing TinkerbellTemplateConfig the machines get the default
    workflow, without a message.

    Source: aws/eks-anywhere aebd9a0, pkg/cluster/snow.go:112-131, pkg/providers/snow/objects.go:108-128,
    pkg/providers/tinkerbell/template.go:70-83.

    Bad:
        kind: TinkerbellMachineConfig
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        metadata: {name: worker}
        spec:
          osFamily: ubuntu
          hardwareSelector: {type: worker}
          templateRef:
            kind: TinkerbellTemplateConfig
            name: worker  # <- EKS106

    Good:
        kind: TinkerbellMachineConfig
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        metadata: {name: worker}
        spec:
          osFamily: ubuntu
          hardwareSelector: {type: worker}
          templateRef: {kind: TinkerbellTemplateConfig, name: worker}
        ---
        kind: TinkerbellTemplateConfig
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        metadata: {name: worker}
        spec: {template: {name: worker}}
    """
    for machine in reached(spec, "SnowMachineConfig"):
        what = "EKS Anywhere does not look for it, and crashes when it needs it"
        for ref in pool_refs(machine):
            if not machine_config(spec, ref):
                yield missing(spec, peers, ref, what, ("SnowIPPool",))
    for machine in reached(spec, "TinkerbellMachineConfig"):
        ref = machine.get("spec", "templateRef")
        name = ref.get("name").string()
        if name and not sibling(spec, "TinkerbellTemplateConfig", name):
            what = "the machines get the default workflow, and EKS Anywhere says nothing"
            yield missing(spec, peers, ref, what, ("TinkerbellTemplateConfig",))
