"""Blocks that are not where a chart looks for them, or are named differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.core.document import Node, Spec
from planner.core.lint import Hit, Severity, rule
from planner.core.mending import renamed
from planner.core.text import closest
from planner.specs.palette.documents import (
    CERT_MANAGER_IMAGES,
    CONFIG_BLOCKS,
    WEBHOOK_IMAGES,
    dotted,
    is_object,
    secrets,
    values,
)

_HOMES: Mapping[str, str] = {
    **dict.fromkeys(WEBHOOK_IMAGES, "imageSwapImages"),
    "isEKSCluster": "imageSwapConfig",
    "mirrorRegistries": "ociImageRegistry",
}
_REGISTRY_KEYS = frozenset({"endpoint", "baseContentPath", "insecureSkipVerify", "caCert"})
_CONFIG_KEYS = (*CONFIG_BLOCKS, "installationMode")
_ROOTS: Mapping[str, frozenset[str]] = {
    "config": frozenset(_CONFIG_KEYS),
    "image": frozenset(CERT_MANAGER_IMAGES),
    "imageSwap": frozenset({"imageChange"}),
    "imagePullSecret": frozenset({"dockerConfigJson"}),
}
_SPELLINGS = {
    "installMode": "installationMode",
    "ociRegistry": "ociPackRegistry",
    "ociEcrRegistry": "ociPackEcrRegistry",
    "acmeResolverImage": "amceResolverImage",
}


@rule("PAL001")
def no_document(spec: Spec) -> Iterator[Hit]:
    """The file holds neither values nor a Secret.

    Helm takes an empty file for no values at all, so that every setting keeps its default: public registries.

    Source: helm/helm v3.17.0 pkg/cli/values/options.go ``MergeValues`` (begins with an empty map).

    Bad:
        # The values are still to come. <- PAL001

    Good:
        config:
          imageSwapConfig: {isEKSCluster: false}
    """
    if not values(spec) and not secrets(spec) and not spec.problems:
        what = "no document" if all(each.is_null() for each in spec.documents) else "no Secret"
        yield Hit(spec.root, f"there are no values in this file, and {what}")


@rule("PAL002", Severity.WARNING)
def ignored_values_document(spec: Spec) -> Iterator[Hit]:
    """Values stand in a second document of the file.

    Helm up to 3.17 decodes the first document and never looks at the others; an empty one counts. Newer releases merge all.

    Source: helm/helm v3.17.0 pkg/cli/values/options.go ``MergeValues`` (decodes once); helm/helm#13655 (merges).

    Bad:
        config:
          imageSwapConfig: {isEKSCluster: false}
        ---
        config:  # <- PAL002
          installationMode: airgap

    Good:
        config:
          installationMode: airgap
          imageSwapConfig: {isEKSCluster: false}
    """
    for document in spec.documents[1:]:
        if document.kind == "mapping" and document.entries and not is_object(document):
            message = "Helm up to 3.17 reads the first document only, not this one"
            yield Hit(document.entries[0].value, message, "merge them", on_key=True)


@rule("PAL003")
def oci_image_registry_not_under_config(spec: Spec) -> Iterator[Hit]:
    """A registry or image-swap block stands outside of ``config``.

    The charts read ``config.ociImageRegistry`` and its like; Helm drops other keys without a message, so the defaults stay:
    empty endpoints and public images. Palette's guide shows the block without its parent in one step, and its tables call it
    ``config.env.…``; all complete examples have it directly under ``config``. (That no chart reads the other places is inferred
    from them: the charts are not public.)

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (complete example); 022efad .../install-on-kubernetes/palette-helm-ref.md.

    Bad:
        ociImageRegistry:  # <- PAL003
          endpoint: harbor.example.org
        config:
          env:
            ociPackRegistry:  # <- PAL003
              endpoint: harbor.example.org

    Good:
        config:
          ociImageRegistry:
            endpoint: harbor.example.org
            name: Harbor
            baseContentPath: spectro-images
            insecureSkipVerify: false
            mirrorRegistries: docker.io::harbor.example.org/spectro-images/docker.io
    """
    root = values(spec)
    for home in (root, root.get("global"), root.get("config", "env")):
        for name, node in home.fields():
            if name in CONFIG_BLOCKS and node.kind in ("mapping", "scalar"):
                message = f"{dotted(node.path)} is not read: Helm drops it, and the defaults stay"
                yield Hit(node, message, f"move it to config.{name}", on_key=True)


@rule("PAL004")
def image_swap_images_misnested(spec: Spec) -> Iterator[Hit]:
    """A setting stands beside its block instead of in it.

    ``imageSwapInitImage`` and ``imageSwapImage`` belong into ``config.imageSwapImages``, ``isEKSCluster`` into
    ``config.imageSwapConfig``, and a registry's settings into its own block. One column too far to the left, as in an example
    of Palette's reference, and the block is empty: the chart takes its defaults, the public images and an EKS cluster.

    Source: spectrocloud/librarium 022efad .../install-on-kubernetes/palette-helm-ref.md (the mis-nested example);
    02df8c8 .../vertex-helm-ref.md (the right one).

    Bad:
        config:
          imageSwapImages:
          imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3  # <- PAL004
          imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3  # <- PAL004

    Good:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
    """
    root = values(spec)
    for home in (root, root.get("config")):
        for name, node in home.fields():
            if name in _HOMES:
                message = f"{dotted(node.path)} is not read: the chart takes its default"
                yield Hit(node, message, f"move it into config.{_HOMES[name]}", on_key=True)
    home = root.get("config")
    beside = [name for name, _ in home.fields() if name in _REGISTRY_KEYS]
    for name, node in home.fields():
        if name in CONFIG_BLOCKS and node.is_null() and beside:
            message = (
                f"{dotted(node.path)} is empty: {', '.join(beside)} stand beside it, not in it"
            )
            yield Hit(node, message, "indent them one level deeper", on_key=True)


@rule("PAL005")
def misspelt_block(spec: Spec) -> Iterator[Hit]:
    """A key is nearly one that a chart reads, so Helm drops it without a message.

    Keys are case-sensitive. The charts have odd spellings of their own: the ACME solver's image is ``amceResolverImage``, and
    the mode is ``installationMode``, although a table of the reference calls it ``installMode``. Any other key beside
    cert-manager's images is a warning: none is documented.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (``amceResolverImage``, on all pages); 022efad .../install-on-kubernetes/palette-helm-ref.md (``installationMode``).

    Bad:
        config:
          installMode: airgap  # <- PAL005
          imageswapConfig:  # <- PAL005
            isEKSCluster: false

    Good:
        config:
          installationMode: airgap
          imageSwapConfig:
            isEKSCluster: false

    Fixed:
        config:
          installationMode: airgap
          imageSwapConfig:
            isEKSCluster: false
    """
    root = values(spec)
    for home in (root, root.get("global"), root.get("config")):
        for name, node in home.fields():
            if (near := _near(name, _ROOTS)) and any(node.get(key) for key in _ROOTS[near]):
                yield _misspelt(spec, home, node, near)
    for place in ("config", "imageSwap"):
        for name, node in root.get(place).fields():
            if near := _near(name, _ROOTS[place]):
                yield _misspelt(spec, root.get(place), node, near)
    images = root.get("image")
    is_known = any(images.get(name) for name in CERT_MANAGER_IMAGES)
    for name, node in images.fields():
        if near := _near(name, _ROOTS["image"]):
            yield _misspelt(spec, images, node, near)
        elif is_known and name not in CERT_MANAGER_IMAGES:
            message = f"the cert-manager chart is not known to read {name!r} here"
            hint = f"known here: {', '.join(CERT_MANAGER_IMAGES)}"
            yield Hit(node, message, hint, on_key=True, severity=Severity.WARNING)


@rule("PAL006", Severity.WARNING)
def incomplete_images(spec: Spec) -> Iterator[Hit]:
    """Some images of a chart are given and others are not.

    For those that are missing the chart takes its default, a public registry. Behind an air gap, cert-manager's four images
    and the webhook's two must all be given: nothing rewrites them.

    Source: spectrocloud/librarium 02df8c8 .../airgap-install/eks-ecr-airgap-install.md (cert-manager starts before the
    webhook).

    Bad:
        config:
          imageSwapImages:  # <- PAL006
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3

    Good:
        config:
          imageSwapImages:
            imageSwapInitImage: harbor.example.org/spectro-images/thewebroot/imageswap-init:v1.5.3
            imageSwapImage: harbor.example.org/spectro-images/thewebroot/imageswap:v1.5.3
    """
    root = values(spec)
    for home, names in (
        (root.get("image"), CERT_MANAGER_IMAGES),
        (root.get("config", "imageSwapImages"), WEBHOOK_IMAGES),
    ):
        given = [name for name in names if home.get(name).string()]
        lacking = [name for name in names if name not in given]
        if given and lacking:
            message = f"without {', '.join(lacking)}, the chart takes its public default"
            yield Hit(home, message, "give all of them", on_key=True)


def _near(name: str, known: Mapping[str, object] | frozenset[str]) -> str:
    """The known key that ``name`` was probably meant to be."""
    if name in known or name in _HOMES:
        return ""
    spelling = _SPELLINGS.get(name, "")
    # The short keys have neighbours that other charts use.
    candidates = [each for each in known if len(each) > 4 or each.lower() == name.lower()]
    return spelling if spelling in known else closest(name, candidates)


def _misspelt(spec: Spec, home: Node, node: Node, near: str) -> Hit:
    message = f"Helm drops {node.path[-1]!r} without a message: the chart reads {near!r}"
    taken = dict(home.fields())
    fix = renamed(spec, node.key, near, taken)
    return Hit(node, message, f"rename it to {near}", on_key=True, fix=fix)
