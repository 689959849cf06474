"""Mistakes about the file as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule

_TEMPLATE = r"\{\{.*?\}\}|%%\w+%%|@@\w+@@"
_IN_REWRITES = re.compile(_TEMPLATE)
_ANYWHERE = re.compile(rf"{_TEMPLATE}|<[A-Za-z][\w .:/-]*>|\$\{{[A-Za-z_]\w*\}}|\$\([A-Za-z_]\w*\)")


def placeholder(text: str) -> str:
    """The first unfilled placeholder in a value that is no rewrite; empty without one."""
    match = _ANYWHERE.search(text)
    return match[0] if match else ""


@rule("K3S001")
def several_documents(spec: Spec) -> Iterator[Hit]:
    """The file has more than one YAML document.

    K3s decodes the first document and never looks at the others: mirrors and credentials in them do not exist for the node.

    Source: gopkg.in/yaml.v2 v2.4.0 yaml.go ``Unmarshal`` (one document); rancher/wharfie bb7080c
    pkg/registries/registries.go:38-56.

    Bad:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
        ---
        configs:  # <- K3S001
          registry.example.com:
            tls: {ca_file: /etc/ssl/corp.pem}

    Good:
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
        configs:
          registry.example.com:
            tls: {ca_file: /etc/ssl/corp.pem}
    """
    for number, document in enumerate(spec.documents[1:], 2):
        if not document.is_null():
            message = (
                f"K3s reads only the first document of the file and never this one, number {number}"
            )
            yield Hit(_head(document), message, "put everything into one document", on_key=True)


@rule("K3S003", Severity.WARNING)
def wrong_file_name(spec: Spec) -> Iterator[Hit]:
    """The file has a name, or lies in a folder, where K3s does not look for it.

    K3s reads ``/etc/rancher/k3s/registries.yaml`` and RKE2 ``/etc/rancher/rke2/registries.yaml``, unless ``--private-registry``
    names another file; a missing file is no error, so nothing is reported. Below ``server/manifests`` it is applied as a
    Kubernetes manifest, which fails.

    Source: rancher/wharfie bb7080c pkg/registries/registries.go:38-56; k3s-io/k3s#2299 (``.yml``), k3s-io/k3s#8677
    (``server/manifests``).

    Bad:
        # file: registries.yml
        mirrors:  # <- K3S003
          docker.io:
            endpoint: [https://registry.example.com]

    Good:
        # file: registries.yaml
        mirrors:
          docker.io:
            endpoint: [https://registry.example.com]
    """
    path = PurePath(spec.file)
    hint = "name it /etc/rancher/k3s/registries.yaml (RKE2: /etc/rancher/rke2/registries.yaml)"
    if path.parts[-3:-1] == ("server", "manifests"):
        message = "K3s takes files in server/manifests for Kubernetes manifests, and not for this"
        yield Hit(_head(spec.root), message, hint, on_key=True, severity=Severity.ERROR)
    elif path.name == "registries.yml":
        message = "K3s looks for registries.yaml and passes over registries.yml without a message"
        yield Hit(_head(spec.root), message, hint, on_key=True)


@rule("K3S004")
def unfilled_placeholder(spec: Spec) -> Iterator[Hit]:
    """A placeholder of a template was not filled in.

    K3s expands neither variables nor templates: it takes ``${REGISTRY}`` or ``<registry>`` for the value itself.

    Source: rancher/wharfie bb7080c pkg/registries/registries.go:38-56 (the text is decoded as it is).

    Bad:
        mirrors:
          docker.io:
            endpoint: ["https://${REGISTRY}"]  # <- K3S004

    Good:
        mirrors:
          docker.io:
            endpoint: ["https://registry.example.com"]
    """
    for node, text, on_key in _texts(spec.root):
        is_secret = "auth" in node.path and not on_key
        pattern = _IN_REWRITES if "rewrite" in node.path else _ANYWHERE
        match = pattern.fullmatch(text) if is_secret else pattern.search(text)
        if match:
            what = f"the {node.path[-1]}" if is_secret else repr(match[0])
            message = f"{what} is a placeholder that nobody filled in: K3s takes it as it is"
            yield Hit(node, message, "fill it in before the file reaches the node", on_key=on_key)


@rule("K3S005")
def auths_without_effect(spec: Spec) -> Iterator[Hit]:
    """Credentials stand under ``auths``, which K3s decodes and never uses.

    ``auths`` is a field of old containerd releases, by URL. No template of K3s writes it to the node's configuration.

    Source: rancher/wharfie bb7080c pkg/registries/types.go:4-60; k3s-io/k3s cacc6d6 pkg/agent/templates/templates.go (no use of
    ``Auths``).

    Bad:
        auths:  # <- K3S005
          https://registry.example.com:
            identity_token: abc

    Good:
        configs:
          registry.example.com:
            auth: {identity_token: abc}
    """
    auths = spec.root.get("auths")
    if not auths.is_null():
        message = "K3s never uses the credentials under 'auths'"
        yield Hit(auths, message, "write configs: {HOST: {auth: …}}", on_key=True)


def _head(document: Node) -> Node:
    """What stands at the beginning of a document."""
    return document.entries[0].value if document.entries else document


def _texts(node: Node) -> Iterator[tuple[Node, str, bool]]:
    """Each text below ``node``, with the node to blame and whether the text is its key."""
    if node.kind == "scalar":
        yield node, node.text, False
    for item in node.items:
        yield from _texts(item)
    for key, value, _ in node.entries:
        yield value, key.text, True
        yield from _texts(value)
