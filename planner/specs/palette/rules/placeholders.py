"""Templates that nobody filled in."""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.core.lint import Hit, rule
from planner.specs.palette.documents import CONFIG_BLOCKS, dotted, image_changes, values
from planner.specs.palette.placeholders import is_secret_placeholder, placeholder
from planner.specs.palette.settings import settings_of

_SECRET_KEYS = frozenset({"password", "accessKey", "secretKey", "dockerConfigJson"})
_BLOCKS = (
    ("image",),
    ("imagePullSecret",),
    ("global", "imagePullSecret"),
    ("config", "imagePullSecret"),
    ("config", "installationMode"),
    *(("config", name) for name in CONFIG_BLOCKS),
    ("ociImageRegistry",),
)


@rule("PAL010")
def placeholder_left(spec: Spec) -> Iterator[Hit]:
    """A value still is a placeholder of the template.

    Nothing checks it: the charts install, and nodes then look for a registry of this name.

    Source: spectrocloud/librarium 0ccbe0e docs/docs-content/self-hosted-setup/palette/system-management/registry-override.md
    (``REPLACE_WITH_…``); 0f4d328 _partials/self-hosted/kubernetes-install/_kubernetes-install-image-swap.mdx.

    Bad:
        config:
          ociImageRegistry:
            endpoint: REPLACE_WITH_CUSTOM_REGISTRY_DOMAIN  # <- PAL010
            name: <your-registry-name>  # <- PAL010
            baseContentPath: spectro-images
            insecureSkipVerify: false
            mirrorRegistries: docker.io::OCI_URL/IMAGE_PROJECT/docker.io  # <- PAL010

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
    nodes = (each for path in _BLOCKS for each in _scalars(root.get(*path)))
    for node in (*nodes, *image_changes(spec)):
        is_secret = node.path[-1] in _SECRET_KEYS
        yield from _hits(node, dotted(node.path), node.string(), is_secret=is_secret)
    for settings in settings_of(spec):
        for setting in settings if settings.place == "secret" else ():
            is_secret = setting is settings.password
            yield from _hits(setting.node, setting.name, setting.text, is_secret=is_secret)


def _hits(node: Node, name: str, text: str, *, is_secret: bool) -> Iterator[Hit]:
    if is_secret:
        if is_secret_placeholder(text):
            yield Hit(node, f"{name} still is a placeholder", "fill it in")
    elif found := placeholder(text):
        yield Hit(node, f"{name} still holds the placeholder {found}", "fill it in")


def _scalars(node: Node) -> Iterator[Node]:
    if node.kind == "scalar":
        yield node
    for _, below in node.fields():
        yield from _scalars(below)
