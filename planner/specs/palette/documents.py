"""What the documents of a Palette file are, and where their known blocks stand.

Palette's charts share their blocks: the values of one chart are often passed to another, so that nothing in a file tells
for sure which chart reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from planner.core.document import ABSENT, Node, Path, Spec

SECRET_NAME = "registry-info"  # noqa: S105 - the name of an object
FIELDS = (
    "DOMAIN",
    "BASE_PATH",
    "USERNAME",
    "PASSWORD",
    "INSECURE",
    "CA_CERT",
    "MIRROR_REGISTRIES",
)
CERT_MANAGER_IMAGES = ("cainjectorImage", "controllerImage", "webhookImage", "amceResolverImage")
WEBHOOK_IMAGES = ("imageSwapInitImage", "imageSwapImage")
_TELLING_FIELDS = frozenset({"DOMAIN", "MIRROR_REGISTRIES"})
CONFIG_BLOCKS = (
    "ociImageRegistry",
    "imageSwapImages",
    "imageSwapConfig",
    "ociPackRegistry",
    "ociPackEcrRegistry",
    "scar",
)
_TELLING_IMAGES = ("cainjectorImage", "amceResolverImage", "acmeResolverImage")


def is_object(document: Node) -> bool:
    """Whether a document is a Kubernetes object, well-formed or not, and so no values."""
    return (
        bool(document.get("apiVersion") and document.get("kind"))
        or bool(document.get("stringData"))
        or bool(document.get("metadata", "name"))
        or is_secret(document)
    )


def is_secret(document: Node) -> bool:
    """Whether a document is the Secret registry-info, or was meant to be."""
    return (
        document.get("kind").string() == "Secret"
        or document.get("metadata", "name").string() == SECRET_NAME
        or any(
            document.get(part, field)
            for part in ("stringData", "data")
            for field in _TELLING_FIELDS
        )
    )


def is_registry_info(document: Node) -> bool:
    """Whether a document is that Secret beyond doubt: by kind and name, or by its fields."""
    is_named = document.get("metadata", "name").string() == SECRET_NAME
    return (is_named and document.get("kind").string() == "Secret") or any(
        all(document.get(part, field) for field in _TELLING_FIELDS)
        for part in ("stringData", "data")
    )


@lru_cache(maxsize=16)
def values(spec: Spec) -> Node:
    """The document that Helm, or Palette, takes for values: the first that is neither null nor a Kubernetes object."""
    found = (each for each in spec.documents if not each.is_null() and not is_object(each))
    return next(found, ABSENT)


@lru_cache(maxsize=16)
def secrets(spec: Spec) -> Sequence[Node]:
    """Every Secret registry-info of a file; where none is beyond doubt, every Secret: its name may be the mistake."""
    found = [each for each in spec.documents if is_secret(each)]
    return tuple(each for each in found if is_registry_info(each)) or tuple(found)


def config(spec: Spec) -> Node:
    """The block ``config`` of values."""
    return values(spec).get("config")


def image_registry(spec: Spec) -> Node:
    """The block ``ociImageRegistry``; one that stands at the top, where no chart reads it, when there is no other."""
    root = values(spec)
    return root.get("config", "ociImageRegistry") or root.get("ociImageRegistry")


def image_changes(spec: Spec) -> Iterator[Node]:
    """Each ``imageSwap.imageChange`` of the values, at the root and, where Palette does not look, below."""
    return _find(values(spec))


def is_root_image_change(node: Node) -> bool:
    """Whether Palette reads this one."""
    return node.path == ("imageSwap", "imageChange")


def dotted(path: Path) -> str:
    """``config.ociImageRegistry``."""
    return ".".join(map(str, path))


def are_values(spec: Spec) -> bool:
    """Whether a document has a block that only values for Palette have."""
    return any(
        any(each.get("config", name) for name in CONFIG_BLOCKS)
        or bool(each.get("ociImageRegistry"))
        or any(each.get("image", name) for name in _TELLING_IMAGES)
        or next(_find(each), None) is not None
        for each in spec.documents
        if not is_object(each)
    )


def _find(node: Node) -> Iterator[Node]:
    for key, below in node.fields():
        if key == "imageSwap" and (change := below.get("imageChange")):
            yield change
        elif below.kind == "mapping":
            yield from _find(below)
