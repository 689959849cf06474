"""Settings of one registry that differ between the charts and the Secret. No message shows a credential."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from planner.core.document import Spec
from planner.core.lint import Hit, Peer, rule_across
from planner.specs.palette.certificates import certificates
from planner.specs.palette.counterparts import (
    Pair,
    are_comparable,
    bare_endpoint,
    bare_path,
    pairs,
)
from planner.specs.palette.settings import Setting

_SWITCH = ("true", "false")


@rule_across("PAL120")
def different_endpoints(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The files name different registries.

    The image-swap chart rewrites the names of images, the Secret tells nodes where to pull from: with two registries, each has
    only the images that were meant for the other.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9: the same values); 02df8c8 eks-ecr-airgap-install.md (both charts).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.com  # <- PAL120
        # file: values.yaml
        config:
          ociImageRegistry:
            endpoint: harbor.example.org

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
        # file: values.yaml
        config:
          ociImageRegistry:
            endpoint: https://harbor.example.org
    """
    for pair in pairs(spec, peers):
        yield from _compared(pair, pair.own.endpoint, pair.other.endpoint, bare_endpoint)


@rule_across("PAL121")
def different_base_paths(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The files name different paths on the registry.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9: the same values).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          BASE_PATH: images  # <- PAL121
        # file: values.yaml
        config:
          ociImageRegistry:
            baseContentPath: airgap-images

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          BASE_PATH: airgap-images
        # file: values.yaml
        config:
          ociImageRegistry:
            baseContentPath: airgap-images
    """
    for pair in pairs(spec, peers):
        yield from _compared(pair, pair.own.base_path, pair.other.base_path, bare_path)


@rule_across("PAL122")
def different_verification(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """One file has the registry's certificate checked, the other has not.

    Either something that was meant to be secure is not, or half of the pulls fail.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9: the same values).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
          INSECURE: "true"  # <- PAL122
        # file: values.yaml
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            insecureSkipVerify: false

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
          INSECURE: "false"
        # file: values.yaml
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            insecureSkipVerify: false
    """
    for pair in pairs(spec, peers):
        own, other = pair.own.insecure, pair.other.insecure
        if own.text.strip() in _SWITCH and other.text.strip() in _SWITCH:
            yield from _compared(pair, own, other, str.strip)


@rule_across("PAL123")
def different_credentials(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The files log in to the registry in different ways.

    Often one of them kept a password that has been changed since.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9: the same values).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          USERNAME: robot  # <- PAL123
          PASSWORD: "1"
        # file: values.yaml
        config:
          ociImageRegistry:
            username: puller
            password: "1"

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          USERNAME: robot
          PASSWORD: "1"
        # file: values.yaml
        config:
          ociImageRegistry:
            username: robot
            password: "1"
    """
    for pair in pairs(spec, peers):
        own, other = pair.own, pair.other
        for here, there in ((own.username, other.username), (own.password, other.password)):
            if are_comparable(here, there) and here.text != there.text:
                message = f"{here.name} is not the same as {there.name} in {pair.file}"
                if not (here.text and there.text):
                    where = pair.file if here.text else "this file"
                    message = f"{here.name} is set in one file only: {where} has none"
                yield Hit(
                    here.node or own.home,
                    message,
                    "give both files the same credentials",
                    elsewhere=pair.there(there),
                )


@rule_across("PAL124")
def different_authorities(spec: Spec, peers: Sequence[Peer]) -> Iterator[Hit]:
    """The files trust different certificates.

    They are compared as certificates: PEM text in one file and its base64 form in the other are the same.

    Source: spectrocloud/librarium 0ccbe0ef docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (step 9: the same values); 022efadb palette-helm-ref.md (base64 in charts).

    Bad:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
          CA_CERT: ""  # <- PAL124
        # file: values.yaml
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            caCert: |
              -----BEGIN CERTIFICATE-----
              AAAA
              -----END CERTIFICATE-----

    Good:
        # file: registry-secret.yaml
        kind: Secret
        metadata: {name: registry-info, namespace: jet-system}
        stringData:
          DOMAIN: harbor.example.org
          CA_CERT: |
            -----BEGIN CERTIFICATE-----
            AAAA
            -----END CERTIFICATE-----
        # file: values.yaml
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            caCert: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=
    """
    for pair in pairs(spec, peers):
        own, other = pair.own.authority, pair.other.authority
        if not are_comparable(own, other):
            continue
        if certificates(own.text) != certificates(other.text):
            message = f"{own.name} is another certificate than {other.name} in {pair.file}"
            if not (own.text.strip() and other.text.strip()):
                where = pair.file if own.text.strip() else "this file"
                message = f"{own.name} is set in one file only: {where} trusts no certificate"
            hint = "give both files the same certificates"
            yield Hit(own.node or pair.own.home, message, hint, elsewhere=pair.there(other))


def _compared(
    pair: Pair, own: Setting, other: Setting, bare: Callable[[str], str]
) -> Iterator[Hit]:
    """A hit when both are there and differ; what is missing or empty is reported where it is."""
    here, there = bare(own.text), bare(other.text)
    if here and there and here != there and are_comparable(own, other):
        message = f"{own.name} is {_shown(own)}, but {other.name} in {pair.file} is {_shown(other)}"
        hint = "give both files the same value"
        yield Hit(own.node, message, hint, elsewhere=pair.there(other))


def _shown(setting: Setting) -> str:
    """The value in quotes, without credentials that somebody may have put into an address."""
    return repr(setting.text.rpartition("@")[2])
