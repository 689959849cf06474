"""Curated packages: what a PackageBundle lists, and where the package controller and the nodes ask for it.

Charts are pulled by the controller itself, with Helm and by tag. Images are named by the charts, below the registry that the
controller gives them; here they stand by digest, since which tag goes with it only the chart's values say.

Source: aws/eks-anywhere aebd9a0 pkg/curatedpackages/packagecontrollerclient.go:245-280, registry_constants.go:18-51 (the
registries), cmd/eksctl-anywhere/cmd/copypackages.go:84-235 (what belongs to a bundle); aws/eks-anywhere-packages 1e8277a
api/v1alpha1/packagebundle_types.go, packagebundle.go:105-156 (its name says its Kubernetes version),
pkg/packages/manager.go:56-64,138-152 (chart and image registry), pkg/bundle/registry_client.go:42-46 (the bundle's tag),
charts/eks-anywhere-packages/templates/package.yaml, credentialpackage.yaml (packages with a registry of their own).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from planner.core.document import Node, Spec
from planner.core.errors import InputError
from planner.core.family import ArtifactKind
from planner.specs.eksa.mirror import CORE_REGISTRY, CURATED_REGISTRY, Mirror

_KIND = "PackageBundle"
_BUNDLES = "eks-anywhere-packages-bundles"
_ALIAS = "eks-anywhere"
_NAME = re.compile(r"v([0-9]+)-([0-9]+)-[0-9]+")
_IMAGES = "783794618700.dkr.ecr.us-west-2.amazonaws.com"
# The controller's chart makes these two, and gives them its own registry.
_OF_CONTROLLER = frozenset({"eks-anywhere-packages", "credential-provider-package"})
_REGIONAL = frozenset(
    f"{account}.dkr.ecr.{region}.amazonaws.com"
    for account, region in (
        ("783635962247", "af-south-1"),
        ("804323328300", "ap-east-1"),
        ("143143237519", "ap-northeast-1"),
        ("447311122189", "ap-northeast-2"),
        ("376465423944", "ap-northeast-3"),
        ("357015164304", "ap-south-1"),
        ("388483641499", "ap-south-2"),
        ("654894141437", "ap-southeast-1"),
        ("299286866837", "ap-southeast-2"),
        ("703305448174", "ap-southeast-3"),
        ("106475008004", "ap-southeast-4"),
        ("396913739932", "ap-southeast-5"),
        ("141666480881", "ap-southeast-7"),
        ("064352486547", "ca-central-1"),
        ("571600859530", "ca-west-1"),
        ("364992945014", "eu-central-1"),
        ("551422459769", "eu-central-2"),
        ("826441621985", "eu-north-1"),
        ("787863792200", "eu-south-1"),
        ("127214161500", "eu-south-2"),
        ("090204409458", "eu-west-1"),
        ("371148654473", "eu-west-2"),
        ("282646289008", "eu-west-3"),
        ("131750224677", "il-central-1"),
        ("454241080883", "me-central-1"),
        ("158698011868", "me-south-1"),
        ("295916874491", "mx-central-1"),
        ("517745584577", "sa-east-1"),
        ("331113665574", "us-east-1"),
        ("297090588151", "us-east-2"),
        ("440460740297", "us-west-1"),
        ("346438352937", "us-west-2"),
        # of development and of staging
        ("067575901363", "us-west-2"),
        ("724423470321", "us-west-2"),
    )
)


class Part(NamedTuple):
    """A chart or image of a package, or the bundle itself, and the node and text that say why.

    ``renamed`` is the name by which it is asked for; empty when a node asks for it under ``address``.
    """

    address: str
    kind: ArtifactKind
    renamed: str
    node: Node
    text: str


class _Place(NamedTuple):
    """Where its makers publish, and what the mirror has for that; empty when it has nothing."""

    published: str
    mirrored: str = ""

    @property
    def asked(self) -> str:
        return self.mirrored or self.published


class _Places(NamedTuple):
    controller: _Place
    charts: _Place
    images: _Place


def check_bundle(bundle: Spec, kubernetes: str) -> None:
    """Whether it is a PackageBundle, of this Kubernetes version (empty: of any).

    Raises:
        InputError: it is not.
    """
    root = bundle.root
    name = root.get("metadata", "name")
    match = _NAME.fullmatch(name.string())
    if root.get("kind").string() != _KIND or not root.get("spec", "packages").items or not match:
        raise InputError(
            f"{bundle.file}: no {_KIND}: it needs that kind, a name like v1-34-120, and spec.packages",
            f"get it: oras pull {CORE_REGISTRY}/{_ALIAS}/{_BUNDLES}:v1-XX-latest",
        )
    version = f"{match[1]}.{match[2]}"
    if kubernetes not in ("", version):
        raise InputError(
            f"{bundle.file}:{name.place.line}:{name.place.column}: packages for Kubernetes {version}; "
            f"the cluster runs {kubernetes}",
            "the package controller takes the bundle of the cluster's Kubernetes version: give that one",
        )


def parts(bundle: Spec, mirror: Mirror | None) -> Iterator[Part]:
    """What one PackageBundle brings: charts, images, and the bundle, which the controller looks for first."""
    places = _places(mirror)
    yield _bundle_itself(bundle, places.charts)
    for package in bundle.root.get("spec", "packages").items:
        name, source = package.get("name").string(), package.get("source")
        registry = source.get("registry").string()
        charts = _Place(registry) if registry else places.charts
        images = places.controller if name in _OF_CONTROLLER else places.images
        for version in source.get("versions").items:
            text = f"package {name} {version.get('name').string()}"
            chart = _chart(source.get("repository"), version, charts, text)
            # The release names these as well, by tag: one name cannot have two sources.
            yield _by_tag(chart) if name in _OF_CONTROLLER else chart
            for image in version.get("images").items:
                yield _image(image, images, text)


def _bundle_itself(bundle: Spec, place: _Place) -> Part:
    name = bundle.root.get("metadata", "name")
    tag = f"{name.string().rpartition('-')[0]}-latest"
    address, renamed = (f"{each}/{_BUNDLES}:{tag}" for each in (place.published, place.asked))
    return Part(address, "artifact", renamed, name, "list of packages")


def _chart(repository: Node, version: Node, place: _Place, text: str) -> Part:
    tagged = f"{repository.string()}:{version.get('name').string()}"
    address = f"{place.published}/{tagged}@{version.get('digest').string()}"
    return Part(address, "chart", f"{place.asked}/{tagged}", version.get("name"), text)


def _by_tag(chart: Part) -> Part:
    return chart._replace(address=chart.address.partition("@")[0])


def _image(image: Node, place: _Place, text: str) -> Part:
    repository = image.get("repository")
    pinned = f"{repository.string()}@{image.get('digest').string()}"
    renamed = f"{place.mirrored}/{pinned}" if place.mirrored else ""
    return Part(f"{place.published}/{pinned}", "image", renamed, repository, text)


def _places(mirror: Mirror | None) -> _Places:
    """A regional registry stands for charts and images, account 783794618700 for images alone; else nothing is moved."""
    public = _Place(f"{CORE_REGISTRY}/{_ALIAS}")
    mapped = (
        {registry: place for registry, place in mirror.places.items() if place} if mirror else {}
    )
    core = mapped.get(CORE_REGISTRY, "")
    controller = _Place(public.published, f"{core}/{_ALIAS}" if core else "")
    for registry, place in mapped.items():
        if registry in _REGIONAL:
            return _Places(controller, _Place(registry, place), _Place(registry, place))
    for registry, place in mapped.items():
        if CURATED_REGISTRY.search(registry):
            return _Places(controller, controller, _Place(registry, place))
    return _Places(controller, public, _Place(_IMAGES))
