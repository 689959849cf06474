"""Settings that are not there, or empty."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.specs.palette.blocks import blocks, pull_secrets
from planner.specs.palette.documents import dotted, image_registry

_REQUIRED = ("endpoint", "name", "baseContentPath", "insecureSkipVerify", "mirrorRegistries")
_TEXTS = ("endpoint", "name", "username", "password", "baseContentPath", "caCert")


@rule("PAL007")
def required_key_missing(spec: Spec) -> Iterator[Hit]:
    """A key that a block needs is not there.

    Helm takes the chart's default for it, which is the empty text: the registry is then not used, or nothing is redirected to
    it. A block all of whose texts are empty is one that is not used, and nothing is missing in it. ``dockerConfigJson`` is
    needed where ``create`` is true.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (table of parameters); 022efad .../install-on-kubernetes/palette-helm-ref.md (defaults).

    Bad:
        config:
          ociImageRegistry:  # <- PAL007
            endpoint: harbor.example.org
            name: Harbor
            baseContentPath: spectro-images

    Good:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            name: Harbor
            baseContentPath: spectro-images
            insecureSkipVerify: false
            mirrorRegistries: docker.io::harbor.example.org/spectro-images/docker.io
    """
    for node, names in _needed(spec):
        if lacking := [name for name in names if not node.get(name)]:
            verb = "is" if len(lacking) == 1 else "are"
            message = f"{', '.join(lacking)} {verb} missing in {dotted(node.path)}"
            yield Hit(node, message, "set all of them", on_key=True)


@rule("PAL008")
def required_key_empty(spec: Spec) -> Iterator[Hit]:
    """A key that a block needs is empty, while others of the block are set.

    The registry is then not used, or nothing is redirected to it. An empty ``baseContentPath`` is a warning only: Palette's
    guide requires one, but it would be right for images that lie directly below the endpoint.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (table of parameters).

    Bad:
        config:
          ociImageRegistry:
            endpoint: ""  # <- PAL008
            name: Harbor
            baseContentPath: spectro-images
            insecureSkipVerify: false
            mirrorRegistries: docker.io::harbor.example.org/spectro-images/docker.io

    Good:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            name: Harbor
            baseContentPath: spectro-images
            insecureSkipVerify: false
            mirrorRegistries: docker.io::harbor.example.org/spectro-images/docker.io
    """
    for home, names in _needed(spec):
        for name in names:
            node = home.get(name)
            if node and node.kind == "scalar" and not node.string().strip():
                severity = Severity.WARNING if name == "baseContentPath" else None
                message = f"{dotted(node.path)} is empty, but {_because(name)}"
                yield Hit(node, message, "set it", severity=severity)


def _needed(spec: Spec) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Each block that is used, and the keys that it cannot do without."""
    registry = image_registry(spec)
    if registry.kind == "mapping" and (_is_used(registry) or registry.get("mirrorRegistries").text):
        yield registry, _REQUIRED
    for block in blocks(spec):
        texts = (*_TEXTS, *block.credentials)
        if any(block.node.get(name).string() for name in texts):
            yield block.node, ("endpoint",)
    for secret in pull_secrets(spec):
        if secret.get("create").is_true():
            yield secret, ("dockerConfigJson",)


def _is_used(registry: Node) -> bool:
    """Whether anything is written that is not the chart's default."""
    return registry.get("insecureSkipVerify").is_true() or any(
        registry.get(name).string() for name in _TEXTS
    )


def _because(name: str) -> str:
    reasons = {
        "endpoint": "a registry without it is not used",
        "mirrorRegistries": "nothing is redirected without it",
        "dockerConfigJson": "a pull secret is to be made of it",
    }
    return reasons.get(name, "Palette requires it")
