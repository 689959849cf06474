"""OIDCConfig and AWSIamConfig."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Spec
from planner.core.gourl import parse_url
from planner.core.lint import Hit, Severity, rule
from planner.specs.eksa.rules.reading import (
    blank_fields,
    deepest,
    is_blank,
    is_request_uri,
    reached,
    title,
)


@rule("EKS135")
def incomplete_oidc(spec: Spec) -> Iterator[Hit]:
    """An OIDCConfig lacks its clientId or its issuerUrl.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/oidcconfig.go:44-56.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec:  # <- EKS135
          issuerUrl: https://login.example.com

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec:
          clientId: kubernetes
          issuerUrl: https://login.example.com
    """
    for document in reached(spec, "OIDCConfig"):
        for name in ("clientId", "issuerUrl"):
            if is_blank(document.get("spec", name)):
                message = f"{title(document)} has no {name}: EKS Anywhere refuses the file"
                yield Hit(deepest(document, "spec", name), message, f"add {name}")


@rule("EKS136")
def issuer_not_over_https(spec: Spec) -> Iterator[Hit]:
    """The issuerUrl is not an https URL.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/oidcconfig.go:58-68.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec:
          clientId: kubernetes
          issuerUrl: login.example.com  # <- EKS136

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec:
          clientId: kubernetes
          issuerUrl: https://login.example.com
    """
    for document in reached(spec, "OIDCConfig"):
        node = document.get("spec", "issuerUrl")
        url = parse_url(node.string())
        if node.string() and not (is_request_uri(node.string()) and url and url.scheme == "https"):
            message = (
                f"the issuerUrl {node.string()!r} is not an https URL: EKS Anywhere refuses it"
            )
            yield Hit(node, message, "write https://HOST/PATH, as the issuer calls itself")


@rule("EKS137")
def several_required_claims(spec: Spec) -> Iterator[Hit]:
    """An OIDCConfig requires more than one claim.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/oidcconfig.go:52.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec:
          clientId: kubernetes
          issuerUrl: https://login.example.com
          requiredClaims:  # <- EKS137
          - {claim: team, value: platform}
          - {claim: site, value: north}

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: OIDCConfig
        metadata: {name: login}
        spec:
          clientId: kubernetes
          issuerUrl: https://login.example.com
          requiredClaims:
          - {claim: team, value: platform}
    """
    for document in reached(spec, "OIDCConfig"):
        claims = document.get("spec", "requiredClaims")
        if len(claims.items) > 1:
            message = "EKS Anywhere refuses more than one required claim"
            yield Hit(claims, message, "keep one, and check the others in the issuer")


@rule("EKS138")
def incomplete_aws_iam(spec: Spec) -> Iterator[Hit]:
    """An AWSIamConfig lacks its region, its backend modes, or a part of a mapping.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/awsiamconfig.go:50-101.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: AWSIamConfig
        metadata: {name: iam}
        spec:
          awsRegion: us-west-1
          backendMode: []  # <- EKS138
          mapRoles:
          - roleARN: arn:aws:iam::000000000000:role/admin
            username: ""  # <- EKS138

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: AWSIamConfig
        metadata: {name: iam}
        spec:
          awsRegion: us-west-1
          backendMode: [EKSConfigMap]
          mapRoles:
          - roleARN: arn:aws:iam::000000000000:role/admin
            username: admin
    """
    for document in reached(spec, "AWSIamConfig"):
        own = document.get("spec")
        if is_blank(own.get("awsRegion")):
            message = f"{title(document)} has no awsRegion: EKS Anywhere refuses the file"
            yield Hit(deepest(document, "spec", "awsRegion"), message, "add awsRegion")
        modes = own.get("backendMode")
        if modes.is_null() or (modes.kind == "sequence" and not modes.items):
            message = f"{title(document)} has no backendMode: EKS Anywhere refuses the file"
            place = deepest(document, "spec", "backendMode")
            yield Hit(place, message, "write backendMode: [EKSConfigMap]")
        for key, arn in (("mapRoles", "roleARN"), ("mapUsers", "userARN")):
            for each in own.get(key).items:
                yield from blank_fields(each, (arn, "username"), f"an entry of {key}")


@rule("EKS139")
def unusable_iam_backend(spec: Spec) -> Iterator[Hit]:
    """An AWSIamConfig uses the backend MountedFile, or EKSConfigMap without a mapping.

    EKS Anywhere refuses the first. With the second nobody can log in through IAM until somebody edits the map in the
    cluster.

    Source: aws/eks-anywhere aebd9a0, pkg/api/v1alpha1/awsiamconfig.go:61-68.

    Bad:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: AWSIamConfig
        metadata: {name: iam}
        spec:
          awsRegion: us-west-1
          backendMode: [MountedFile]  # <- EKS139

    Good:
        apiVersion: anywhere.eks.amazonaws.com/v1alpha1
        kind: AWSIamConfig
        metadata: {name: iam}
        spec:
          awsRegion: us-west-1
          backendMode: [EKSConfigMap]
          mapUsers:
          - {userARN: "arn:aws:iam::000000000000:user/admin", username: admin}
    """
    for document in reached(spec, "AWSIamConfig"):
        own = document.get("spec")
        is_mapped = bool(own.get("mapRoles").items or own.get("mapUsers").items)
        for mode in own.get("backendMode").items:
            if mode.string() == "MountedFile":
                message = "EKS Anywhere refuses the backend MountedFile"
                yield Hit(mode, message, "write EKSConfigMap or CRD")
            elif mode.string() == "EKSConfigMap" and not is_mapped:
                message = "with EKSConfigMap and neither mapRoles nor mapUsers, IAM lets nobody in"
                yield Hit(mode, message, "add mapRoles or mapUsers", severity=Severity.WARNING)
