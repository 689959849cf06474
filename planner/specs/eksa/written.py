"""Images that the cluster file itself names.

Source: aws/eks-anywhere aebd9a0 pkg/providers/tinkerbell/template.go:264-269 (public.ecr.aws is replaced in the whole
template), pkg/api/v1alpha1/tinkerbelltemplateconfig_defaults.go:26-30 (what HookOS has inside),
pkg/curatedpackages/packagecontrollerclient.go:239-256,466-517; aws/eks-anywhere-packages 1e8277a
charts/eks-anywhere-packages/templates/_helpers.tpl:83-89, deployment.yaml:54, cronjob.yaml:30 (repository and tag).
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.core.document import Node, Spec
from planner.specs.eksa.bundle import Artifact, packages_slot
from planner.specs.eksa.documents import cluster
from planner.specs.eksa.mirror import CORE_REGISTRY
from planner.specs.eksa.rules.reading import reached

_INSIDE_HOOK = "127.0.0.1/embedded/"
# The field below spec.packages, and the slot of the bundle that stands for it.
_PACKAGES = {"controller": "packageController", "cronjob": "tokenRefresher"}
_DEFAULT_ALIAS = "eks-anywhere"
_DIGEST = "sha256:"


def action_images(spec: Spec) -> Iterator[Artifact]:
    """The images of the actions of the Tinkerbell templates in use; those that HookOS brings along are not pulled."""
    for document in reached(spec, "TinkerbellTemplateConfig"):
        for task in document.get("spec", "template", "tasks").items:
            for action in task.get("actions").items:
                image = action.get("image")
                if image.string() and not image.string().startswith(_INSIDE_HOOK):
                    yield Artifact(image.string(), image)


def package_images(spec: Spec, entry: Node) -> Iterator[Artifact]:
    """The images that ``spec.packages`` puts in place of those of the bundle's ``entry``, which says what is left out.

    The chart asks for repository and tag below the alias of the bundle; ``digest`` is not used by it.
    """
    for field, slot in _PACKAGES.items():
        block = cluster(spec).get("spec", "packages", field)
        repository, tag = block.get("repository"), block.get("tag")
        name, _, usual_tag = packages_slot(entry, slot).partition(":")
        parts = name.split("/", 2)
        alias = parts[1] if len(parts) == 3 else _DEFAULT_ALIAS
        written = repository.string() or parts[-1]
        version = tag.string() or usual_tag
        if not (repository.string() or tag.string()) or not written or not version:
            continue
        sign = "@" if version.startswith(_DIGEST) else ":"
        node = repository if repository.string() else tag
        yield Artifact(f"{CORE_REGISTRY}/{alias}/{written}{sign}{version}", node)
